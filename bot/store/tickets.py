"""One-time tickets: by which a person's browser or modal is recognised. Only the SHA-256 of a ticket's name is kept."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import datetime
from typing import Literal

from approval_rules.people import PersonId
from approval_rules.step_up import Factor
from approval_rules.times import format_time
from bot.store.rows import Row
from bot.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row; `id` is the hash of the name. Times are texts as stored, which sort as they are."""

    id: str
    purpose: Literal["vote", "enrol", "initiate"]
    person: PersonId
    factor: Factor | None
    subject: str
    intent: str = field(repr=False)
    created_at: str
    expires_at: str
    used_at: str | None = None

    def open_at(self, at: datetime) -> bool:
        """Tell whether it can still be used."""
        return self.used_at is None and format_time(at) < self.expires_at


_COLUMNS = ", ".join([one.name for one in fields(Ticket)])
TICKET = f"SELECT {_COLUMNS} FROM tickets WHERE id = :id"  # noqa: S608 - constants
_PUT = (
    f"INSERT OR REPLACE INTO tickets ({_COLUMNS})"  # noqa: S608 - constants
    f" VALUES ({', '.join('?' * len(fields(Ticket)))})"
)
OPEN_ENROLMENTS = (
    "SELECT id FROM tickets WHERE purpose = 'enrol' AND person = :person AND used_at IS NULL AND expires_at > :now"
)
_FORGET_ENROLMENTS = "DELETE FROM tickets WHERE purpose = 'enrol' AND person = ? AND used_at IS NULL"
_FORGET = "DELETE FROM tickets WHERE expires_at < ?"


def start_of(ticket: Ticket) -> tuple[str, str]:
    """Give the start that a ticket is for, and the digest of its arguments."""
    return json.loads(ticket.subject)["proposal"], json.loads(ticket.intent)["arguments"]


def ticket_id(unverified_name: str) -> str:
    """Give the id under which a ticket of this name is kept."""
    return hashlib.sha256(unverified_name.encode()).hexdigest()


def ticket_from(found: Sequence[Row]) -> Ticket | None:
    """Decode what was found under `TICKET`."""
    return Ticket(*found[-1]) if found else None


def ticket_named(tx: Transaction, unverified_name: str) -> Ticket | None:
    """Find a ticket, as earlier units of this batch left it."""
    ident = ticket_id(unverified_name)
    planned = [row for row in tx.planned_rows(_PUT) if row[0] == ident]
    return ticket_from([*tx.rows(TICKET, {"id": ident}), *planned])


def put_ticket(tx: Transaction, ticket: Ticket) -> None:
    """Write a ticket as it is from now on."""
    tx.write(_PUT, astuple(ticket))


def forget_enrolments(tx: Transaction, person: PersonId) -> None:
    """Drop a person's other links: one that was never opened must not wait for somebody to find it."""
    tx.write(_FORGET_ENROLMENTS, (person,))


def forget_tickets(tx: Transaction, before: datetime) -> None:
    """Drop what expired before."""
    tx.write(_FORGET, (format_time(before),))
