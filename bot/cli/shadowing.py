"""`policy shadow | compare`: a candidate version beside the active one, and how both compare with people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import FAILED, AsJson, print_json

if TYPE_CHECKING:
    from bot.store.transaction import Transaction


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("shadow", epilog="Example: foureyes policy shadow ./new-policy")(shadow)
    app.command("compare", epilog="Example: foureyes policy compare --since 7d --tool payments.refund")(compare)


def shadow(
    folder: Annotated[Path | None, typer.Argument(help="The candidate; without it, show which one there is.")] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="Ask no candidate any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a candidate version too. It decides nothing.

    It is kept in the database, over restarts, until another one is named, it becomes active, or --off.
    """
    if folder is not None and off:
        raise typer.BadParameter("give a folder or --off, not both")
    found = _named(folder) if folder is not None else _ended() if off else _shown()
    told = found.pop("told")
    if as_json:
        print_json(found)
    else:
        typer.echo(told)
    if found.get("refused"):
        raise typer.Exit(FAILED)


def _named(folder: Path) -> dict[str, Any]:
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.desk.candidates import name_candidate
    from bot.policy_files import open_folder

    content, _ = open_folder(folder)

    def unit(tx: "Transaction") -> str:
        return name_candidate(tx, content, who_typed(tx, os_user()))

    done = write(unit)
    told = {
        "named": f"{content.version} is asked about every proposal from now on, and decides nothing. "
        "See `foureyes policy compare` once some have come in.",
        "already": f"{content.version} is the candidate already.",
        "active": f"{content.version} is what decides now: nothing to compare it with. Nothing was changed.",
    }[done]
    return {"candidate": content.version, "change": done, "refused": done == "active", "told": told}


def _ended() -> dict[str, Any]:
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.desk.candidates import end_candidate

    version = write(lambda tx: end_candidate(tx, who_typed(tx, os_user())))
    told = f"{version} is asked no more; what it said so far stays in the log." if version else "There is no candidate."
    return {"candidate": None, "ended": version, "told": told}


def _shown() -> dict[str, Any]:
    from approval_rules.policy_events import PolicyShadowed
    from approval_rules.times import format_time
    from bot.cli.session import reading
    from bot.store import rows
    from bot.store.codec import POLICY
    from bot.store.folds import recorded_of

    with reading() as connection:
        recorded = recorded_of(connection, POLICY)
    versions = rows.versions_from(recorded)
    if versions.candidate is None:
        told = "There is no candidate; `foureyes policy shadow FOLDER` names one."
        return {"candidate": None, "active": versions.active, "since": None, "told": told}
    since = max(item.event.at for item in recorded if isinstance(item.event, PolicyShadowed))
    told = f"{versions.candidate} is asked since {format_time(since)}; {versions.active or 'the folder'} decides."
    return {"candidate": versions.candidate, "active": versions.active, "since": format_time(since), "told": told}


def compare(
    since: Annotated[str, typer.Option("--since", help="How far back: 12h, 30d.")] = "30d",
    tool: Annotated[str | None, typer.Option("--tool", help="Only this tool, for example payments.refund.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare the candidate, what decided, and people.

    Money is the amount that the packet's sentence begins with, such as `amount_usd`, without its sign.
    """
    from bot.cli.compared import document, lines
    from bot.cli.comparing import compare_log
    from bot.cli.session import reading
    from bot.cli.switch import duration
    from bot.clock import SteadyClock

    begin = SteadyClock()() - duration(since)
    with reading() as connection:
        found = compare_log(connection, begin, tool)
    if as_json:
        print_json(document(found))
        return
    for line in lines(found):
        typer.echo(line)
