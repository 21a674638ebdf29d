"""Filling the index never stands in the way of proposals, and never takes in what another process took in."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.search.index import BATCH, next_batch, place
from bot.search.indexing import Indexer
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Sources
from bot.store.writer import Writer
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.world import empty_database


def mark(word: str) -> int:
    """Give a number for a word, without a key."""
    return len(word)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[tuple[Path, Writer]]:
    """An empty log with a writer."""
    path = tmp_path / "foureyes.db"
    path.write_bytes(empty_database())
    writer = Writer(open_writer(path, checkpoints=True), Sources(SteadyClock(), TimeOrderedIds(), salts))
    yield path, writer
    writer.close()


def grow(path: Path, proposals: int) -> None:
    """Append whole lives."""
    with closing(open_writer(path, checkpoints=False)) as connection:
        write_log(connection, proposals)


def taken_in(path: Path) -> int:
    """Tell how far the index is."""
    with closing(open_reader(path)) as connection:
        return place(connection)


async def test_a_log_that_grows_fast_is_followed_slowly(log: tuple[Path, Writer]) -> None:
    """A quiet log is taken in twenty batches a turn; of one that grew by more than 200 entries it is a single batch."""
    path, writer = log
    indexer = Indexer(path, writer, mark)
    grow(path, 22 * BATCH // ENTRIES_EACH)
    await indexer.look()
    assert taken_in(path) == 20 * BATCH
    grow(path, 5 * BATCH // ENTRIES_EACH)
    await indexer.look()
    assert taken_in(path) == 21 * BATCH
    await indexer.look()
    whole = taken_in(path)
    assert whole == (22 * BATCH // ENTRIES_EACH + 5 * BATCH // ENTRIES_EACH) * ENTRIES_EACH
    await indexer.look()
    assert taken_in(path) == whole


async def test_two_processes_take_nothing_in_twice(log: tuple[Path, Writer]) -> None:
    """A batch that was read before another process moved on writes nothing."""
    path, writer = log
    grow(path, 3)
    with closing(open_reader(path)) as connection:
        one, other = next_batch(connection, mark), next_batch(connection, mark)
    assert one is not None
    assert other is not None
    assert await writer.run(one)
    rows = _rows(path)
    assert not await writer.run(other)
    assert _rows(path) == rows
    assert taken_in(path) == 3 * ENTRIES_EACH


def _rows(path: Path) -> list[sqlite3.Row]:
    with closing(open_reader(path)) as connection:
        return connection.execute("SELECT * FROM search_words ORDER BY 1, 2, 3, 4").fetchall()
