"""Auditors' keys: for reading the audit log over HTTP, and nothing else. Each change is a unit of the writer.

Such a key can never propose, approve, claim, pause or resume: it has a form and a table of its own.
"""

from dataclasses import dataclass, field

from approval_rules.auditor_events import AuditorKeyChanged
from approval_rules.people import Account, PersonId
from approval_rules.times import format_time
from bot.agents import AgentError, who_typed
from bot.clock import NewToken
from bot.keys import new_auditor_key
from bot.store.rows import Row
from bot.store.transaction import Transaction

AUDITOR_TEAM = "auditor"
BY_KEY = "SELECT name, person, hash, shows_values, revoked_at FROM auditor_keys WHERE key_id = :key_id"
LISTED = "SELECT name, key_id, shows_values, created_at, revoked_at FROM auditor_keys ORDER BY name, created_at"
_LIVING = "SELECT key_id, person, shows_values FROM auditor_keys WHERE name = :name AND revoked_at IS NULL"
_INSERT = "INSERT INTO auditor_keys (key_id, name, person, hash, shows_values, created_at) VALUES (?, ?, ?, ?, ?, ?)"
_REVOKE = "UPDATE auditor_keys SET revoked_at = ? WHERE key_id = ?"


@dataclass(frozen=True, slots=True)
class NewAuditorKey:
    """An auditor's key, shown this once; only its hash is kept."""

    name: str
    key_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddAuditor:
    """Give an auditor a key; with `values` it shows amounts, words and people's names, and each look is recorded."""

    name: str
    values: bool
    os_user: str
    new_token: NewToken

    def __call__(self, tx: Transaction) -> NewAuditorKey:
        """Raises AgentError for a name that has a key already."""
        if _living(tx, self.name) is not None:
            raise AgentError(f"{self.name!r} has a key already; take it away first: foureyes auditor revoke")
        by = who_typed(tx, self.os_user)
        person = tx.person(Account(AUDITOR_TEAM, self.name), self.name)
        key, key_id, key_hash = new_auditor_key(self.new_token)
        tx.write(_INSERT, (key_id, self.name, person, key_hash, int(self.values), format_time(tx.at)))
        tx.record(AuditorKeyChanged(tx.at, by, person, key_id, "added", self.values))
        return NewAuditorKey(self.name, key_id, key)


@dataclass(frozen=True, slots=True)
class RevokeAuditor:
    """Take an auditor's key away, at once and for ever."""

    name: str
    os_user: str

    def __call__(self, tx: Transaction) -> None:
        """Raises AgentError where that name has no key."""
        found = _living(tx, self.name)
        if found is None:
            raise AgentError(f"{self.name!r} has no key; `foureyes auditor list` shows who has")
        key_id, person, values = found
        tx.write(_REVOKE, (format_time(tx.at), key_id))
        by = who_typed(tx, self.os_user)
        tx.record(AuditorKeyChanged(tx.at, by, PersonId(person), key_id, "revoked", bool(values)))


def _living(tx: Transaction, name: str) -> Row | None:
    found = tx.rows(_LIVING, {"name": name})
    return found[0] if found else None
