"""The outbox's rows: what the world is still to be told. Planned in the transaction that needs them, polled after.

A row is unique by its name. A packet's row asks for a state ("show what is true as of this log index or later"), so
that many changes become one message: a `post` until it stands in Slack, then an `update`. Its payload is the channel
that it was last tried in. Every other row has its bytes fixed when it is planned. Kinds are lanes: a flood of new
packets does not hold up an answer to a click.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from approval_rules.switch import Scope, ScopeKind
from approval_rules.times import format_time, parse_time
from bot.store.rows import Row
from bot.store.terms import PERSONAL_DAYS
from bot.store.transaction import Transaction


class Kind(StrEnum):
    """The kinds of effect."""

    POST = "post"
    UPDATE = "update"
    THREAD = "thread"
    CALLBACK = "callback"
    ANSWER = "answer"
    ANNOUNCE = "announce"
    ESCALATE = "escalate"
    TELL = "tell"
    VOUCH = "vouch"
    ACCESS = "access"
    WITNESS = "witness"
    REVIEW = "review"


SEALED = frozenset({Kind.CALLBACK, Kind.ANSWER, Kind.ACCESS, Kind.REVIEW})
"""The kinds whose payload says what somebody wrote, or whom it goes to."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One effect and how far its delivery is."""

    id: int
    name: str
    kind: Kind
    subject: str
    wanted_seq: int
    state: str
    due_at: datetime
    attempts: int
    created_at: datetime
    payload: Mapping[str, Any]
    last_error: str | None


# What is sealed and cannot be opened any more is never due: a sweep drops it.
_COLUMNS = (
    "id, name, kind, subject, wanted_seq, state, due_at, attempts, created_at, sent_payload(name, payload) AS opened,"
    " last_error"
)
DUE = (
    f"SELECT {_COLUMNS} FROM outbox WHERE kind = :kind AND state IN ('queued', 'sending')"  # noqa: S608 - a constant
    " AND due_at <= :now AND id NOT IN (SELECT value FROM json_each(:under_way)) AND opened IS NOT NULL"
    " ORDER BY due_at LIMIT :limit"
)
LIST = f"SELECT {_COLUMNS} FROM outbox WHERE state = :state ORDER BY id LIMIT :limit"  # noqa: S608 - a constant
# In two halves, because each has an index of its own: what is done stays in the table and must not be walked.
COUNTS = (
    "SELECT state, count(*) FROM outbox WHERE state IN ('queued', 'sending') GROUP BY state"
    " UNION ALL SELECT state, count(*) FROM outbox WHERE state = 'dead' GROUP BY state"
)
DEAD_PACKET = "SELECT 1 FROM outbox WHERE name = :name AND kind = 'post' AND state = 'dead'"
_PACKET_DIED = "its packet is a dead letter"
_PLAN = (
    "INSERT INTO outbox (name, kind, subject, wanted_seq, state, due_at, attempts, created_at, payload)"
    " VALUES (?, ?, ?, ?, 'queued', ?, 0, ?, ?)"
)
# A packet that is being sent stays so (its sender sees the higher index and goes again); one that waits after a
# failure keeps its due time, so that a flood of votes cannot turn back-off into a hammer. `created_at` is since when it
# is wanted: the change of a packet that is weeks old is not given up at its first failure.
_AGAIN = (
    " ON CONFLICT (name) DO UPDATE SET wanted_seq = max(wanted_seq, excluded.wanted_seq),"
    " due_at = CASE WHEN state IN ('done', 'dead') THEN excluded.due_at ELSE due_at END,"
    " attempts = CASE WHEN state IN ('done', 'dead') THEN 0 ELSE attempts END, kind = excluded.kind,"
    " created_at = CASE WHEN state IN ('done', 'dead') THEN excluded.created_at ELSE created_at END,"
    " state = CASE WHEN state = 'sending' THEN state ELSE 'queued' END"
)
_PLAN_PACKET = _PLAN + _AGAIN
_OPEN = "SELECT 'packet:' || id, 'update', id, ?, 'queued', ?, 0, ?, '{{}}' FROM proposals WHERE "
_PLAN_OPEN_PACKETS = (
    "INSERT INTO outbox (name, kind, subject, wanted_seq, state, due_at, attempts, created_at, payload) "
    + _OPEN
    + "channel IS NOT NULL AND clock IN ('decide', 'claim') AND ({where}) "
    + _AGAIN
)
# A packet on its way to its first post has no place yet, and was perhaps drawn before the pause.
_POST_AGAIN = (
    "UPDATE outbox SET wanted_seq = max(wanted_seq, ?) WHERE kind = 'post'"
    " AND subject IN (SELECT id FROM proposals WHERE clock IN ('decide', 'claim') AND ({where}))"
)
_START = "UPDATE outbox SET state = 'sending', due_at = ?, attempts = attempts + 1 WHERE id = ?"
_START_IN = (
    "UPDATE outbox SET state = 'sending', due_at = ?, attempts = attempts + 1,"
    " payload = json_set(payload, '$.channel', ?) WHERE id = ?"
)
_FINISH = (
    "UPDATE outbox SET state = CASE WHEN wanted_seq > ? THEN 'queued' ELSE 'done' END, due_at = ?, attempts = 0,"
    " kind = CASE kind WHEN 'post' THEN 'update' ELSE kind END, last_error = NULL WHERE id = ?"
)
_STANDS = "UPDATE outbox SET payload = json_set(payload, '$.channel', ?, '$.ts', ?) WHERE id = ?"
_RETRY = "UPDATE outbox SET state = 'queued', due_at = ?, last_error = ? WHERE id = ?"
_BURY = "UPDATE outbox SET state = 'dead', last_error = ? WHERE id = ?"
_QUEUE_AFRESH = "UPDATE outbox SET state = 'queued', due_at = ?, created_at = ?, attempts = 0 WHERE state = 'dead' AND "
_REVIVE = _QUEUE_AFRESH + "id = ?"
_REVIVE_REPLIES = _QUEUE_AFRESH + "last_error = ? AND name > ? AND name < ?"
_FREE = "UPDATE outbox SET due_at = ? WHERE state = 'sending'"
_DOUBT = "UPDATE outbox SET last_error = 'restarted' WHERE kind = 'update' AND state = 'queued'"
_FORGET = "DELETE FROM outbox WHERE state = 'done' AND kind = 'answer' AND due_at < ?"


