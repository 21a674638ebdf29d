"""Who stands behind a pseudonym: each account sealed with a key of its own, and found again by a keyed mark.

A pseudonym is the digest of its account and a salt, so that whoever changes the row says what no log bears out.
`main.people` holds boxes; `people` is what a connection reads, without those that nobody can open any more. The mark
comes from the signing key: whoever is known stays the same person though the data keys are lost. Accounts of the
machine stay as they are: a command MUST know its user without any key. Decides nothing.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from approval_rules.people import Account, PersonId
from bot.audit.log_format import disclosure
from bot.data_keys import PERSON
from bot.keys import KeyFileError
from bot.sealing import CannotOpenError

if TYPE_CHECKING:
    from bot.store.sealed import Vault
    from bot.store.transaction import Transaction

MACHINE: Final = "os"
"""The workspace, so to speak, of the accounts of the machine."""
PERSON_DAYS: Final = 365_000
"""Whoever is not erased is known for ever."""
AT_ONCE: Final = 200
BOUND: Final = re.compile(r"pers_[0-9a-f]{40}")
"""A pseudonym that is bound to its account; earlier ones are chance, in 26 letters."""
_PUT: Final = (
    "INSERT INTO main.people (ref, team_id, user_id, name, salt, key, box, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (ref) DO UPDATE SET team_id = excluded.team_id, user_id = excluded.user_id, name = excluded.name,"
    " salt = excluded.salt, key = excluded.key, box = excluded.box, mark = excluded.mark"
)
_COLUMNS: Final = "SELECT ref, key, box, team_id, user_id, name, salt FROM main.people"
_BY_MARK: Final = f"{_COLUMNS} WHERE mark = :mark"
_BY_ACCOUNT: Final = f"{_COLUMNS} WHERE user_id = :user AND team_id = :team"
BY_REF: Final = f"{_COLUMNS} WHERE ref IN (SELECT value FROM json_each(:refs))"  # noqa: S608 - a constant
_ANY_SEALED: Final = "SELECT 1 FROM main.people WHERE key IS NOT NULL LIMIT 1"
_PLAIN: Final = f"{_COLUMNS} WHERE key IS NULL AND team_id <> '{MACHINE}' LIMIT :most"
_HOMELESS: Final = "SELECT ref, user_id, name, salt FROM people WHERE team_id = ''"
_BOUND_OF: Final = (
    "SELECT ref, team_id, user_id, salt FROM people"
    " WHERE ref IN (SELECT value FROM json_each(:refs)) AND salt IS NOT NULL"
)
FORGET: Final = (
    (
        "INSERT OR REPLACE INTO sealed_with (key, first_seq, last_seq, ended)"
        " SELECT key, 0, 0, 'erased' FROM main.people WHERE ref = ? AND key IS NOT NULL"
    ),
    "DELETE FROM main.people WHERE ref = ?",
)
"""Takes a person away: the key is shredded after the commit."""
WHOSE: Final = "whose"
_ANEW: Final = 6
VIEW: Final = (
    "CREATE TEMP VIEW people AS SELECT ref,"
    " CASE WHEN key IS NULL THEN team_id ELSE whose(ref, key, box, 0) END AS team_id,"
    " CASE WHEN key IS NULL THEN user_id ELSE whose(ref, key, box, 1) END AS user_id,"
    " CASE WHEN key IS NULL THEN name ELSE whose(ref, key, box, 2) END AS name,"
    " CASE WHEN key IS NULL THEN salt ELSE whose(ref, key, box, 3) END AS salt"
    " FROM main.people WHERE key IS NULL OR whose(ref, key, box, 6) IS NOT NULL"
)

_Look = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]


class Known(NamedTuple):
    """What is known of a person. `name` is None where its box opens no longer, and then nothing bears the account out.

    `key` seals it; None where nothing does yet. `changed` tells that it is to be written.
    """

    person: PersonId
    name: str | None
    salt: str | None
    key: str | None
    changed: bool = False


def met(salt: str, account: Account, name: str) -> Known:
    """Make a person of an account that nobody has seen before."""
    return Known(pseudonym(salt, account), name, salt, None, changed=True)


def pseudonym(salt: str, account: Account) -> PersonId:
    """Give the pseudonym that only this account and this salt have: 160 bits of a digest as RFC 9901 makes them."""
    told = disclosure(salt, "account", json.dumps([account.team_id, account.user_id], separators=(",", ":")))
    return PersonId(f"pers_{hashlib.sha256(told).hexdigest()[:40]}")


def find(look: _Look, vault: "Vault | None", account: Account) -> Known | None:
    """Find who is known by an account.

    Raises KeyFileError where that cannot be told: a second pseudonym for one person would count as another person.
    """
    mark = _mark(vault, account)
    found = look(_BY_MARK, {"mark": mark}) if mark is not None else ()
    found = found or look(_BY_ACCOUNT, {"team": account.team_id, "user": account.user_id})
    if not found:
        if mark is None and account.team_id != MACHINE and look(_ANY_SEALED, {}):
            raise KeyFileError(
                "the data keys or the signing key cannot be read, so nobody can tell whether this person is known;"
                " `foureyes doctor` says why"
            )
        return None
    ref, key, box, *plain = found[0]
    parts = plain if key is None else _opened(vault, ref, key, box)[0]
    _, _, name, salt = parts or (None,) * 4
    return Known(PersonId(ref), name, salt, None if parts is None else key)


def write(
    connection: sqlite3.Connection, vault: "Vault | None", day: str, people: Iterable[tuple[Account, Known]]
) -> None:
    """Write what was learnt of people; those without a key get one each, all on the disk before anything is sealed."""
    changed = [each for each in people if each[1].changed]
    marks = [_mark(vault, account) for account, _ in changed]
    new = sum(mark is not None and known.key is None for mark, (_, known) in zip(marks, changed, strict=True))
    keys = iter(vault.make_several(day, PERSON_DAYS, PERSON, new) if vault is not None and new else ())
    for mark, (account, (ref, name, salt, key, _)) in zip(marks, changed, strict=True):
        if vault is None or mark is None:
            row: tuple[Any, ...] = (account.team_id, account.user_id, name or "", salt, None, None, None)
        else:
            seal = key or next(keys)
            text = json.dumps([account.team_id, account.user_id, name or "", salt])
            row = (None, None, None, None, seal, vault.seal_under(seal, text, _place(ref)), mark)
        connection.execute(_PUT, (ref, *row))


def seal_some(tx: "Transaction") -> bool:
    """Seal accounts that lie there in plain; False where there are none."""
    found = tx.rows(_PLAIN, {"most": AT_ONCE})
    if _mark(tx.vault, Account("", "")) is None:
        return False  # a server's vault has the signing key always
    for ref, _, _, team, user, name, salt in found:
        tx.learn(Account(team, user), Known(PersonId(ref), name, salt, None, changed=True))
    return bool(found)


def adopt(tx: "Transaction", team: str) -> None:
    """Say of which workspace they are who were noted before it was known; what their pseudonyms bind stays."""
    for ref, user, name, salt in tx.rows(_HOMELESS, {}):
        key: str | None = tx.rows("SELECT key FROM main.people WHERE ref = :ref", {"ref": ref})[0][0]
        tx.learn(Account(team, user), Known(PersonId(ref), name, salt, key, changed=True))


class Bound(NamedTuple):
    """An account with the salt that binds a pseudonym to it."""

    account: Account
    salt: str


def bound_of(connection: sqlite3.Connection, people: Iterable[str]) -> dict[PersonId, Bound]:
    """Give what bears each pseudonym out, for those that have it still."""
    found = connection.execute(_BOUND_OF, {"refs": json.dumps(sorted(set(people)))})
    return {PersonId(ref): Bound(Account(team, user), salt) for ref, team, user, salt in found}


def opened_rows(vault: "Vault | None", found: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Open the rows of BY_REF: ref, team, user and name of each person who is known still.

    For few people: one call from here costs less than four that SQLite makes while other threads wait for its answer.
    """
    known: list[Sequence[Any]] = []
    for ref, key, box, *plain in found:
        parts: Sequence[Any] | None = plain if key is None else _opened(vault, ref, key, box)[0]
        if parts is not None:
            known.append((ref, *parts[:3]))
    return known


