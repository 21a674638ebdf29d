"""What is on hold or still going on: its values outlive their term under keys of their own. Erases nothing."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from approval_rules.erasure_events import Held, Hold, HoldLifted, HoldSet, evolve_holds
from approval_rules.people import Actor
from bot.data_keys import HELD, DataKeys, key_name
from bot.store import erasing, sealed
from bot.store.codec import RETENTION, Recorded
from bot.store.folds import recorded_of
from bot.store.transaction import Transaction

_HELD: Final = (
    "SELECT d.seq, d.name, d.salt, d.value FROM main.detached m JOIN detached d ON d.seq = m.seq AND d.name = m.name"
    " JOIN entries e ON e.seq = m.seq LEFT JOIN proposals p ON p.id = e.subject"
    " WHERE m.seq BETWEEN :first AND :last AND m.key = :key AND (e.subject IN (SELECT value FROM json_each(:proposals))"
    " OR e.subject IN (SELECT value FROM json_each(:agents)) OR p.agent_id IN (SELECT value FROM json_each(:agents)))"
)
_MOVE: Final = "UPDATE main.detached SET key = ?, box = ? WHERE seq = ? AND name = ?"
STILL_OPEN: Final = "SELECT id FROM proposals WHERE next_at IS NOT NULL AND created_at < :day || '~' ORDER BY id"
"""The proposals up to the end of a day that are still going on: people must not decide about nothing."""
_OF_HELD: Final = (
    "SELECT id FROM proposals WHERE id IN (SELECT value FROM json_each(?))"
    " OR agent_id IN (SELECT value FROM json_each(?))"
)


def folded(recorded: Iterable[Recorded]) -> frozenset[Hold]:
    """Give what is on hold."""
    holds: frozenset[Hold] = frozenset()
    for item in recorded:
        if isinstance(item.event, HoldSet | HoldLifted):
            holds = evolve_holds(holds, item.event)
    return holds


def held_proposals(connection: sqlite3.Connection) -> frozenset[str]:
    """Name every proposal that is on hold, itself or with its agent."""
    where = _named(folded(recorded_of(connection, RETENTION)))
    found = connection.execute(_OF_HELD, (where["proposals"], where["agents"]))
    return frozenset(row[0] for row in found)


def hold_back(tx: Transaction, keys: DataKeys, key: str, reach: tuple[int, int], holds: frozenset[Hold]) -> int:
    """Seal what is on hold under a key that is to go with one of its own, and tell how many values that is."""
    first, last = reach
    found = tx.rows(_HELD, {"first": first, "last": last, "key": key, **_named(holds)}) if holds else []
    living = [row for row in found if row[3] is not None]
    if living:
        day, days, _ = key_name(key)
        new = keys.make(day, days, HELD)
        for seq, name, salt, text in living:
            box = keys.seal_under(new, sealed.boxed(salt, text), sealed.place(seq, name))
            tx.write(_MOVE, (new, box, seq, name))
            tx.write(sealed.REACH, (new, seq, seq))
    return len(living)


def end_terms(tx: Transaction, keys: DataKeys, due: Collection[str], by: Actor) -> None:
    """Record what goes with the keys whose term is over; what is on hold or still open stays, under keys of its own."""
    still_open = tx.rows(STILL_OPEN, {"day": max(key_name(key).day for key in due)})
    holds = folded(tx.history(RETENTION)) | {(Held.PROPOSAL, row[0]) for row in still_open}
    going: set[str] = set()
    spared: dict[str, int] = {}
    for key, first, last, ended in tx.rows(erasing.REACHES, {}):
        if key not in due or ended == "erased":
            continue
        if key_name(key).tag.startswith(HELD) and _all_held(tx, key, (first, last), holds):
            continue
        going.add(key)
        spared[key] = hold_back(tx, keys, key, (first, last), holds)
    erasing.end(tx, going, by, spared=spared)


def _all_held(tx: Transaction, key: str, reach: tuple[int, int], holds: frozenset[Hold]) -> bool:
    where = {"first": reach[0], "last": reach[1], "key": key}
    held = len(tx.rows(_HELD, {**where, **_named(holds)})) if holds else 0
    return bool(held == tx.rows(erasing.COUNT, where)[0][0])


def _named(holds: frozenset[Hold]) -> dict[str, str]:
    return {
        "proposals": json.dumps(sorted(name for what, name in holds if what is Held.PROPOSAL)),
        "agents": json.dumps(sorted(name for what, name in holds if what is Held.AGENT)),
    }
