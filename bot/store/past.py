"""Reads what was proposed since a moment, oldest first, with the values that still live. It only looks."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from approval_rules.events import Decision, Submitted, Voted
from approval_rules.people import ProposalId
from approval_rules.question_events import Edited
from approval_rules.state import Proposal
from approval_rules.text import AgentText, Json, unwrap_object
from approval_rules.times import format_time
from bot.store import rows
from bot.store.rows import Row
from bot.store.terms import APART

_COMINGS_AND_GOINGS = (
    "SELECT seq, body, leaf_hash, type, subject FROM entries WHERE at >= :since AND type IN ('proposal.submitted',"
    " 'proposal.denied', 'proposal.expired', 'proposal.cancelled', 'proposal.blocked', 'proposal.revoked',"
    " 'proposal.edited', 'incident.changed', 'environment.named') ORDER BY seq"
)
_AROUND = (
    "SELECT type, body FROM entries WHERE subject IN ('switch', 'environment') AND at < :since"
    " AND type IN ('incident.changed', 'environment.named') ORDER BY seq"
)
_LIVING = "SELECT seq, name, value FROM detached WHERE seq IN (SELECT value FROM json_each(:seqs))"
_CORRECTED = (
    "SELECT subject FROM entries WHERE type IN ('proposal.denied', 'proposal.edited') AND at >= :since"
    " GROUP BY subject ORDER BY min(seq)"
)
_CHUNK = 500
# What a policy reads; an entry holds only their digests, and their rows may be erased.
_RECORD = frozenset({"arguments", "run", "digest"})
_NEEDED = _RECORD | {"context"}


class Past(NamedTuple):
    """A proposal as it was taken in; `erased` where values that a policy may read are gone.

    Then `record` tells that only what was personal is: a policy that needs none of that can judge it again.
    """

    submitted: Submitted
    erased: bool
    record: bool = False


class Lowered(NamedTuple):
    """A proposal from when a person lowered it: `past` has the arguments that count since then."""

    past: Past


class Changed(NamedTuple):
    """What conditions read as `environment` or `incident` from here on."""

    name: str
    value: Json


class Correction(NamedTuple):
    """A proposal that a person denied or lowered, and what the person said, where that still lives.

    `kinds` name the category of a denial, and each field with the value that it was lowered to.
    """

    past: Past
    reason: AgentText | None
    kinds: tuple[str, ...]


@contextmanager
def one_view(connection: sqlite3.Connection) -> Iterator[None]:
    """Read everything inside as of one moment: a server may be writing."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def around_at(connection: sqlite3.Connection, since: datetime) -> Mapping[str, Json]:
    """Give `incident` and, where a server had said it by then, `environment`, as they stood at a moment."""
    found: dict[str, Json] = {"incident": False}
    for kind, body in connection.execute(_AROUND, {"since": format_time(since)}):
        changed = _changed(kind, body)
        found[changed.name] = changed.value
    return found


def _changed(kind: str, body: bytes) -> Changed:
    data = json.loads(body)["data"]
    if kind == "environment.named":
        return Changed("environment", data["environment"])
    return Changed("incident", data["change"] == "declared")


def comings_and_goings(
    connection: sqlite3.Connection, since: datetime
) -> Iterator[Past | Lowered | ProposalId | Changed]:
    """Give each proposal taken in since then, each that was lowered, by its id each that ended, and changes around.

    All of it in the order of the log.
    """
    cursor = connection.execute(_COMINGS_AND_GOINGS, {"since": format_time(since)})
    while chunk := cursor.fetchmany(_CHUNK):
        taken_in = [row[:3] for row in chunk if row[3] == "proposal.submitted"]
        pasts = {past.submitted.proposal: past for past in _pasts(connection, taken_in)}
        for seq, body, leaf, kind, subject in chunk:
            if kind == "proposal.submitted":
                yield pasts[subject]
            elif kind == "proposal.edited":
                yield from _lowered(connection, (seq, body, leaf))
            elif kind.startswith("proposal."):
                yield ProposalId(subject)
            else:
                yield _changed(kind, body)


def _lowered(connection: sqlite3.Connection, entry: tuple[Any, ...]) -> Iterator[Lowered]:
    """Give what a proposal is since one edit; a person makes few of them, so each reads its own proposal."""
    alive = living(connection, [entry])
    for recorded in rows.recorded_from([entry], alive):
        past = past_of(connection, recorded.event.proposal) if isinstance(recorded.event, Edited) else None
        if past is not None and isinstance(recorded.event, Edited):
            needed = {"arguments"} | _apart(recorded.event)
            erased = past.erased or not {name for _, name, value in alive if value is not None} >= needed
            yield Lowered(Past(replace(past.submitted, arguments=recorded.event.arguments), erased))


def past_of(connection: sqlite3.Connection, proposal: str) -> Past | None:
    """Give one proposal as it was taken in; None where there is none of this id."""
    entries = connection.execute(rows.ENTRIES_OF, {"subject": proposal}).fetchall()
    return next(_pasts(connection, entries[:1]), None)


def folded(connection: sqlite3.Connection, proposal: ProposalId) -> Proposal | None:
    """Give one proposal as it is now, with its votes."""
    entries = connection.execute(rows.ENTRIES_OF, {"subject": proposal}).fetchall()
    loaded = rows.loaded_from(rows.recorded_from(entries, living(connection, entries)))
    return None if loaded is None else loaded.proposal


def corrected_since(connection: sqlite3.Connection, since: datetime) -> Iterator[Correction]:
    """Give every proposal that people denied or lowered since then."""
    for (subject,) in connection.execute(_CORRECTED, {"since": format_time(since)}).fetchall():
        yield correction_of(connection, ProposalId(subject))


def correction_of(connection: sqlite3.Connection, proposal: ProposalId) -> Correction:
    """Give a proposal that was denied or lowered, with what the person who did so said."""
    entries = connection.execute(rows.ENTRIES_OF, {"subject": proposal}).fetchall()
    reason: AgentText | None = None
    kinds: list[str] = []
    for recorded in rows.recorded_from(entries, living(connection, entries)):
        event = recorded.event
        if isinstance(event, Edited):
            now = unwrap_object(event.arguments).get(event.field)
            kinds.append(f"lowered {event.field}" + ("" if now is None else f" to {now}"))
        elif isinstance(event, Voted) and event.decision is Decision.DENY:
            reason = event.reason
            kinds += [event.category.value] if event.category else []
    (past,) = _pasts(connection, entries[:1])
    return Correction(past, reason, tuple(kinds))


def _pasts(connection: sqlite3.Connection, entries: list[Any]) -> Iterator[Past]:
    alive = living(connection, entries)
    names: dict[int, set[str]] = {}
    for seq, name, value in alive:
        names.setdefault(seq, set()).update([name] if value is not None else [])
    for recorded in rows.recorded_from(entries, alive):
        if isinstance(recorded.event, Submitted):
            needed = _NEEDED | _apart(recorded.event) | ({"looked_up"} if recorded.event.lookups is not None else set())
            there = names.get(recorded.seq, set())
            yield Past(recorded.event, not there >= needed, there >= _RECORD)


def _apart(event: Submitted | Edited) -> frozenset[str]:
    """Name the value that holds the personal arguments, where there are any."""
    return frozenset({APART} if event.requirement.personal else ())


def living(connection: sqlite3.Connection, entries: Sequence[Any]) -> list[Row]:
    """Give the values that live of entries (rows that begin with `seq`): seq, name, and the value as JSON text."""
    return connection.execute(_LIVING, {"seqs": json.dumps([row[0] for row in entries])}).fetchall()
