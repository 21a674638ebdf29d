"""Computes the tree over a log's entries again, and holds the kept subtrees and every checkpoint against it."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bot.audit.merkle import Frontier, grown
from bot.audit.report import Report
from bot.audit.signed_note import Checkpoint, NoteError, checkpoint_in, counting, origin_of, read_checkpoint

_NODES = "SELECT level, idx, hash FROM tree"
_CHECKPOINTS = "SELECT size, note, at FROM checkpoints ORDER BY size"
_ENOUGH = 256
_ANOTHER = "it belongs to another database, or this log was rewritten from its first entry"


class Tree:
    """Takes the leaves of a log one after the other, as its entries' bytes give them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        report: Report,
        anchor: Checkpoint | None,
        keys: Sequence[bytes],
        retired: Mapping[bytes, int] = MappingProxyType({}),
    ) -> None:
        self._report = report
        self._anchor = anchor
        self._origin = origin_of(None)
        self._frontier = Frontier()
        self._waiting: list[bytes] = []
        self._missing = 0
        self._kept = {(level, idx): bytes(node) for level, idx, node in _rows(connection, _NODES)}
        self._checkpoints = self._signed(connection, keys, retired)
        self._next = next(self._checkpoints, None)

    def add(self, leaf: bytes) -> None:
        """Take the next entry."""
        if not self._frontier.size and not self._waiting:
            self._origin = origin_of(leaf)
        self._waiting.append(leaf)
        size = self._frontier.size + len(self._waiting)
        if len(self._waiting) == _ENOUGH or size == self._stop():
            self._grow()

    def finish(self) -> None:
        """Look at what is left when the log has ended."""
        self._grow()
        size = self._frontier.size
        for level, idx in sorted(self._kept):
            self._report.add(min((idx + 1) << level, size), f"the tree keeps a subtree {idx} of level {level} too much")
        while self._next is not None:
            cut = f"the log has {size} entries and a signed checkpoint in the database is of {self._next.size}"
            self._report.add(size, f"{cut}: the last ones are missing")
            self._next = next(self._checkpoints, None)
        anchor = self._anchor
        if anchor is None:
            return
        if self._is_of_another():
            self._report.add(0, f"the anchor is of another log, {anchor.origin}: {_ANOTHER}")
        elif size < anchor.size:
            self._report.add(size, f"the last {anchor.size - size} of {anchor.size} anchored entries are missing")

    def anchored(self) -> int:
        """Give how many of the log's entries the anchor is about, whether or not they are what it says."""
        return 0 if self._anchor is None or self._is_of_another() else min(self._anchor.size, self._report.entries)

    def _is_of_another(self) -> bool:
        """Tell whether the anchor names another log than the first entry does; an empty one names none."""
        anchor = self._anchor
        return anchor is not None and anchor.size > 0 and self._frontier.size > 0 and anchor.origin != self._origin

    def _gone(self, known: Checkpoint, name: str, found: int) -> None:
        gone = (known.kept or 0) - found
        self._report.add(
            known.size, f"{name} counts {known.kept} checkpoints in the database, and {gone} of them are gone"
        )

    def _stop(self) -> int | None:
        """Give the next size at which a root must be known."""
        size = self._frontier.size
        sizes = [each.size for each in (self._next, self._anchor) if each is not None and each.size > size]
        return min(sizes, default=None)

    def _grow(self) -> None:
        if not self._waiting:
            return
        self._frontier, full = grown(self._frontier, self._waiting)
        self._waiting = []
        size = self._frontier.size
        for node in full:
            kept = self._kept.pop((node.level, node.idx), None)
            if kept != node.hash:
                self._report.add(
                    size - 1, f"the tree's subtree {node.idx} of level {node.level} is not what the log gives"
                )
        while self._next is not None and self._next.size <= size:
            self._compare(self._next, f"the signed checkpoint of {self._next.size} entries")
            self._next = next(self._checkpoints, None)
        if self._anchor is not None and self._anchor.size == size and not self._is_of_another():
            self._compare(self._anchor, "the signed anchor")

    def _compare(self, known: Checkpoint, name: str) -> None:
        if known.size and known.root != self._frontier.root:
            self._report.add(known.size - 1, f"the log differs from {name} at this entry: history was rewritten")

    def _signed(
        self, connection: sqlite3.Connection, keys: Sequence[bytes], retired: Mapping[bytes, int]
    ) -> Iterator[Checkpoint]:
        """Give the checkpoints of the database, smallest first; one that says something else is a fault."""
        rows = _rows(connection, _CHECKPOINTS)
        if self._anchor is not None and len(rows) < (self._anchor.kept or 0):
            self._gone(self._anchor, "the signed anchor", len(rows))
        for number, (size, note, at) in enumerate(rows, 1):
            known = counting(keys, retired, size)
            try:
                found = checkpoint_in(note, known) if keys else read_checkpoint(note.partition("\n\n")[0] + "\n")
            except (NoteError, ValueError) as error:
                self._report.add(size, f"the checkpoint of {size} entries in the database cannot be believed: {error}")
                continue
            if found.size != size:
                self._report.add(size, f"the checkpoint of {size} entries in the database is one of {found.size}")
                continue
            if found.at is not None and found.at != at:
                self._report.add(size, f"the checkpoint of {size} entries in the database was not signed when it says")
            if found.kept is not None and found.kept > number + self._missing:
                self._gone(found, f"the checkpoint of {size} entries", number + self._missing)
                self._missing = found.kept - number
            yield found


def _rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    """Read a table that whoever rewrote the schema may have taken away: then it keeps nothing."""
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []
