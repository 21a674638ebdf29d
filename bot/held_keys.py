"""Keys that a person holds: an operator's for the kill switch, an auditor's for reading. Each change is a unit.

Such a key can never propose, approve or claim. A kind has a form, a table and events of its own: a key of one kind is
nothing where another is asked for.
"""

import hmac
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from approval_rules.auditor_events import AuditorKeyChanged
from approval_rules.people import Account, PersonId
from approval_rules.stop_events import OperatorKeyChanged
from approval_rules.times import format_time
from bot.agents import AgentError, who_typed
from bot.clock import NewToken
from bot.keys import new_auditor_key, new_operator_key, split_auditor_key, split_operator_key
from bot.store.bound import key_digest
from bot.store.reads import Reads
from bot.store.rows import Row
from bot.store.transaction import Transaction


class KeyKind(NamedTuple):
    """One kind of key. `command` manages it, `team` is the one of its holders' accounts.

    `flags` are the columns that only its table has; their values come next to last in its event.
    """

    command: str
    team: str
    make: Callable[[NewToken], tuple[str, str, str]]
    split: Callable[[str], tuple[str, str] | None]
    changed: Callable[..., AuditorKeyChanged | OperatorKeyChanged]
    flags: tuple[str, ...] = ()

    def sql(self, template: str) -> str:
        """Write a statement about this kind's table."""
        columns = "".join(f", {flag}" for flag in self.flags)
        return template.format(table=f"{self.command}_keys", flags=columns, marks=", ?" * len(self.flags))


OPERATOR = KeyKind("operator", "key", new_operator_key, split_operator_key, OperatorKeyChanged)
AUDITOR = KeyKind("auditor", "auditor", new_auditor_key, split_auditor_key, AuditorKeyChanged, ("shows_values",))
# Whose key it is is sealed with the person; of whom nobody can tell any more, the key's id is the name.
_NAMED = "FROM {table} k LEFT JOIN people p ON p.ref = k.person"
_BY_KEY = f"SELECT hash, revoked_at, coalesce(p.user_id, key_id), person{{flags}} {_NAMED} WHERE key_id = :key_id"
_LISTED = (
    f"SELECT coalesce(p.user_id, key_id) AS name, key_id, created_at, revoked_at{{flags}} {_NAMED}"
    " ORDER BY 1, created_at"
)
_BY_ID = "SELECT key_id, person{flags} FROM {table} WHERE key_id = :key_id AND revoked_at IS NULL"
_BY_PERSON = "SELECT key_id, person{flags} FROM {table} WHERE person = :person AND revoked_at IS NULL"
_INSERT = "INSERT INTO {table} (key_id, person, hash, created_at{flags}) VALUES (?, ?, ?, ?{marks})"
_REVOKE = "UPDATE {table} SET revoked_at = ? WHERE key_id = ?"


@dataclass(frozen=True, slots=True)
class NewHeldKey:
    """A person's key, shown this once; only its hash is kept."""

    name: str
    key_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GiveKey:
    """Give a person a key; `name` is the person's, because two keys of a kind are two people."""

    kind: KeyKind
    name: str
    os_user: str
    new_token: NewToken
    flags: tuple[bool, ...] = ()

    def __call__(self, tx: Transaction) -> NewHeldKey:
        """Raises AgentError for a name that has a key of this kind already."""
        kind = self.kind
        if _living(tx, kind, self.name) is not None:
            raise AgentError(f"{self.name!r} has a key already; take it away first: foureyes {kind.command} revoke")
        by = who_typed(tx, self.os_user)
        person = tx.person(Account(kind.team, self.name), self.name)
        key, key_id, key_hash = kind.make(self.new_token)
        tx.write(kind.sql(_INSERT), (key_id, person, key_hash, format_time(tx.at), *map(int, self.flags)))
        tx.record(kind.changed(tx.at, by, person, key_id, "added", *self.flags, key_digest(key_id, key_hash)))
        return NewHeldKey(self.name, key_id, key)


@dataclass(frozen=True, slots=True)
class TakeKey:
    """Take a person's key away, at once and for ever."""

    kind: KeyKind
    name: str
    os_user: str

    def __call__(self, tx: Transaction) -> None:
        """Raises AgentError where that name has no key of this kind."""
        found = _living(tx, self.kind, self.name)
        if found is None:
            raise AgentError(f"{self.name!r} has no key; `foureyes {self.kind.command} list` shows who has")
        key_id, person, *flags = found
        tx.write(self.kind.sql(_REVOKE), (format_time(tx.at), key_id))
        by = who_typed(tx, self.os_user)
        tx.record(self.kind.changed(tx.at, by, PersonId(person), key_id, "revoked", *map(bool, flags)))


class Holder(NamedTuple):
    """Whose key it is."""

    name: str
    key_id: str
    person: PersonId
    flags: tuple[bool, ...]


async def holder_of(reads: Reads, kind: KeyKind, unverified_key: str) -> Holder | None:
    """Find who holds a key of this kind, as of now; None for every other key and for one that was taken away."""
    parts = kind.split(unverified_key)
    if parts is None:
        return None
    key_id, unverified_hash = parts
    found = await reads.glance().rows(kind.sql(_BY_KEY), {"key_id": key_id})
    if not found:
        return None
    kept_hash, revoked_at, name, person, *flags = found[0]
    if not hmac.compare_digest(kept_hash, unverified_hash) or revoked_at is not None:
        return None
    return Holder(name, key_id, PersonId(person), tuple(map(bool, flags)))


class Listed(NamedTuple):
    """One key of a kind as people may see it."""

    name: str
    key_id: str
    created_at: str
    revoked_at: str | None
    flags: tuple[bool, ...]


def listed(connection: sqlite3.Connection, kind: KeyKind) -> list[Listed]:
    """List every key of a kind, the revoked ones too."""
    return [
        Listed(name, key_id, created_at, revoked_at, tuple(map(bool, flags)))
        for name, key_id, created_at, revoked_at, *flags in connection.execute(kind.sql(_LISTED))
    ]


def _living(tx: Transaction, kind: KeyKind, name: str) -> Row | None:
    """Find a key by its id, for which nothing has to be opened, or by whose it is."""
    found = tx.rows(kind.sql(_BY_ID), {"key_id": name})
    found = found or tx.rows(kind.sql(_BY_PERSON), {"person": tx.known_person(Account(kind.team, name))})
    return found[0] if found else None