def outbox_row(row: Row) -> OutboxRow:
    """Decode a row."""
    ident, name, kind, subject, wanted, state, due_at, attempts, created_at, payload, last_error = row
    return OutboxRow(
        ident,
        name,
        Kind(kind),
        subject,
        wanted,
        state,
        parse_time(due_at),
        attempts,
        parse_time(created_at),
        json.loads(payload or "{}"),
        last_error,
    )


def plan(
    tx: Transaction,
    kind: Kind,
    subject: str,
    seq: int,
    payload: Mapping[str, Any],
    name: str | None = None,
    days: int = PERSONAL_DAYS,
) -> None:
    """Plan an effect of the event at log index `seq`; `name` makes it unique where the index does not.

    What is sealed of it can be read for so many `days`.
    """
    now = format_time(tx.at)
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    name = name or f"{kind.value}:{subject}:{seq}"
    if kind in SEALED:
        text = tx.sealed_payload(name, text, now, days)
    tx.write(_PLAN, (name, kind.value, subject, seq, now, now, text))


def show_again(tx: Transaction, kind: Kind, subject: str, first: int, seq: int) -> None:
    """Ask that the message about the event at log index `first` show the state as of `seq` or later."""
    now = format_time(tx.at)
    tx.write(_PLAN_PACKET, (f"{kind.value}:{subject}:{first}", kind.value, subject, seq, now, now, "{}"))


def told_of(row: OutboxRow) -> int:
    """Give the log index of the event that a row tells of, whatever it is to show since."""
    return int(row.name.rpartition(":")[2])


