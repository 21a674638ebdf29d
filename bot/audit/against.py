"""Holds a log against what people outside hold of it: who covers which part, and where the log is another one.

Whoever has the key and the database can rewrite both; what stands elsewhere he cannot. It only looks.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.audit.log_format import leaf_hash
from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import counting, origin_of
from bot.audit.statements import Found, Kind, Statement

_BODIES = "SELECT body FROM entries ORDER BY seq"
_MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Cover:
    """One source's statements of one kind: how many agree with the log, and the newest: its entries and date."""

    source: str
    kind: Kind
    agree: int
    entries: int
    last: str | None = None


@dataclass(slots=True)
class Held:
    """What came of it: who covers what, what contradicts, and what is worth a note."""

    covers: list[Cover] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """How many of the first entries are covered by somebody."""
        return max((cover.entries for cover in self.covers), default=0)


def hold_against(
    connection: sqlite3.Connection,
    sources: Mapping[str, Found],
    keys: Sequence[bytes],
    retired: Mapping[bytes, int] = MappingProxyType({}),
    lost: Sequence[range] = (),
) -> Held:
    """Compare every statement of every source with the entries, whose hashes are computed anew.

    What no known key has signed covers nothing; where it contradicts the log it counts all the same, because whoever
    replaces the key must not get rid of his witnesses. Nor must whoever accepted a restore: what was said of the `lost`
    entries stays a contradiction, which names them.
    """
    held = Held()
    log = _Log(connection, {statement.size for found in sources.values() for statement in found.statements})
    for source, found in sources.items():
        if found.unread:
            held.notes.append(f"{source}: {found.unread} of its lines are none of this, such as half a checkpoint")
        held.notes += [f"{source}: {note}" for note in found.notes]
        agreeing: dict[Kind, list[Statement]] = {}
        for statement in found.statements:
            fault = log.fault(statement)
            is_signed = statement.is_signed(counting(keys, retired, statement.size))
            if fault is not None:
                signed = "" if is_signed else " (and no key that is known here has signed it)"
                held.broken.append(f"{source}: {_name(statement)} {fault}{signed}{_forked(statement, lost)}")
            elif is_signed:
                agreeing.setdefault(statement.kind, []).append(statement)
            else:
                held.notes.append(f"{source}: {_name(statement)} agrees, but no key that is known here has signed it")
        held.covers += [_cover(source, kind, statements) for kind, statements in agreeing.items()]
    held.broken, held.notes = _first(held.broken), _first(held.notes)
    return held


def _cover(source: str, kind: Kind, statements: Sequence[Statement]) -> Cover:
    largest = max(statements, key=lambda statement: statement.size)
    return Cover(source, kind, len(statements), largest.size, largest.where)


class _Log:
    """What the log comes to at some sizes."""

    def __init__(self, connection: sqlite3.Connection, sizes: set[int]) -> None:
        self._roots: dict[int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        self._origin: str | None = None
        self.size = 0
        tree = Frontier()
        self._roots[0] = tree.root
        waiting: list[bytes] = []
        last = max(sizes, default=0)
        for leaf in _leaves(connection):
            if self._origin is None:
                self._origin = origin_of(leaf)
            self.size += 1
            if self.size <= last:
                waiting.append(leaf)
            if self.size in sizes:
                tree, _ = grown(tree, waiting)
                waiting = []
                self._roots[self.size], self._heads[self.size] = tree.root, leaf

    def fault(self, statement: Statement) -> str | None:
        """Say how the log differs from a statement; None where it does not."""
        size = statement.size
        if statement.origin is not None and size and statement.origin != self._origin:
            return (
                f"is of another log, {statement.origin}: it is not of this installation, or this log was rewritten"
                " from its first entry"
            )
        if size > self.size:
            return f"has seen {size} entries, and the log has {self.size}: the last ones are missing"
        if statement.root is not None and statement.root != self._roots[size]:
            return f"has another root: the log was rewritten within its first {size} entries"
        if statement.head is not None and statement.head != self._heads[size]:
            return f"has another hash of entry {size - 1}: the log was rewritten at it or before"
        return None


def _leaves(connection: sqlite3.Connection) -> Iterator[bytes]:
    for (body,) in connection.execute(_BODIES):
        yield leaf_hash(body if isinstance(body, bytes) else str(body).encode())


def _forked(statement: Statement, lost: Sequence[range]) -> str:
    for entries in lost:
        if statement.size - 1 in entries:
            return (
                f"; entry {entries.start} says that a restore gave up entries {entries.start} to {entries.stop - 1}:"
                " this may be what was there"
            )
    return ""


def _name(statement: Statement) -> str:
    at = "" if statement.where is None else f" {statement.where}"
    return f"the {statement.kind}{at} of {statement.size} entries"


def _first(lines: list[str]) -> list[str]:
    """Keep what a person can read; how many more there are is said."""
    more = len(lines) - _MOST_FAULTS
    return lines if more <= 0 else [*lines[:_MOST_FAULTS], f"and {more} more of this kind"]
