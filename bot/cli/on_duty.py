"""Who is on call now, and who is away, for `status` and `policy explain`: from the policy and the database.

Slack is not asked: who is in a user group is not known here.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from approval_rules.people import RoleName
from approval_rules.roles import RoleMembers, shifts
from approval_rules.times import format_time
from bot.cli.output import printable
from bot.cli.session import reading
from bot.store import absences
from bot.store.engine import StoreUnavailableError

_MOST_SHOWN: Final = 20
Roles = Mapping[RoleName, RoleMembers]


@dataclass(frozen=True, slots=True)
class Duty:
    """Who has the turn and who is away; `away` None where there is no database that could tell."""

    on_call: list[dict[str, Any]] = field(default_factory=list)
    away: list[dict[str, Any]] | None = None


def on_call_now(roles: Roles, at: datetime, among: Collection[RoleName]) -> list[dict[str, Any]]:
    """List who has the turn in each of the roles that are schedules, and until when, if that is soon."""
    asked = {name: roles[name] for name in roles.keys() & set(among)}
    return [
        {
            "role": shift.role,
            "users": sorted(shift.users),
            "until": None if shift.until is None else format_time(shift.until),
        }
        for shift in shifts(asked, at)
    ]


def away_now(connection: sqlite3.Connection, at: datetime) -> list[dict[str, Any]]:
    """List who is away now, whoever is back first first, and who is called instead."""
    rows = connection.execute(absences.NOW, {"now": format_time(at), "limit": _MOST_SHOWN}).fetchall()
    return [
        {
            "user": user,
            "name": name,
            "until": until,
            "delegate": None if deputy is None else {"user": deputy, "name": deputy_name},
        }
        for user, name, until, deputy, deputy_name in rows
    ]


def duty_of(roles: Roles, asked: Collection[RoleName], at: datetime) -> Duty:
    """Say who of those who would be asked has the turn, and who is away."""
    return Duty(on_call_now(roles, at, asked), _away_of(roles, asked, at))


def _away_of(roles: Roles, asked: Collection[RoleName], at: datetime) -> list[dict[str, Any]] | None:
    """List whom these roles may have and who is away: everybody who is, where one is filled by a user group."""
    try:
        with reading() as connection:
            away = away_now(connection, at)
    except (StoreUnavailableError, sqlite3.Error):
        return None
    members = [roles[role] for role in asked if role in roles]
    if any(each.usergroup is not None for each in members):
        return away
    named = {user.rpartition("/")[2] for each in members for user in each.people}
    return [one for one in away if one["user"] in named]


def duty_lines(on_call: Sequence[Mapping[str, Any]], away: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say it to a person."""
    for turn in on_call:
        until = f" until {turn['until']}" if turn["until"] else ""
        yield printable(f"On call now as {turn['role']}: {', '.join(turn['users']) or 'nobody'}{until}")
    for one in away:
        deputy = one["delegate"]
        instead = "nobody is called instead" if deputy is None else f"{_who(deputy)} is called instead"
        yield printable(f"Away: {_who(one)} until {one['until']}; {instead}")


def _who(face: Mapping[str, Any]) -> str:
    return f"{face['name']} ({face['user']})" if face["name"] else str(face["user"])