def plan_packet(tx: Transaction, proposal: str, seq: int, *, posted: bool) -> None:
    """Ask that the proposal's packet show the state as of `seq` or later."""
    now = format_time(tx.at)
    kind = Kind.UPDATE if posted else Kind.POST
    tx.write(_PLAN_PACKET, (f"packet:{proposal}", kind.value, proposal, seq, now, now, "{}"))


def plan_open_packets(tx: Transaction, scope: Scope, seq: int) -> None:
    """Ask that every open packet in a pause's scope be shown afresh."""
    now = format_time(tx.at)
    where, names = scope_condition(scope)
    tx.write(_PLAN_OPEN_PACKETS.format(where=where), (seq, now, now, *names))
    tx.write(_POST_AGAIN.format(where=where), (seq, *names))


def scope_condition(scope: Scope) -> tuple[str, Sequence[str]]:
    """Give the SQL condition (positional) on `proposals` for a scope."""
    match scope.kind:
        case ScopeKind.ALL:
            return "1", ()
        case ScopeKind.AGENT:
            return "agent_id = ?", (scope.name,)
        case ScopeKind.TOOL:
            return "tool = ?", (scope.name,)


def start(tx: Transaction, row: OutboxRow, lease_until: datetime, channel: str | None = None) -> None:
    """Mark a row as being sent, before anything leaves; after the lease it counts as orphaned.

    `channel` is kept in the payload: whoever has to find out what became of this try must look there.
    """
    if channel is None:
        tx.write(_START, (format_time(lease_until), row.id))
    else:
        tx.write(_START_IN, (format_time(lease_until), channel, row.id))


def finish(tx: Transaction, row: OutboxRow, as_of: int) -> None:
    """Mark a row as delivered with the state as of log index `as_of`; it goes again where more was wanted since.

    A packet that now stands takes the replies along that were buried for its sake.
    """
    now = format_time(tx.at)
    tx.write(_FINISH, (as_of, now, row.id))
    if row.kind is Kind.POST:
        replies = f"{Kind.THREAD.value}:{row.subject}"
        tx.write(_REVIVE_REPLIES, (now, now, _PACKET_DIED, f"{replies}:", f"{replies};"))  # ";" is next after ":"


def wait_for_packet(tx: Transaction, row: OutboxRow, due_at: datetime) -> None:
    """Look at a reply again later; with a packet that is a dead letter it is buried, until that packet stands."""
    if tx.rows(DEAD_PACKET, {"name": f"packet:{row.subject}"}):
        bury(tx, row, _PACKET_DIED)
    else:
        retry(tx, row, due_at, "the packet is not posted yet")


def stands_at(tx: Transaction, row: OutboxRow, channel: str, ts: str) -> None:
    """Keep where a row's message stands, so that it can be changed there."""
    tx.write(_STANDS, (channel, ts, row.id))


def retry(tx: Transaction, row: OutboxRow, due_at: datetime, error: str) -> None:
    """Try a row again later."""
    tx.write(_RETRY, (format_time(due_at), error[:500], row.id))


def bury(tx: Transaction, row: OutboxRow, error: str) -> None:
    """Give a row up: it stays in the dead-letter list until a person retries it."""
    tx.write(_BURY, (error[:500], row.id))


def revive(tx: Transaction, row_id: int) -> None:
    """Take a row out of the dead-letter list and try it now, as if it were new."""
    now = format_time(tx.at)
    tx.write(_REVIVE, (now, now, row_id))


def free_orphans(tx: Transaction) -> None:
    """At the start of the one server: whatever was being sent has no sender any more; look at it now.

    An update that was waiting may have arrived before its server died: what Slack shows is in doubt.
    """
    tx.write(_FREE, (format_time(tx.at),))
    tx.write(_DOUBT, ())


def forget_answers(tx: Transaction, before: datetime) -> None:
    """Drop answered clicks: their response addresses are secrets that have served."""
    tx.write(_FORGET, (format_time(before),))
