"""`access report | sign | reviews | show`: who may approve what, and who has looked at that."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.output import FAILED, AsJson, print_json, print_rows

if TYPE_CHECKING:
    from bot.store.reports import Kept

app = typer.Typer(
    help="Review who may approve what, by which role and factor.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_LONGEST_NOTE = 1_000
AsCsv = Annotated[bool, typer.Option("--csv", help="Print one line for each person and each right.")]
AsHtml = Annotated[Path | None, typer.Option("--html", help="Write one page into this file.")]
Report = Annotated[str, typer.Argument(metavar="REPORT", help="The report's name, or how it begins.")]


@app.command("report", epilog="Example: foureyes access report --html access.html")
def report(*, as_json: AsJson = False, as_csv: AsCsv = False, as_html: AsHtml = None) -> None:
    """Make a report of who may approve what now.

    It comes from the policy in force, Slack's directory and the records.

    Exit code 3 where Slack cannot be asked: half a report would look like a whole one.
    """
    import asyncio

    _one_form(as_json, as_csv, as_html is not None)
    _show(asyncio.run(_made()), as_json=as_json, as_csv=as_csv, as_html=as_html)


@app.command("show", epilog="Example: foureyes access show sha256:3f1c9a20 --json")
def show(report: Report, *, as_json: AsJson = False, as_csv: AsCsv = False, as_html: AsHtml = None) -> None:
    """Show a report again, exactly as it was signed."""
    from bot.cli.session import reading
    from bot.store.policies import looking
    from bot.store.reports import find

    _one_form(as_json, as_csv, as_html is not None)
    with reading() as connection:
        kept = find(looking(connection), report)
    if kept is None:
        _unknown(report)
    _show(kept, as_json=as_json, as_csv=as_csv, as_html=as_html)


@app.command("sign", epilog='Example: foureyes access sign sha256:3f1c9a20 --note "two guests removed"')
def sign(report: Report, note: Annotated[str | None, typer.Option("--note", help="What you found.")] = None) -> None:
    """Say that you have read a report.

    An account of the machine is one of two: a second one, or somebody in Slack who can approve nothing, signs too.
    """
    from approval_rules.refusals import Refusal
    from approval_rules.text import AgentText
    from bot.access.keeping import Signed, SignReport
    from bot.agents import who_typed
    from bot.cli.session import os_user, reading, write
    from bot.store.policies import looking
    from bot.store.reports import find
    from bot.store.transaction import Transaction

    with reading() as connection:
        kept = find(looking(connection), report)
    if kept is None:
        _unknown(report)
    said = AgentText(note.encode(errors="replace").decode()[:_LONGEST_NOTE]) if note else None

    def unit(tx: Transaction) -> Signed:
        return SignReport(kept.digest, who_typed(tx, os_user()), said)(tx)

    signed = write(unit)
    told = {
        Refusal.REPORT_TOO_OLD: "This report is more than 30 days old. Make a new one: foureyes access report",
        Refusal.ALREADY_SIGNED: "You have signed this report already. Nothing was added.",
    }
    if signed.refusal is not None:
        typer.echo(told.get(signed.refusal, f"Refused: {signed.refusal.value}."), err=True)
        raise typer.Exit(FAILED)
    rest = "The review is complete." if signed.complete else "One more person has to sign it."
    typer.echo(f"Signed {kept.digest}. {rest}")


@app.command("reviews", epilog="Example: foureyes access reviews --json")
def reviews(*, as_json: AsJson = False) -> None:
    """List every signature, the newest first."""
    from bot.cli.past_reviews import past_reviews
    from bot.cli.session import reading

    with reading() as connection:
        found = past_reviews(connection)
    print_rows(found, as_json=as_json, empty="Nobody has signed a report yet. To make one: foureyes access report")


def _one_form(*asked: bool) -> None:
    if sum(asked) > 1:
        raise typer.BadParameter("give one of --json, --csv, --html")


async def _made() -> "Kept":
    from collections.abc import Callable

    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    from approval_rules.policy import PolicyFolder
    from bot.access.making import Making, NoReportError
    from bot.access.roster import RosterTaker
    from bot.cli.session import database, reading, settings, write
    from bot.clock import SteadyClock
    from bot.desk.current_policy import folder_of
    from bot.store import rows
    from bot.store.codec import POLICY
    from bot.store.folds import recorded_of
    from bot.store.policies import looking
    from bot.store.transaction import Transaction

    def in_force() -> PolicyFolder:
        with reading() as connection:
            active = rows.versions_from(recorded_of(connection, POLICY)).active
            if active is None:
                raise NoReportError("no policy is active yet: the server activates the folder when it starts")
            return folder_of(looking(connection), active)

    async def written(unit: "Callable[[Transaction], object]") -> object:
        return write(unit)

    found = settings()
    if not found.slack_bot_token:
        raise NoReportError("set SLACK_BOT_TOKEN: without Slack nobody knows who is in which role")
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            found.slack_bot_token, base_url=found.slack_api_url, timeout=10, session=session, retry_handlers=[]
        )
        making = Making(database(), written, lambda: RosterTaker(client), SteadyClock())
        return await making.make(in_force())


def _show(kept: "Kept", *, as_json: bool, as_csv: bool, as_html: Path | None) -> None:
    from bot.access.showing import csv_of, html_of, lines_of

    if as_json:
        print_json({"report": kept.digest, **kept.report})
    elif as_csv:
        typer.echo(csv_of(kept.report), nl=False)
    elif as_html is not None:
        as_html.write_text(html_of(kept), encoding="utf-8")
        typer.echo(f"{as_html} has report {kept.digest}. To sign it: foureyes access sign {kept.digest[:19]}")
    else:
        for line in lines_of(kept):
            typer.echo(line)


def _unknown(report: str) -> NoReturn:
    from bot.cli.output import printable

    typer.echo(
        f"There is no report {printable(report)}, or several begin so; `foureyes access reviews` lists signed ones.",
        err=True,
    )
    raise typer.Exit(FAILED)