def opener(vault: "Vault | None") -> Callable[[str, str, bytes, int], str | None]:
    """Make the function that the view calls: the team (0), the user (1), the name (2) or the salt (3) in a box.

    Besides, what became of the box (4), by what its account is to be found, in hex (5), and its user, opened anew (6).
    """
    last: tuple[object, Sequence[str | None], str] = None, (), ""

    def whose(ref: str, key: str, box: bytes, part: int) -> str | None:
        nonlocal last
        # A row's parts are asked for one after the other; first, by the view, whether it opens still.
        if part == _ANEW or last[0] != (ref, key, box):
            parts, state = _opened(vault, ref, key, box)
            last = (ref, key, box), parts or (None,) * 4, state
        team, user = last[1][:2]
        match part:
            case 4:
                return last[2]
            case 5:
                mark = None if team is None or user is None else _mark(vault, Account(team, user))
                return None if mark is None else mark.hex()
            case 6:
                return user
            case _:
                return last[1][part]

    return whose


def _mark(vault: "Vault | None", account: Account) -> bytes | None:
    if vault is None or account.team_id == MACHINE:
        return None
    return vault.account_mark(account.team_id, account.user_id)


def _opened(vault: "Vault | None", ref: str, key: str, box: object) -> tuple[Sequence[str] | None, str]:
    """Give the four parts in a box, or None and what became of it."""
    if vault is None:
        return None, "closed"
    try:
        text = vault.open(key, box, _place(ref)) if isinstance(box, bytes) else ""
        if text is None:
            return None, "gone"
        team, user, name, salt = json.loads(text)
    except (CannotOpenError, ValueError):
        return None, "changed"
    return (team, user, name, salt), "open"


def _place(ref: str) -> str:
    return f"people:{ref}"
