"""The outbox's rows about weekly reviews: one message for each report, changed in place, and calls beneath it."""

from typing import Final

from approval_rules.times import format_time
from bot.store.transaction import Transaction

PLACE: Final = (
    "SELECT json_extract(payload, '$.channel'), json_extract(payload, '$.ts') FROM outbox WHERE name = :name"
    " AND json_extract(payload, '$.ts') IS NOT NULL"
)
_SHOW_AGAIN: Final = (
    "UPDATE outbox SET wanted_seq = max(wanted_seq, ?), due_at = CASE WHEN state = 'done' THEN ? ELSE due_at END,"
    " state = CASE WHEN state = 'done' THEN 'queued' ELSE state END WHERE name = ?"
)


def name(report: str) -> str:
    """Name the row of a report's message."""
    return f"review:{report}"


def show_again(tx: Transaction, report: str, seq: int) -> None:
    """Let the message about a report show the state as of `seq` or later."""
    tx.write(_SHOW_AGAIN, (seq, format_time(tx.at), name(report)))
