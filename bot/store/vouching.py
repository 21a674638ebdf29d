"""The outbox's rows about people's second factors: a direct message to the person, and what another person must answer.

A question to the operators is one message that shows what is true: it is changed in place when it has been answered.
"""

from typing import Final

from approval_rules.people import PersonId
from approval_rules.times import format_time
from bot.store import outbox
from bot.store.outbox import Kind
from bot.store.transaction import Transaction

_SHOW_AGAIN: Final = (
    "UPDATE outbox SET wanted_seq = max(wanted_seq, ?), due_at = CASE WHEN state = 'done' THEN ? ELSE due_at END,"
    " state = CASE WHEN state = 'done' THEN 'queued' ELSE state END"
    " WHERE kind = 'vouch' AND subject = ? AND json_extract(payload, '$.credential') = ?"
)


def tell(tx: Transaction, person: PersonId, seq: int) -> None:
    """Tell a person, in a direct message, what happened at this log index."""
    outbox.plan(tx, Kind.TELL, person, seq, {})


def ask_to_vouch(tx: Transaction, person: PersonId, credential: str, seq: int) -> None:
    """Ask, or tell, those who confirm for others about what happened at this log index."""
    outbox.plan(tx, Kind.VOUCH, person, seq, {"credential": credential, "asked": seq})


def show_again(tx: Transaction, person: PersonId, credential: str, seq: int) -> None:
    """Let every message about this credential show the state as of `seq` or later."""
    tx.write(_SHOW_AGAIN, (seq, format_time(tx.at), person, credential))
