"""What `policy versions` lists, straight from the database: which versions there were, and what became of each."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from approval_rules.people import ActorKind, PersonId
from approval_rules.policy_events import PolicyActivated, PolicySeen
from approval_rules.state import Proposal, Status
from approval_rules.times import format_time
from approval_rules.versions import CHANGE_TOOL, SERVER
from bot.desk.versions import VersionError
from bot.replay.change import version_of
from bot.store import rows
from bot.store.codec import POLICY, Recorded
from bot.store.folds import recorded_of

SHORT = len("sha256:") + 12
_CHANGES = "SELECT id FROM proposals WHERE tool = ? AND agent_id = ? ORDER BY created_at"
_LEAST = 4
_ENDED = {Status.DENIED: "denied", Status.EXPIRED: "nobody answered", Status.CANCELLED: "withdrawn"}


def known_versions(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """List every version, the newest first."""
    recorded = recorded_of(connection, POLICY)
    active = rows.versions_from(recorded).active
    changes = list(_changes(connection))
    found: dict[str, dict[str, Any]] = {}
    for at, version in sorted([*_seen(recorded), *((change.created_at, version_of(change)) for change in changes)]):
        found.setdefault(version, {"version": version, "first_seen": format_time(at), "state": "refused"})
    for change in changes:
        row = found[version_of(change)]
        row["why"] = _ENDED.get(change.status)
        row["by"] = _names(connection, [vote.voter for vote in change.votes])
        row["change"] = change.id
        if change.status is Status.PENDING:
            row["state"] = "waiting"
    for event in (item.event for item in recorded):
        if isinstance(event, PolicyActivated):
            row = found[event.version]
            waiting = row["state"] == "waiting"
            row["state"] = "active" if event.version == active else "waiting" if waiting else "earlier"
            row |= {"why": event.why, "by": _by(connection, event, row.get("by"))}
    blank = {"why": None, "by": None, "change": None}
    return [{**blank, **row} for row in reversed(found.values())]


def resolved(known: Sequence[dict[str, Any]], given: str) -> str:
    """Find the one version that begins as `given` does. Raises VersionError."""
    start = given.removeprefix("sha256:")
    found = [row["version"] for row in known if row["version"].removeprefix("sha256:").startswith(start)]
    if len(start) < _LEAST or len(found) != 1:
        what = "more than one version begins" if len(found) > 1 else "no version begins"
        raise VersionError(
            f"{what} with {given!r}, of which {_LEAST} digits are needed; see `foureyes policy versions`"
        )
    return str(found[0])


def _seen(recorded: Sequence[Recorded]) -> Iterator[tuple[Any, str]]:
    for item in recorded:
        if isinstance(item.event, PolicySeen | PolicyActivated):
            yield item.event.at, item.event.version


def _changes(connection: sqlite3.Connection) -> Iterator[Proposal]:
    for (ident,) in connection.execute(_CHANGES, (CHANGE_TOOL, SERVER.id)).fetchall():
        loaded = rows.loaded_from(recorded_of(connection, ident))
        if loaded is not None:
            yield loaded.proposal


def _by(connection: sqlite3.Connection, event: PolicyActivated, approvers: str | None) -> str | None:
    if event.why == "approved":
        return approvers
    return _names(connection, [PersonId(event.by.ref)]) if event.by.kind is ActorKind.OPERATOR else "the policy folder"


def _names(connection: sqlite3.Connection, people: Sequence[PersonId]) -> str | None:
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": json.dumps(people)})
    return ", ".join(sorted(name or user for _ref, _team, user, name in found)) or None
