"""`foureyes audit …`: is the log whole, what stands in it, what it proves, and signing it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import searching
from bot.cli.erased import erased_lines
from bot.cli.exporting import export
from bot.cli.output import AUDIT_BROKEN, AsJson, json_text, print_json, printable
from bot.cli.proving import prove
from bot.cli.replaying import replay
from bot.cli.restoring import accept_restore
from bot.cli.revealing import reveal
from bot.cli.weekly import review
from handlers.counting import counted

app = typer.Typer(help="Verify and read the audit log.", no_args_is_help=True, rich_markup_mode=None)


app.command("prove", epilog="Example: foureyes audit prove prop_01jd3k --to evidence.zip")(prove)
app.command("replay", epilog="Example: foureyes audit replay prop_01jd3k")(replay)
app.command("export", epilog="Example: foureyes audit export --tiles audit-2026-10")(export)
searching.register(app)
app.command("reveal", epilog='Example: foureyes audit reveal prop_01jd3k --field iban --reason "refund 17"')(reveal)
app.command("accept-restore", epilog='Example: foureyes audit accept-restore "the disk died"')(accept_restore)
app.command("review", epilog="Example: foureyes audit review --week 2026-W47 --html week.html")(review)


@app.command("verify", epilog="Example: foureyes audit verify && echo whole")
def verify(
    *,
    log_only: Annotated[bool, typer.Option("--log-only", help="Do not refold the index and compare.")] = False,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="What a witness holds: a checkpoint file, a Slack export, callbacks or grants. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the whole log, its anchor, and the index against it.

    Every entry, link, hash and detached value is computed anew. Exit code 7 where anything is broken. It needs no
    running server and changes nothing.
    """
    from bot.audit.witness_files import NoWitnessError
    from bot.cli.checking import check

    try:
        found = check(refold=not log_only, against=against or ())
    except NoWitnessError as error:
        raise typer.BadParameter(printable(str(error)), param_hint="--against") from None
    if as_json:
        print_json(found)
    else:
        for fault in found["broken"]:
            typer.echo(f"BROKEN {_where(fault)}{printable(fault['what'])}")
        state = "BROKEN" if found["broken"] else "whole"
        size = counted(found["entries"], "entry", "entries")
        typer.echo(f"The log is {state}: {size}, {found['anchored']} of them under the anchor.")
        for line in _covers(found):
            typer.echo(printable(line))
        for line in erased_lines(found["erased"]):
            typer.echo(line)
        for warning in found["warnings"]:
            typer.echo(f"Note: {printable(warning)}", err=True)
    if found["broken"]:
        raise typer.Exit(AUDIT_BROKEN)


@app.command("show", epilog="Example: foureyes audit show --subject prop_01jd3k --json")
def show(
    subject: Annotated[str | None, typer.Option(help="Only this proposal, agent, or `switch`.")] = None,
    since: Annotated[int, typer.Option(min=0, help="From this log index on.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Print entries of the log, oldest first.

    What people are not shown is covered: `audit reveal` shows it. A look at values is recorded before it is printed.
    """
    from bot.cli.looking import record_look
    from bot.cli.showing import entries

    found = entries(subject, since, limit)
    if told := sum(1 for entry in found if entry["detached"]):
        record_look("show", told, ("subject",) if subject else (), since)
    for entry in found:
        typer.echo(json_text(entry) if as_json else _line(entry))


def _covers(found: dict[str, Any]) -> Iterator[str]:
    """Say which part of the log each witness covers, and which part none does."""
    for cover in found["witnesses"]:
        agree = counted(cover["agree"], cover["kind"])
        ending = f", for entries 0 to {cover['entries'] - 1}" if cover["entries"] else ""
        ending += f", the newest {cover['last']}" if cover["last"] else ""
        yield f"{cover['source']}: {agree}{ending}."
    if found["uncovered"]:
        yield f"Not covered by any of these yet: the newest {counted(found['uncovered'], 'entry', 'entries')}."


def _where(fault: dict[str, Any]) -> str:
    return "" if fault["seq"] is None else f"entry {fault['seq']}: "


def _line(entry: dict[str, Any]) -> str:
    values = {**entry["data"], **entry["detached"]}
    told = json.dumps(values, ensure_ascii=False, separators=(", ", ": "))
    actor = f"{entry['actor']['kind']}:{entry['actor']['ref']}"
    return printable(f"{entry['seq']:>6}  {entry['at']}  {entry['type']:24} {actor}  {entry['subject']}  {told}")


@app.command("checkpoint", epilog="Example: foureyes audit checkpoint")
def checkpoint() -> None:
    """Verify the log, then sign its newest head into the anchor.

    The anchor is the file beside the signing key.
    """
    from bot.cli.checking import anchor_now, check

    found = check(refold=False, anchor_may_be_missing=True)
    if found["broken"]:
        first = found["broken"][0]
        typer.echo(f"Not anchored. BROKEN {_where(first)}{printable(first['what'])}", err=True)
        typer.echo("`foureyes audit verify` shows everything that is wrong.", err=True)
        raise typer.Exit(AUDIT_BROKEN)
    typer.echo(f"Anchored {counted(found['entries'], 'entry', 'entries')} in {anchor_now()}.")
