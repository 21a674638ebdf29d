"""Keeps signed checkpoints in step with the log: the newest beside the key, some in the database. Judges the start.

The one beside the key is the anchor: what stands in the database can be put back together with the database.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from approval_rules.times import format_time, parse_time
from bot.audit import anchor
from bot.audit.anchor import AnchorError
from bot.audit.merkle import Frontier, consistency_proof, grown
from bot.audit.signed_note import Checkpoint, origin_of, read_checkpoint, signed_checkpoint
from bot.audit.tiles import IncompleteTreeError, StoredNodes, stored_frontier
from bot.clock import Clock
from bot.keys import SigningKey
from bot.store.engine import open_reader

if TYPE_CHECKING:
    from bot.store.transaction import Transaction
    from bot.store.writer import Writer
from handlers.counting import counted

EVERY: Final = 256
AT_LEAST_EVERY: Final = timedelta(seconds=60)
_MOST_AT_ONCE: Final = 64
_INSERT: Final = "INSERT OR IGNORE INTO checkpoints (size, note, at) VALUES (?, ?, ?)"


class Kept(NamedTuple):
    """A row of `checkpoints`."""

    size: int
    note: str
    at: str


def require_not_behind(database: Path, path: Path, key: SigningKey) -> None:
    """Raise AnchorError where the database is older than the anchor, another one, or has a log and no anchor."""
    known = anchor.read(path, key.publics)
    with closing(open_reader(database)) as connection:
        size = _size(connection)
        if known is None:
            if size:
                raise AnchorError(
                    f"{path} is missing, so nobody can tell whether the log's tail was cut off; restore it from beside"
                    " the key. Only if you know why it is gone: `foureyes audit checkpoint` makes a new one"
                )
            return
        if size and known.size and origin(connection) != known.origin:
            raise AnchorError(
                f"{path} is of another log, {known.origin}: put back the one that belongs to this database. Where it"
                " does belong to it, the log was rewritten from its first entry: keep both files as evidence"
            )
        if size < known.size:
            entries = counted(size, "log entry", "log entries")
            raise AnchorError(
                f"the database has {entries} and {path} has seen {known.size}: an older copy was put back or the tail"
                " was cut off. Put the newest database back; keep both files as evidence. Where there is no newer one:"
                " `foureyes audit accept-restore`"
            )
        if known.size and _of_log(connection, known.size) != known:
            raise AnchorError(
                f"the log differs from {path} within its first {known.size} entries: history was rewritten"
            )


def gone(connection: sqlite3.Connection, path: Path, key: SigningKey) -> tuple[int, Checkpoint]:
    """Say how many entries an older copy of this log has, and what was signed last. Raises AnchorError for another."""
    known, size = anchor.read(path, key.publics), _size(connection)
    if known is None or size >= known.size:
        raise AnchorError(f"the database is not behind {path}: nothing was lost that could be accepted")
    if not size or origin(connection) != known.origin:
        raise AnchorError(f"the database is no older copy of the log that {path} was signed over: it is another one")
    return size, known


def give_up(database: Path, path: Path, key: SigningKey, lost: str, clock: Clock) -> Path:
    """Anchor an older log in place of the newer one, and keep the newer anchor beside it; gives where."""
    names = (path.with_name(f"{path.name}.lost-{lost}{f'-{n}' if n else ''}") for n in count())
    kept = next(name for name in names if not name.exists())
    path.replace(kept)
    Anchoring(database, path, key, clock).close()
    return kept


def begin(database: Path, path: Path, key: SigningKey) -> None:
    """Anchor a log before its first entry: a crash before the next anchor must not look like a lost one."""
    with closing(open_reader(database)) as connection:
        size = _size(connection)
    if not size and not path.exists():
        empty = Checkpoint(origin_of(None), 0, Frontier().root)
        anchor.write(path, signed_checkpoint(empty, key.signers))
        anchor.sync_folder(path)


class Anchoring:
    """Signs the log's newest state when it has grown."""

    def __init__(self, database: Path, path: Path, key: SigningKey, clock: Clock) -> None:
        self._connection = open_reader(database)
        self._path = path
        self._key = key
        self._clock = clock
        self._written = -1
        self._frontier = Frontier()
        row = self._connection.execute("SELECT max(size) FROM checkpoints").fetchone()
        self._kept: int = row[0] or 0
        self._kept_at = clock()
        self._number = self._numbered()

    def write_if_grown(self) -> None:
        """Sign the newest state into the anchor, if it is new.

        It is read and written by one process at a time: a command beside the server MUST NOT set it back. Raises
        AnchorError, and leaves what is there, where that was signed over another log or a longer one: it is evidence.
        """
        if _size(self._connection) in (0, self._written):
            return
        with _alone(self._path.parent):
            self._require_continued()
            checkpoint = replace(self._newest(), kept=self._number)
            anchor.write(self._path, signed_checkpoint(checkpoint, self._key.signers))
        self._written = checkpoint.size

    def signed_now(self) -> tuple[int, str]:
        """Give the log's size and its signed checkpoint as of now."""
        checkpoint = self._newest()
        return checkpoint.size, signed_checkpoint(checkpoint, self._key.signers)

    def holds(self, known: Checkpoint) -> bool:
        """Tell whether the log begins with what a checkpoint says."""
        return known.size <= _size(self._connection) and _of_log(self._connection, known.size) == known

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Prove that the first `old` entries begin the first `size`; nothing needs a proof to begin with."""
        return consistency_proof(old, size, StoredNodes(self._connection)) if 0 < old < size else []

    async def keep_due(self, writer: "Writer", *, last: bool = False) -> None:
        """Keep checkpoints in the database: of each 256 entries, of what is a minute old, and at the `last` of all."""
        due = self._due(last=last)
        if due:
            await writer.run(lambda tx: _keep(tx, due))
            self._kept, self._kept_at, self._number = due[-1].size, self._clock(), self._number + len(due)

    def _due(self, *, last: bool) -> list[Kept]:
        size, at = _size(self._connection), self._clock()
        # Where none was ever kept, the past is not signed piece by piece: the newest one covers it.
        first = self._kept // EVERY + 1 if self._kept else max(size // EVERY, 1)
        sizes = [tile * EVERY for tile in range(first, size // EVERY + 1)][:_MOST_AT_ONCE]
        is_old = at - self._kept_at >= AT_LEAST_EVERY
        if (is_old or last) and size > max([self._kept, *sizes]) and len(sizes) < _MOST_AT_ONCE:
            sizes.append(size)
        signers, origin, before, told = self._key.signers, self._origin(), self._number, format_time(at)
        return [
            Kept(each, signed_checkpoint(Checkpoint(origin, each, self._root(each), number, told), signers), told)
            for number, each in enumerate(sizes, before + 1)
        ]

    def close(self) -> None:
        """Anchor once more and let go. Raises AnchorError as above."""
        with closing(self._connection):
            self.write_if_grown()
            anchor.sync_folder(self._path)

    def _require_continued(self) -> None:
        known = anchor.read(self._path, self._key.publics)
        if known is None or known.size in (0, self._written):
            return
        if not self.holds(known):
            raise AnchorError(
                f"{self._path} was signed over {known.size} entries that this log does not have; it is left as it is."
                " `foureyes audit verify` says more"
            )

    def _newest(self) -> Checkpoint:
        """Fold what was appended since the last time; the tree in the database is asked once."""
        if not self._frontier.size:
            self._frontier = stored_frontier(self._connection, _size(self._connection))
        sql = "SELECT leaf_hash FROM entries WHERE seq >= ? ORDER BY seq"
        leaves = self._connection.execute(sql, (self._frontier.size,))
        self._frontier, _ = grown(self._frontier, (bytes(row[0]) for row in leaves))
        return Checkpoint(self._origin(), self._frontier.size, self._frontier.root)

    def _root(self, size: int) -> bytes:
        return stored_frontier(self._connection, size).root

    def _numbered(self) -> int:
        """Say how many checkpoints are kept. What was signed counts: a row that is gone must not be forgotten."""
        row = self._connection.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        kept = None if row is None else read_checkpoint(row[0].partition("\n\n")[0] + "\n").kept
        if kept is None:  # of a version that did not count them
            kept = int(self._connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0])
        known = anchor.read(self._path, self._key.publics)
        return max(kept, known.kept or 0) if known is not None else kept

    def _origin(self) -> str:
        return origin(self._connection)


def _keep(tx: "Transaction", checkpoints: Sequence[Kept]) -> None:
    for checkpoint in checkpoints:
        tx.write(_INSERT, checkpoint)


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
        return bool(_size(connection))


def last_time(database: Path) -> datetime | None:
    """Give the time of the newest entry; None for an empty log."""
    with closing(open_reader(database)) as connection:
        row = connection.execute("SELECT at FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else parse_time(row[0])


def _of_log(connection: sqlite3.Connection, size: int) -> Checkpoint | None:
    """Say what the database's own log comes to; None where its tree has holes."""
    try:
        return Checkpoint(origin(connection), size, stored_frontier(connection, size).root)
    except IncompleteTreeError:
        return None


def origin(connection: sqlite3.Connection) -> str:
    """Name the log of a database."""
    row = connection.execute("SELECT leaf_hash FROM entries WHERE seq = 0").fetchone()
    return origin_of(None if row is None else bytes(row[0]))


def _size(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return 0 if row is None else int(row[0]) + 1
