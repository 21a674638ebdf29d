"""Filling the index never stands in the way of proposals, and never takes in what another process took in."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.search.index import BATCH, indexed_and_size, next_batch, place
from bot.search.indexing import Indexer
from bot.search.words import Marker
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


async def test_a_quiet_log_is_taken_in_a_thousand_entries_a_turn(log: tuple[Path, Writer]) -> None:
    """A turn ends after forty batches, and the next goes on; one that finds nothing new changes nothing."""
    path, writer = log
    indexer = Indexer(path, writer, mark)
    whole = (42 * BATCH // ENTRIES_EACH) * ENTRIES_EACH
    grow(path, 42 * BATCH // ENTRIES_EACH)
    await indexer.look()
    assert taken_in(path) == 40 * BATCH
    await indexer.look()
    assert taken_in(path) == whole
    await indexer.look()
    assert taken_in(path) == whole


async def test_the_index_rests_while_the_log_grows_fast(log: tuple[Path, Writer]) -> None:
    """Where many entries come in while a batch is read, a turn ends with that batch; a few do not stop it."""
    path, writer = log
    grow(path, 3 * BATCH // ENTRIES_EACH)
    await Indexer(path, writer, _meanwhile(path, lambda: grow(path, BATCH // ENTRIES_EACH))).look()
    assert taken_in(path) == BATCH
    await Indexer(path, writer, _meanwhile(path, lambda: grow(path, 1))).look()
    with closing(open_reader(path)) as connection:
        assert indexed_and_size(connection)[0] == indexed_and_size(connection)[1]


def _meanwhile(path: Path, happens: Callable[[], None]) -> Marker:
    """Let something happen once, while the first batch is read."""
    begun = taken_in(path)

    def marked(word: str) -> int:
        nonlocal begun
        if begun == taken_in(path):
            begun = -1
            happens()
        return mark(word)

    return marked


async def test_two_processes_take_nothing_in_twice(log: tuple[Path, Writer]) -> None:
    """A batch that was read before another process moved on writes nothing."""
    path, writer = log
    grow(path, 3)
    with closing(open_reader(path)) as connection:
        one, other = next_batch(connection, mark), next_batch(connection, mark)
    assert one is not None
    assert other is not None
    assert await writer.run(one) == 0
    rows = _rows(path)
    assert await writer.run(other) is None
    assert _rows(path) == rows
    assert taken_in(path) == 3 * ENTRIES_EACH


def _rows(path: Path) -> list[sqlite3.Row]:
    with closing(open_reader(path)) as connection:
        return connection.execute("SELECT * FROM search_words ORDER BY 1, 2, 3, 4").fetchall()
