"""What `status`, `pending` and `show` read: straight from the database, so that it works with the server down."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from approval_rules.decide import as_resumed
from approval_rules.people import AgentId, PersonId
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import Incident, Pause, ScopeKind
from approval_rules.text import unwrap_text
from approval_rules.times import format_time
from bot.cli.on_duty import away_now, on_call_now
from bot.cli.past_reviews import last_review, open_weeks
from bot.cli.session import database, reading
from bot.clock import SteadyClock
from bot.desk.apply import people_of
from bot.store import drills, outbox, rows
from bot.store.codec import POLICY, SWITCH
from bot.store.folds import recorded_of
from bot.store.policies import PolicyStoreError, content_of, looking
from bot.store.rows import Loaded
from handlers.desk import Face, Seen
from handlers.drill_words import drill_standing
from handlers.http.render import proposal_json


def overview() -> dict[str, Any]:
    """Give the state of everything."""
    with reading() as connection:
        switch = rows.switch_from(recorded_of(connection, SWITCH))
        counts = {state: count for state, count, _ in connection.execute(rows.OPEN_COUNTS)}
        waiting = dict(connection.execute(outbox.COUNTS).fetchall())
        head = connection.execute(rows.HEAD).fetchone()
        versions = rows.versions_from(recorded_of(connection, POLICY))
        change = connection.execute(rows.OPEN_CHANGES).fetchone()
        drill = drills.newest(connection.execute(drills.NEWEST).fetchall())
        review = last_review(connection)
        weeks = open_weeks(connection)
        agents = dict(connection.execute("SELECT id, name FROM agents").fetchall())
        now = SteadyClock()()
        away, on_call = away_now(connection, now), _on_call(connection, versions.active, now)
        actors = [one.by for one in (*switch.active, switch.incident) if one is not None]
        faces = _faces(connection, [PersonId(actor.ref) for actor in actors])
    return {
        "pauses": [_pause(pause, agents, faces) for pause in switch.active],
        "incident": None if switch.incident is None else _incident(switch.incident, faces),
        "pending": counts.get("pending", 0),
        "approved_unclaimed": counts.get("approved", 0),
        "outbox_waiting": waiting.get("queued", 0) + waiting.get("sending", 0),
        "outbox_dead": waiting.get("dead", 0),
        "log_entries": 0 if head is None else head[0] + 1,
        "database": str(database()),
        "away": away,
        "on_call": on_call,
        "drill": None if drill is None else _drill(drill),
        "policy": {"active": versions.active, "folder": versions.folder, "change": change and change[0]},
        "access_review": review,
        "weekly_reviews": weeks,
    }


def _on_call(connection: sqlite3.Connection, active: str | None, now: datetime) -> list[dict[str, Any]]:
    """List who is on call by the active version; reading a policy costs time, which is spent only where one is."""
    try:
        content = None if active is None else content_of(looking(connection), active)
    except PolicyStoreError:
        return []
    if content is None or b"on_call" not in content.files.get("roles.yml", b""):
        return []
    from bot.policy_files import roles_of

    roles = roles_of(content)
    return on_call_now(roles, now, roles)


def _pause(pause: Pause, agents: Mapping[AgentId, str], faces: Mapping[PersonId, Face]) -> dict[str, Any]:
    name = agents.get(AgentId(pause.scope.name), pause.scope.name)
    return {
        "scope": "all" if pause.scope.kind is ScopeKind.ALL else f"{pause.scope.kind.value} {name}",
        "since": format_time(pause.since),
        "until": None if pause.until is None else format_time(pause.until),
        "by": _who(pause.by.ref, faces),
        "reason": unwrap_text(pause.reason),
    }


def _drill(held: DrillHeld) -> dict[str, Any]:
    standing = drill_standing(held, SteadyClock()())
    fields = {"ok": held.ok, "replica": held.replica, "refused_after_us": held.refused_after_us, "fault": held.fault}
    return {"at": format_time(held.at), **fields, "warn": standing.warn, "told": standing.told}


def _incident(incident: Incident, faces: Mapping[PersonId, Face]) -> dict[str, Any]:
    since, by = format_time(incident.since), _who(incident.by.ref, faces)
    return {"since": since, "by": by, "reason": unwrap_text(incident.reason)}


def _who(ref: str, faces: Mapping[PersonId, Face]) -> str:
    face = faces.get(PersonId(ref))
    return ref if face is None else f"{face.name} ({face.user_id})"


def _faces(connection: sqlite3.Connection, people: Iterable[PersonId]) -> dict[PersonId, Face]:
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": json.dumps(sorted(set(people)))})
    return {PersonId(ref): Face(user, name) for ref, _team, user, name in found}


def pending(limit: int) -> list[dict[str, Any]]:
    """List what waits for people, by deadline, as the API shows it."""
    with reading() as connection:
        ids = [row[0] for row in connection.execute(rows.PENDING, {"limit": limit})]
        return [found for found in (_one(connection, ident) for ident in ids) if found is not None]


def one(ident: str) -> dict[str, Any] | None:
    """Give one proposal as the API shows it, but for what people are not shown: `audit reveal` does that, on record."""
    with reading() as connection:
        return _one(connection, ident)


def _one(connection: sqlite3.Connection, ident: str) -> dict[str, Any] | None:
    loaded = rows.loaded_from(recorded_of(connection, ident))
    if loaded is None:
        return None
    from bot.reveal.covering import covered_members  # what it imports, `status` must not wait for

    told = covered_members(proposal_json(_seen(connection, loaded)), loaded.proposal.requirement.hidden)
    found: dict[str, Any] = json.loads(told)
    return found


def _seen(connection: sqlite3.Connection, loaded: Loaded) -> Seen:
    switch = rows.switch_from(recorded_of(connection, SWITCH))
    proposal = as_resumed(loaded.proposal, switch)
    frozen = switch.stops(proposal.agent.id, proposal.tool) if proposal.deadline else None
    return Seen(proposal, _faces(connection, people_of(proposal)), frozen, loaded.last_seq)


def agents() -> Sequence[dict[str, Any]]:
    """List the agents with their living keys."""
    with reading() as connection:
        found = connection.execute(
            "SELECT a.name, a.id, p.user_id, a.tools, a.callback_hosts, a.created_at, a.revoked_at,"
            " (SELECT count(*) FROM agent_keys k WHERE k.agent_id = a.id AND k.expires_at IS NULL)"
            " FROM agents a LEFT JOIN people p ON p.ref = a.owner ORDER BY a.name"
        ).fetchall()
    names = ("name", "id", "owner", "tools", "callback_hosts", "created_at", "revoked_at", "keys")
    listed = [dict(zip(names, row, strict=True)) for row in found]
    for row in listed:
        row["tools"], row["callback_hosts"] = json.loads(row["tools"]), json.loads(row["callback_hosts"])
    return listed
