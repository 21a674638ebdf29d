"""The root at any size is exact inside the transaction that appends, whatever other units of its batch came to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from approval_rules.decide import POLICY
from approval_rules.policy_events import EnvironmentNamed
from bot.audit.merkle import EMPTY_ROOT, Frontier, grown
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.store.commit import Work, commit
from bot.store.engine import open_writer
from bot.store.folds import Folds
from bot.store.transaction import Sources, Transaction
from tests.world import empty_database

SOURCES = Sources(SteadyClock(), TimeOrderedIds(), salts)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database."""
    path = tmp_path / "foureyes.db"
    path.write_bytes(empty_database())
    with closing(open_writer(path, checkpoints=True)) as connection:
        yield connection


def root_of(db: sqlite3.Connection, size: int) -> bytes:
    """Fold the stored leaves one by one."""
    leaves = [bytes(row[0]) for row in db.execute("SELECT leaf_hash FROM entries WHERE seq < ? ORDER BY seq", (size,))]
    assert len(leaves) == size
    return grown(Frontier(), leaves)[0].root


class Unit:
    """Appends so many entries, and notes the root after each and at an earlier size; may fail at the end."""

    def __init__(self, entries: int, *, fails: bool = False) -> None:
        self.entries = entries
        self.fails = fails
        self.roots: dict[int, bytes] = {}

    def __call__(self, tx: Transaction) -> None:
        """Append, and note what the root was said to be."""
        for _ in range(self.entries):
            recorded = tx.record(EnvironmentNamed(tx.at, POLICY, "test"))
            self.roots[recorded.seq + 1] = tx.root(recorded.seq + 1)
        for size in (0, tx.size // 2, tx.size):
            self.roots[size] = tx.root(size)
        if self.fails:
            raise ValueError("a unit that broke")


def test_roots_are_those_of_what_is_committed(db: sqlite3.Connection) -> None:
    """Over several batches, past a full tile of 256, with a failing unit in the middle of each."""
    folds = Folds()
    for _ in range(4):
        units = [Unit(40), Unit(30, fails=True), Unit(0), Unit(50)]
        assert commit(db, SOURCES, folds, [Work(unit) for unit in units]) is not None
        for unit in units:
            if not unit.fails:
                assert {size: root_of(db, size) for size in unit.roots} == unit.roots
    assert units[0].roots[0] == EMPTY_ROOT
    assert db.execute("SELECT level, idx FROM tree").fetchall() == [(8, 0)]


def test_a_batch_that_was_not_written_leaves_no_trace(db: sqlite3.Connection) -> None:
    """After a commit that failed, the next one goes on from what is in the file."""
    folds = Folds()
    commit(db, SOURCES, folds, [Work(Unit(5))])

    def full(point: str) -> None:
        if point == "before-commit":
            raise sqlite3.OperationalError("disk full")

    assert commit(db, SOURCES, folds, [Work(Unit(7))], full) is None
    unit = Unit(3)
    commit(db, SOURCES, folds, [Work(unit)])
    assert unit.roots[8] == root_of(db, 8)
