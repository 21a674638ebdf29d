"""What is folded from few entries, and the tree over all of them: kept between transactions, checked at each.

It reads what is committed; a transaction adds its own to it.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from approval_rules.switch import Switch
from approval_rules.versions import Versions
from bot.audit.merkle import Frontier
from bot.audit.tiles import stored_frontier
from bot.store import rows
from bot.store.codec import POLICY, SWITCH, Recorded
from bot.store.rows import Loaded, Row

F = TypeVar("F")


class Folds:
    """What is folded from few entries, refolded when the newest of them is another one (another process may write)."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int | None, Any]] = {}
        self._frontier = Frontier()

    def frontier(self, connection: sqlite3.Connection, size: int) -> Frontier:
        """Give the tree over the first `size` entries, all of them committed."""
        if self._frontier.size != size:
            self._frontier = stored_frontier(connection, size)
        return self._frontier

    def grew(self, frontier: Frontier) -> None:
        """Keep what the tree has become; only after the commit."""
        self._frontier = frontier

    def switch(self, connection: sqlite3.Connection) -> Switch:
        """Give the kill switch as of this transaction."""
        return self._fold(connection, SWITCH, rows.switch_from)

    def versions(self, connection: sqlite3.Connection) -> Versions:
        """Give the policy versions as of this transaction."""
        return self._fold(connection, POLICY, rows.versions_from)

    def _fold(self, connection: sqlite3.Connection, subject: str, fold: Callable[[Iterable[Recorded]], F]) -> F:
        newest: int | None = connection.execute(rows.NEWEST_OF, {"subject": subject}).fetchone()[0]
        if subject not in self._held or self._held[subject][0] != newest:
            self._held[subject] = newest, fold(recorded_of(connection, subject))
        return cast("F", self._held[subject][1])


def recorded_of(connection: sqlite3.Connection, subject: str) -> tuple[Recorded, ...]:
    """Read everything recorded about one subject."""
    return rows.recorded_from(*_about(connection, subject))


def loaded_of(connection: sqlite3.Connection, subject: str) -> Loaded | None:
    """Load one proposal."""
    return rows.loaded(*_about(connection, subject))


def _about(connection: sqlite3.Connection, subject: str) -> tuple[list[Row], list[Row]]:
    where = {"subject": subject}
    return connection.execute(rows.ENTRIES_OF, where).fetchall(), connection.execute(rows.DETACHED_OF, where).fetchall()
