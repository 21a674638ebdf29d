"""The rows of drills: the newest one that was held, and the wish for one from the command line."""

import json
from collections.abc import Sequence

from approval_rules.stop_events import DrillHeld
from bot.store import rows
from bot.store.codec import DRILL
from bot.store.rows import Row
from bot.store.transaction import Transaction

NEWEST = (
    "SELECT seq, body, leaf_hash FROM entries"  # noqa: S608 - our own constant
    f" WHERE seq = (SELECT max(seq) FROM entries WHERE subject = '{DRILL}')"
)
ASKED = (
    "SELECT json_extract(value, '$.drill'), json_extract(value, '$.by') FROM facts WHERE name = 'drill'"
    " AND json_extract(value, '$.drill') IS NOT NULL"
)
_ASK = "INSERT INTO facts (name, value) VALUES ('drill', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_FORGET = "DELETE FROM facts WHERE name = ?"


def newest(found: Sequence[Row]) -> DrillHeld | None:
    """Read the newest drill; None where none was ever held."""
    recorded = rows.recorded_from(found, ())
    event = recorded[0].event if recorded else None
    return event if isinstance(event, DrillHeld) else None


def ask(tx: Transaction, person: str) -> str:
    """Ask the running server for a drill; gives the drill's id."""
    ident = tx.new_id("drill")
    tx.write(_ASK, (json.dumps({"drill": ident, "by": person}),))
    return ident


def forget(tx: Transaction) -> None:
    """Drop the wish: it was fulfilled, or cannot be now."""
    tx.write(_FORGET, ("drill",))
