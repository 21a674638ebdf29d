"""Signed checkpoints in the database: each 256 entries, each minute, and at the end; every one fits the log."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.anchoring import AT_LEAST_EVERY, EVERY, Anchoring
from bot.audit.signed_note import checkpoint_in
from bot.audit.verify import verify
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.keys import generate
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Sources
from bot.store.writer import Writer
from tests.bot.audit.signing import checkpoint_of
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.movable_clock import MovableClock
from tests.world import empty_database

KEY = generate()
KEYS = [KEY.public_bytes()]


class Log:
    """A growing log, and what signs it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "foureyes.db"
        self.path.write_bytes(empty_database())
        self.clock = MovableClock()
        self.head = folder / "foureyes.head"
        self.anchoring = Anchoring(self.path, self.head, KEY, self.clock)
        connection = open_writer(self.path, checkpoints=True)
        self.writer = Writer(connection, Sources(SteadyClock(), TimeOrderedIds(), salts))

    def grow(self, entries: int) -> None:
        """Append so many entries, and a few more where they come in sevens."""
        with closing(open_writer(self.path, checkpoints=True)) as connection:
            write_log(connection, -(-entries // ENTRIES_EACH))

    def kept(self) -> list[int]:
        """The sizes that are kept; each is signed, and is what the entries come to."""
        with closing(open_reader(self.path)) as db:
            found = db.execute("SELECT size, note FROM checkpoints ORDER BY size").fetchall()
            for size, note in found:
                assert checkpoint_in(note, KEYS) == checkpoint_of(db, size)
            assert verify(db, None, KEYS).broken == []
        return [size for size, _ in found]

    def size(self) -> int:
        """How many entries there are."""
        with closing(sqlite3.connect(self.path)) as db:
            return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log of its own."""
    made = Log(tmp_path)
    yield made
    made.anchoring.close()
    made.writer.close()


async def test_each_256_entries_are_signed(log: Log) -> None:
    """Whatever came between two looks, no full tile is left out; a second look signs nothing."""
    log.grow(EVERY + 9)
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == [EVERY]
    log.grow(3 * EVERY)
    for _ in range(2):
        await log.anchoring.keep_due(log.writer)
        assert log.kept() == [EVERY, 2 * EVERY, 3 * EVERY, 4 * EVERY]


async def test_a_minute_old_log_is_signed_and_so_is_the_last(log: Log) -> None:
    """A quiet log waits a minute at most, and not at all where the server ends; one that did not grow is not signed."""
    log.grow(7)
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == []
    log.clock.move(AT_LEAST_EVERY - timedelta(seconds=1))
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == []
    log.clock.move(timedelta(seconds=2))
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == [log.size()]
    log.clock.move(AT_LEAST_EVERY * 2)
    await log.anchoring.keep_due(log.writer)
    before = log.size()
    assert log.kept() == [before]
    log.grow(7)
    await log.anchoring.keep_due(log.writer, last=True)
    assert log.kept() == [before, log.size()]


async def test_another_start_goes_on_where_the_last_ended(log: Log) -> None:
    """What was kept is not signed again, and what was missed while nobody looked is."""
    log.grow(EVERY)
    await log.anchoring.keep_due(log.writer, last=True)
    first = log.kept()
    log.anchoring.close()
    log.grow(2 * EVERY)
    log.anchoring = Anchoring(log.path, log.head, KEY, log.clock)
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == sorted({*first, 2 * EVERY, 3 * EVERY})


async def test_a_log_from_before_checkpoints_gets_its_newest_first(log: Log) -> None:
    """A long past is not signed piece by piece: what covers it all is enough."""
    log.grow(4 * EVERY)
    await log.anchoring.keep_due(log.writer)
    assert log.kept() == [4 * EVERY]
