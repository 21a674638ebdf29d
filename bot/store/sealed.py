"""Detached values are sealed on their way in and opened on their way out, by every connection's own view of them.

`main.detached` holds boxes; `detached` is what a connection reads. What cannot be opened reads as NULL: as erased.
`sealed_with` tells where in the log each key's values lie.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from bot.sealing import CannotOpenError
from bot.store import people, sent
from bot.store.terms import MARK_DAYS

DIGEST: Final = "digest"
INSERT: Final = "INSERT INTO main.detached (seq, name, salt, value, key, box, mark) VALUES (?, ?, ?, ?, ?, ?, ?)"
REACH: Final = (
    "INSERT INTO sealed_with (key, first_seq, last_seq) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
    " first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)"
)
OPENED: Final = "opened"
MARKED: Final = "marked"
# A salt is NULL where the key is gone, and empty where something was changed.
VIEW: Final = (
    "CREATE TEMP VIEW detached AS SELECT seq, name,"
    " CASE WHEN key IS NULL THEN salt WHEN coalesce(salt, value) IS NULL THEN opened(seq, name, key, box, 0)"
    " ELSE '' END AS salt,"
    " CASE WHEN key IS NULL THEN value WHEN coalesce(salt, value) IS NULL THEN opened(seq, name, key, box, 1)"
    " END AS value FROM main.detached"
)


class Vault(Protocol):
    """What holds the data keys."""

    def refresh(self) -> None:
        """See what other processes did to the keys."""

    def seal(self, day: str, days: int, text: str, place: str, kind: str = "") -> tuple[str, bytes]:
        """Seal a text; give the key's name and the box."""

    def open(self, name: str, box: bytes, place: str) -> str | None:
        """Open a box; None where its key is gone."""

    def mark(self, day: str, days: int, text: str) -> bytes:
        """Give what a text is found again by."""

    def kept_mark(self, day: str, days: int, text: str) -> bytes | None:
        """Give the same where the key for it is there still; makes none."""

    def account_mark(self, team: str, user: str) -> bytes | None:
        """Give by what an account is found again; None where that cannot be told."""

    def make_several(self, day: str, days: int, kind: str, many: int) -> list[str]:
        """Make several keys."""

    def seal_under(self, name: str, text: str, place: str) -> bytes:
        """Seal a text with a key that there is; give the box."""


def row(
    vault: Vault | None, at: str, days: int, mark: bytes | None, seq: int, name: str, salt: str, text: str
) -> tuple[Any, ...]:
    """Make the row (INSERT) of a value that was recorded `at`. Without a vault it is plain."""
    if vault is None:
        return seq, name, salt, text, None, None, mark
    key, box = vault.seal(at[:10], days, boxed(salt, text), place(seq, name))
    return seq, name, None, None, key, box, mark


def boxed(salt: str, text: str) -> str:
    """Give what goes into a box: the salt too, for with it and the digest in the entry a short value is guessed."""
    return f"{salt}\n{text}"


def place(seq: int, name: str) -> str:
    """Name where a box belongs: it opens nowhere else."""
    return f"{seq}:{name}"


def reaches(rows: Iterable[Sequence[Any]]) -> list[tuple[str, int, int]]:
    """Give, for the rows (INSERT) of a batch, the rows of REACH."""
    found: dict[str, tuple[int, int]] = {}
    for seq, _, _, _, key, _, _ in rows:
        if key is not None:
            first, last = found.get(key, (seq, seq))
            found[key] = min(first, seq), max(last, seq)
    return [(key, first, last) for key, (first, last) in found.items()]


def mark_of(vault: Vault | None, day: str, digest: str) -> bytes:
    """Give what a digest (as JSON) is found by on one day: for two days, then its key is gone."""
    return hashlib.sha256(digest.encode()).digest()[:16] if vault is None else vault.mark(day, MARK_DAYS, digest)


def _kept_mark(vault: Vault | None, day: str, digest: str | None) -> bytes | None:
    return None if vault is None or digest is None else vault.kept_mark(day, MARK_DAYS, digest)


def opener(vault: Vault | None) -> Callable[[int, str, str, bytes, int], str | None]:
    """Make the function that the view calls: the salt (0) or the value (1) of a box."""
    last: tuple[object, tuple[str | None, str | None]] = None, (None, None)

    def opened(seq: int, name: str, key: str, box: bytes, part: int) -> str | None:
        nonlocal last
        which = seq, name, key, box
        # A row's salt and value are asked for one after the other. What was opened is forgotten with the value: its key
        # may be gone when it is asked for again.
        both = last[1] if last[0] == which else _opened(vault, seq, name, key, box)
        last = (which, both) if part == 0 else (None, (None, None))
        return both[part]

    return opened


def _opened(vault: Vault | None, seq: int, name: str, key: str, box: object) -> tuple[str | None, str | None]:
    if not isinstance(box, bytes):  # somebody changed the schema, or took the checks off
        return "", None
    try:
        text = None if vault is None else vault.open(key, box, place(seq, name))
    except CannotOpenError:
        return "", None
    if text is None:
        return None, None
    salt, _, value = text.partition("\n")
    return salt, value


_OPENED_HERE: Final[dict[Path, Vault]] = {}


def use_vault(database: Path, vault: Vault | None) -> None:
    """Let every connection that this process opens to a database read with these keys, or with none any more."""
    _OPENED_HERE.pop(database.absolute(), None)
    if vault is not None:
        _OPENED_HERE[database.absolute()] = vault


def vault_for(database: Path) -> Vault | None:
    """Give the keys that this process uses for a database."""
    return _OPENED_HERE.get(database.absolute())


def look_through(connection: sqlite3.Connection, vault: Vault | None) -> None:
    """Let a connection read what was sealed."""
    connection.create_function(OPENED, 5, opener(vault))
    connection.create_function(sent.SENT_PAYLOAD, 2, sent.opener(vault))
    connection.create_function(MARKED, 2, lambda day, digest: _kept_mark(vault, day, digest))
    connection.create_function(people.WHOSE, 4, people.opener(vault))
    connection.execute(VIEW)
    connection.execute(people.VIEW)
