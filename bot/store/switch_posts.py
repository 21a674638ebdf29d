"""Where the messages about pauses stand in Slack: noted when they are planned, placed when they are posted."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from bot.store.rows import Row
from bot.store.transaction import Transaction

AT = "SELECT channel, ts FROM switch_posts WHERE seq = :seq AND ts IS NOT NULL"
_NOTE = "INSERT INTO switch_posts (seq, pause) VALUES (?, ?)"
_PLACE = "UPDATE switch_posts SET channel = ?, ts = ? WHERE seq = ?"
_ABOUT = "SELECT seq FROM switch_posts WHERE pause IN (SELECT value FROM json_each(:pauses)) ORDER BY seq"
_OURS = "SELECT 1 FROM switch_posts WHERE pause = :pause AND channel = :channel AND ts = :ts"


class Place(NamedTuple):
    """A message in Slack."""

    channel: str
    ts: str


def note(tx: Transaction, seq: int, pause: str) -> None:
    """Note that the event at log index `seq` is told in a message whose buttons are about a pause."""
    tx.write(_NOTE, (seq, pause))


def place(tx: Transaction, seq: int, at: Place) -> None:
    """Note where the message stands."""
    tx.write(_PLACE, (at.channel, at.ts, seq))


def about(tx: Transaction, pauses: Sequence[str]) -> list[int]:
    """List the events that messages about these pauses tell, with those of this batch."""
    stored = [row[0] for row in tx.rows(_ABOUT, {"pauses": json.dumps(list(pauses))})]
    return stored + [seq for seq, pause in tx.planned_rows(_NOTE) if pause in pauses]


def is_ours(tx: Transaction, pause: str, channel: str, ts: str) -> bool:
    """Tell whether a message is one that we posted about this pause."""
    return bool(tx.rows(_OURS, {"pause": pause, "channel": channel, "ts": ts}))


def placed(found: Sequence[Row]) -> Place | None:
    """Read where a message stands; None where it is not posted yet."""
    return Place(*found[0]) if found else None
