"""Operators' keys: for stopping and starting again over HTTP when Slack is down. Each change is a unit of the writer.

Such a key can never approve, propose or claim: agents' keys have another form, and live in another table.
"""

from dataclasses import dataclass, field

from approval_rules.people import Account, PersonId
from approval_rules.stop_events import OperatorKeyChanged
from approval_rules.times import format_time
from bot.agents import AgentError, who_typed
from bot.clock import NewToken
from bot.keys import new_operator_key
from bot.store.rows import Row
from bot.store.transaction import Transaction

KEY_TEAM = "key"
BY_KEY = "SELECT name, person, hash, revoked_at FROM operator_keys WHERE key_id = :key_id"
LISTED = "SELECT name, key_id, created_at, revoked_at FROM operator_keys ORDER BY name, created_at"
_LIVING = "SELECT key_id, person FROM operator_keys WHERE name = :name AND revoked_at IS NULL"
_INSERT = "INSERT INTO operator_keys (key_id, name, person, hash, created_at) VALUES (?, ?, ?, ?, ?)"
_REVOKE = "UPDATE operator_keys SET revoked_at = ? WHERE key_id = ?"


@dataclass(frozen=True, slots=True)
class NewOperatorKey:
    """An operator's key, shown this once; only its hash is kept."""

    name: str
    key_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddOperator:
    """Give a person a key; `name` is the person's, because two keys are two people when everything is resumed."""

    name: str
    os_user: str
    new_token: NewToken

    def __call__(self, tx: Transaction) -> NewOperatorKey:
        """Raises AgentError for a name that has a key already."""
        if _living(tx, self.name) is not None:
            raise AgentError(f"{self.name!r} has a key already; take it away first: foureyes operator revoke")
        by = who_typed(tx, self.os_user)
        person = tx.person(Account(KEY_TEAM, self.name), self.name)
        key, key_id, key_hash = new_operator_key(self.new_token)
        tx.write(_INSERT, (key_id, self.name, person, key_hash, format_time(tx.at)))
        tx.record(OperatorKeyChanged(tx.at, by, person, key_id, "added"))
        return NewOperatorKey(self.name, key_id, key)


@dataclass(frozen=True, slots=True)
class RevokeOperator:
    """Take an operator's key away, at once and for ever."""

    name: str
    os_user: str

    def __call__(self, tx: Transaction) -> None:
        """Raises AgentError where that name has no key."""
        found = _living(tx, self.name)
        if found is None:
            raise AgentError(f"{self.name!r} has no key; `foureyes operator list` shows who has")
        tx.write(_REVOKE, (format_time(tx.at), found[0]))
        by = who_typed(tx, self.os_user)
        tx.record(OperatorKeyChanged(tx.at, by, PersonId(found[1]), found[0], "revoked"))


def _living(tx: Transaction, name: str) -> Row | None:
    found = tx.rows(_LIVING, {"name": name})
    return found[0] if found else None
