"""The tree over the log while a transaction appends to it: its root at any size, and what a dropped unit added undone.

It computes and remembers; it never writes.
"""

import sqlite3

from bot.audit.merkle import Frontier, Full, grown
from bot.audit.tiles import stored_frontier
from bot.store.folds import Folds


class GrowingTree:
    """The tree over the committed `size` entries and what came on top of them."""

    def __init__(self, connection: sqlite3.Connection, folds: Folds, size: int) -> None:
        self._db = connection
        self._folds = folds
        self._size = size
        self._states: list[Frontier] = []

    def append(self, leaf: bytes) -> list[Full]:
        """Take the next entry; gives each subtree of a kept level that it completes."""
        if not self._states:  # only whoever appends needs the tree that stands
            self._states = [self._folds.frontier(self._db, self._size)]
        state, full = grown(self._states[-1], (leaf,))
        self._states.append(state)
        return full

    def take_back(self, size: int) -> None:
        """Forget what came after the first `size` entries."""
        del self._states[size - self._size + 1 :]

    def root(self, size: int) -> bytes:
        """Give the root over the first `size` entries."""
        if size > self._size:
            return self._states[size - self._size].root
        return stored_frontier(self._db, size).root

    def landed(self) -> None:
        """Note that what was appended is committed."""
        if self._states:
            self._folds.grew(self._states[-1])
