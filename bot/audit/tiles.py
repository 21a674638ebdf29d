"""Looks up any complete subtree of a stored log: from its leaf hashes, and the hashes of the kept levels above them.

It reads the database with no code of the store, and only looks. Each tile of 256 hashes is read once.
"""

import sqlite3

from bot.audit.merkle import KEPT, Frontier, frontier_of, node_hash

_LEAVES = "SELECT leaf_hash FROM entries WHERE seq >= :first AND seq < :end ORDER BY seq"
_NODES = "SELECT hash FROM tree WHERE level = :level AND idx >= :first AND idx < :end ORDER BY idx"
_WIDTH = 1 << KEPT


class IncompleteTreeError(Exception):
    """Leaves or kept subtrees that should be there are not; the message says which."""


class StoredNodes:
    """A `NodeAt` over one read transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Give the hash of a complete subtree; raises IncompleteTreeError."""
        above = level % KEPT
        first = index << above
        tile = self._tile(level - above, first // _WIDTH)
        begin = first % _WIDTH
        row = tile[begin : begin + (1 << above)]
        if len(row) < 1 << above:
            raise IncompleteTreeError(f"the tree has no complete subtree {index} of level {level}")
        while len(row) > 1:
            row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
        return row[0]

    def _tile(self, level: int, index: int) -> list[bytes]:
        key = level, index
        if key not in self._tiles:
            bounds = {"first": index * _WIDTH, "end": (index + 1) * _WIDTH, "level": level}
            found = self._connection.execute(_NODES if level else _LEAVES, bounds)
            self._tiles[key] = [bytes(row[0]) for row in found]
        return self._tiles[key]


def stored_frontier(connection: sqlite3.Connection, size: int) -> Frontier:
    """Look up the frontier of the first `size` entries; raises IncompleteTreeError."""
    return frontier_of(size, StoredNodes(connection))
