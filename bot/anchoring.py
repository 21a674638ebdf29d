"""Keeps the signed anchor beside the key in step with the log, and holds a database against it at the start."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from approval_rules.times import format_time, parse_time
from bot.audit import anchor
from bot.audit.anchor import Anchor, AnchorError
from bot.clock import Clock
from bot.keys import SigningKey
from bot.store.engine import open_reader
from handlers.counting import counted


def verifier_of(key: SigningKey) -> anchor.Verify:
    """Give the check of a signature with this key."""
    public = Ed25519PublicKey.from_public_bytes(key.public_bytes())

    def verify(signature: bytes, data: bytes) -> bool:
        try:
            public.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return verify


def require_not_behind(database: Path, path: Path, key: SigningKey) -> None:
    """Raise AnchorError where the database is older than the anchor, another one, or has a log and no anchor."""
    known = anchor.read(path, verifier_of(key))
    with closing(open_reader(database)) as connection:
        size, _, _ = _head(connection)
        if known is None:
            if size:
                raise AnchorError(
                    f"{path} is missing, so nobody can tell whether the log's tail was cut off; restore it from beside"
                    " the key. Only if you know why it is gone: `foureyes audit checkpoint` makes a new one"
                )
            return
        if known.size == 0:
            return
        row = connection.execute("SELECT leaf_hash FROM entries WHERE seq = ?", (known.size - 1,)).fetchone()
    if row is None:
        entries = counted(size, "log entry", "log entries")
        raise AnchorError(
            f"the database has {entries} and {path} has seen {known.size}: an older copy was put back or the tail was"
            " cut off. Put the newest database back; keep both files as evidence"
        )
    if bytes(row[0]).hex() != known.head:
        raise AnchorError(f"the log differs from {path} at entry {known.size - 1}: history was rewritten")


def begin(database: Path, path: Path, key: SigningKey, clock: Clock) -> None:
    """Anchor a log before its first entry: a crash before the next anchor must not look like a lost one."""
    with closing(open_reader(database)) as connection:
        size, _, _ = _head(connection)
    if not size and not path.exists():
        anchor.write(path, Anchor(0, "", "", format_time(clock())), key.sign)
        anchor.sync_folder(path)


class Anchoring:
    """Writes the anchor when the log has grown."""

    def __init__(self, database: Path, path: Path, key: SigningKey, clock: Clock) -> None:
        self._connection = open_reader(database)
        self._path = path
        self._key = key
        self._clock = clock
        self._written = -1

    def write_if_grown(self) -> None:
        """Sign the newest head, if it is new.

        The head is read and written by one process at a time: a command beside the server MUST NOT set it back.
        """
        if _head(self._connection)[0] in (0, self._written):
            return
        with _alone(self._path.parent):
            size, head, origin = _head(self._connection)
            anchor.write(self._path, Anchor(size, head, origin, format_time(self._clock())), self._key.sign)
        self._written = size

    def close(self) -> None:
        """Anchor once more and let go."""
        self.write_if_grown()
        anchor.sync_folder(self._path)
        self._connection.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder's anchor until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def has_begun(database: Path) -> bool:
    """Tell whether the log has entries."""
    with closing(open_reader(database)) as connection:
        return bool(_head(connection)[0])


def last_time(database: Path) -> datetime | None:
    """Give the time of the newest entry; None for an empty log."""
    with closing(open_reader(database)) as connection:
        row = connection.execute("SELECT at FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else parse_time(row[0])


def _head(connection: sqlite3.Connection) -> tuple[int, str, str]:
    row = connection.execute("SELECT seq, leaf_hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    first = connection.execute("SELECT leaf_hash FROM entries WHERE seq = 0").fetchone()
    if row is None:
        return 0, "", ""
    return row[0] + 1, bytes(row[1]).hex(), "" if first is None else bytes(first[0]).hex()
