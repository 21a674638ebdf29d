"""Refolds everything and compares: every index row must equal the fold of its events. It only looks."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args

from approval_rules.access_events import AccessReviewed
from approval_rules.events import ProposalEvent
from approval_rules.factors import Factors, evolve_factors
from approval_rules.policy_events import PolicyEvent
from approval_rules.review_events import WeekReported
from approval_rules.state import Proposal, evolve
from bot.store import absences, bindings, credentials, policies, reports, rows, sealed_check
from bot.store.codec import CodecError
from bot.store.index import INDEX_COLUMNS, index_row
from bot.store.registered import Registry
from bot.store.transaction import turned_away

_PROPOSAL_EVENTS = get_args(ProposalEvent)
_POLICY_EVENTS = get_args(PolicyEvent)
_ENTRIES = "SELECT seq, body, leaf_hash FROM entries ORDER BY seq"
_DETACHED = "SELECT seq, name, value FROM detached ORDER BY seq"
_CHUNK = 2000
# Where a packet stands is erased from the log with the record; buttons under an old message find it all the same.
_PLACE = ("channel", "ts")


def differences(connection: sqlite3.Connection) -> Iterator[str]:
    """Give a line for each difference between the index and the log, in one view: a server may be writing."""
    connection.execute("BEGIN")
    try:
        yield from _differences(connection)
    finally:
        connection.execute("ROLLBACK")


def _differences(connection: sqlite3.Connection) -> Iterator[str]:
    folded: dict[str, tuple[Proposal, int]] = {}
    versions: dict[str, None] = {}
    signed: dict[str, None] = {}
    refused: set[tuple[str, int]] = set()
    factors: Factors = {}
    absent: dict[str, tuple[Any, ...]] = {}
    registry = Registry()
    named: bindings.Named = {}
    try:
        for recorded in _everything(connection, named):
            event = recorded.event
            registry.note(event)
            if isinstance(event, _PROPOSAL_EVENTS):
                before = folded.get(event.proposal)
                folded[event.proposal] = (evolve(before[0] if before else None, event), recorded.seq)
            elif isinstance(event, _POLICY_EVENTS) and event.version is not None:
                versions[event.version] = None
            elif isinstance(event, credentials.FACTOR_EVENTS):
                factors = evolve_factors(factors, event)
            elif isinstance(event, absences.EVENTS):
                absent[event.person] = tuple(absences.row_of(event, recorded.seq))
            elif isinstance(event, AccessReviewed | WeekReported):
                signed[event.report] = None
            elif turned_away(event):
                refused.add((event.by.ref, recorded.seq))
    except (CodecError, ValueError, KeyError, TypeError) as error:
        yield f"the log cannot be folded: {error}"
        return
    yield from _compare(connection, folded)
    yield from registry.faults(connection)
    yield from policies.faults(connection, versions)
    yield from credentials.faults(connection, factors)
    for row in sorted({*absent.values()} ^ {tuple(row) for row in connection.execute(absences.ALL)}, key=str):
        yield f"the log and the index differ in until when {row[0]} is away"
    yield from reports.faults(connection, signed)
    yield from sealed_check.faults(connection)
    yield from bindings.faults(connection, named)
    for agent, seq in sorted(refused ^ set(connection.execute("SELECT agent_id, seq FROM turned_away"))):
        yield f"entry {seq}: the log and the index differ in whether {agent} was turned away"


def _compare(connection: sqlite3.Connection, folded: dict[str, tuple[Proposal, int]]) -> Iterator[str]:
    for row in connection.execute(f"SELECT {', '.join(INDEX_COLUMNS)} FROM proposals ORDER BY id"):  # noqa: S608 - constants
        expected = folded.pop(row[0], None)
        if expected is None:
            yield f"{row[0]} is in the index and not in the log"
            continue
        for column, found, wanted in zip(INDEX_COLUMNS, row, index_row(*expected), strict=True):
            if found != wanted and not (column in _PLACE and wanted == "" and found is not None):
                yield f"{row[0]}: the index says {column} = {found!r}, the log says {wanted!r}"
    for proposal in folded:
        yield f"{proposal} is in the log and not in the index"


def _everything(connection: sqlite3.Connection, named: bindings.Named) -> Iterator[Any]:
    values = iter(connection.execute(_DETACHED))
    ahead = next(values, None)
    cursor = connection.execute(_ENTRIES)
    while chunk := cursor.fetchmany(_CHUNK):
        last = chunk[-1][0]
        mine: dict[int, list[Any]] = defaultdict(list)
        for seq, body, _ in chunk:
            bindings.note(named, seq, body)
        while ahead is not None and ahead[0] <= last:
            mine[ahead[0]].append(ahead)
            ahead = next(values, None)
        yield from rows.recorded_from(chunk, [value for found in mine.values() for value in found])
