"""Takes back what is kept of what was sent: at the end of its term, and where words are erased. Sends nothing.

A key that sealed something that was erased is given up: what else it sealed moves under a new one, so that no copy of
the database tells of either.
"""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from approval_rules.times import format_time
from bot.data_keys import SENT, DataKeys, key_name
from bot.store import sent
from bot.store.outbox import SEALED
from bot.store.terms import PERSONAL_DAYS
from bot.store.transaction import Transaction

AT_ONCE: Final = 500
_KINDS: Final = json.dumps(sorted(SEALED))
# Where a message stands tells of nobody, and a message that is changed later is changed there.
_OLD: Final = (
    "SELECT id FROM outbox WHERE due_at < :before"
    " AND (state IN ('done', 'dead') OR sent_payload(name, payload) IS NULL)"
    " AND (json_extract(payload, '$.ts') IS NULL OR json_extract(payload, '$.box') IS NOT NULL) LIMIT :most"
)
_OF_KEYS: Final = (
    "SELECT id FROM outbox WHERE json_extract(payload, '$.key') IN (SELECT value FROM json_each(:keys)) LIMIT :most"
)
_DROP: Final = "DELETE FROM outbox WHERE id = ?"
_PLAIN: Final = (
    "SELECT id, name, payload, created_at FROM outbox WHERE kind IN (SELECT value FROM json_each(:kinds))"
    " AND payload <> '{}' AND json_extract(payload, '$.box') IS NULL LIMIT :most"
)
_PUT: Final = "UPDATE outbox SET payload = ? WHERE id = ?"
_ALL: Final = (
    "SELECT id, name, subject, state, json_extract(payload, '$.key'), sent_payload(name, payload), last_error"
    " FROM outbox"
)
_UNSAY: Final = "UPDATE outbox SET payload = '{}', last_error = NULL, state = 'done' WHERE id = ?"
GIVE_UP: Final = "INSERT OR REPLACE INTO sealed_with (key, first_seq, last_seq, ended) VALUES (?, 0, 0, 'erased')"
"""Lets a key be shredded that sealed nothing of the log."""


def drop_some(tx: Transaction, keys: Collection[str]) -> bool:
    """Drop rows that were done a term ago, and those of keys whose term is over; False where there are none."""
    before = format_time(tx.at - timedelta(days=PERSONAL_DAYS))
    found = tx.rows(_OLD, {"before": before, "most": AT_ONCE})
    if keys:
        found += tx.rows(_OF_KEYS, {"keys": json.dumps(sorted(keys)), "most": AT_ONCE})
    for ident in {row[0] for row in found}:
        tx.write(_DROP, (ident,))
    return bool(found)


def seal_some(tx: Transaction) -> bool:
    """Seal payloads that lie there in plain, from before they were sealed; False where there are none."""
    found = tx.rows(_PLAIN, {"kinds": _KINDS, "most": AT_ONCE})
    for ident, name, payload, planned_at in found:
        tx.write(_PUT, (tx.sealed_payload(name, payload, planned_at), ident))
    return bool(found)


def unsay(tx: Transaction, keys: DataKeys, proposals: Collection[str], words: Collection[str]) -> None:
    """Empty what was sent about these proposals, and whatever that was sent has one of these words."""
    going: set[str] = set()
    staying: list[tuple[int, str, str, str]] = []
    for ident, name, subject, state, key, text, error in tx.rows(_ALL, {}):
        told = f"{text} {error}"
        named = state == "done" and any(word in told for word in words)
        if named or (subject in proposals and state in ("done", "dead")):
            tx.write(_UNSAY, (ident,))
            going.update([key] if key else [])
        elif key and text is not None:
            staying.append((ident, name, key, text))
    for key in sorted(going):
        day, days, _ = key_name(key)
        keys.make(day, days, SENT)
        tx.write(GIVE_UP, (key,))
    for ident, name, key, text in staying:
        if key in going:
            day, days, _ = key_name(key)
            tx.write(_PUT, (sent.sealed(keys, day, name, text, days), ident))
