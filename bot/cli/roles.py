"""`foureyes roles`: who fills a role that takes turns, read from the policy folder. Slack is not asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import USAGE, AsJson, print_rows

if TYPE_CHECKING:
    from approval_rules.on_call import Schedule

MOST_DAYS = 366
_YEARS = range(2000, 2100)

app = typer.Typer(help="Who fills a role.", no_args_is_help=True)


@app.callback()
def roles() -> None:
    """Say who fills a role."""


@app.command("on-call", epilog='Example: foureyes roles on-call --at "2026-12-24T18:00Z" --days 7')
def on_call(
    role: Annotated[str | None, typer.Argument(help="One role; else each that takes turns.")] = None,
    folder: Annotated[Path | None, typer.Option("--policy", help="Instead of FOUREYES_POLICY.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="A moment such as 2026-12-24T18:00Z; else now.")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=MOST_DAYS, help="How far ahead; 0 is that moment.")] = 14,
    *,
    as_json: AsJson = False,
) -> None:
    """Say who is on call, turn by turn."""
    from bot.cli.session import settings
    from bot.clock import SteadyClock
    from bot.policy_files import load

    since = SteadyClock()() if at is None else _moment(at)
    found = load(folder or settings().policy).roles
    schedules = {name: members.on_call for name, members in sorted(found.items()) if members.on_call is not None}
    if role is not None and role not in schedules:
        said = "takes no turns" if role in found else "is no role"
        raise typer.BadParameter(f"{role} {said}; roles on call: {', '.join(schedules) or 'none'}")
    rows = [
        row
        for name, schedule in schedules.items()
        if role in (None, name)
        for row in _rows(name, schedule, since, timedelta(days=days))
    ]
    print_rows(rows, as_json=as_json, empty="No role of this folder is on call: roles.yml says none.")


def _rows(name: str, schedule: "Schedule", since: datetime, ahead: timedelta) -> list[dict[str, Any]]:
    """List the turns; with nothing ahead, only whoever has the one at this moment."""
    from approval_rules.on_call import turns

    listed = turns(schedule, since, since + (ahead or timedelta(microseconds=1)))
    return [
        {
            "role": name,
            "on_call": sorted(turn.users) or ["nobody"],
            "since": _written(turn.start),
            "until": _written(turn.end) if ahead else None,
        }
        for turn in listed
    ]


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in _YEARS:
        typer.echo("foureyes: --at is a moment with its zone, such as 2026-12-24T18:00Z", err=True)
        raise typer.Exit(USAGE)
    return found
