"""Opening the database: who may write, what is refused, and what no statement can do."""

import asyncio
import gc
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import schema
from bot.store.engine import StoreUnavailableError, database_path, lock_server, open_reader, open_writer
from bot.store.reads import Reads
from tests.bot.store.conftest import Store
from tests.bot.store.schema_text import FILE, made
from tests.world import empty_database


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://x/y", "sqlite+aiosqlite:///", "sqlite+aiosqlite:///:memory:", "foureyes.db", ""]
)
def test_only_a_file_is_a_database(url: str) -> None:
    """Any other address is refused in words."""
    with pytest.raises(StoreUnavailableError, match="SQLite file"):
        database_path(url)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Opening makes no file: a wrong path is said, not filled with an empty database."""
    for opener in (open_reader, lambda path: open_writer(path, checkpoints=True)):
        with pytest.raises(StoreUnavailableError, match="there is no database"):
            opener(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "no#1.db", "äöü.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    """A path with characters that mean something in an address opens exactly that file."""
    path = tmp_path / name
    path.write_bytes(empty_database())
    with closing(open_writer(path, checkpoints=True)) as writer, closing(open_reader(path)) as reader:
        writer.execute("INSERT INTO facts VALUES ('a', 'b')")
        assert reader.execute("SELECT value FROM facts").fetchall() == [("b",)]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """A reading connection refuses to write."""
    path = tmp_path / "a.db"
    path.write_bytes(empty_database())
    with closing(open_reader(path)) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO facts VALUES ('a', 'b')")


def test_the_writer_is_durable(db: sqlite3.Connection) -> None:
    """WAL with synchronous FULL, foreign keys on, no memory map."""
    found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["wal", 2, 1]


@pytest.mark.parametrize(
    "sql", ["UPDATE entries SET at = 'x'", "DELETE FROM entries", "UPDATE entries SET body = x'00' WHERE seq = 0"]
)
def test_the_log_is_append_only(db: sqlite3.Connection, sql: str) -> None:
    """The database itself refuses to change or to delete an entry."""
    db.execute("INSERT INTO entries VALUES (0, 's', 't', 'a', x'00', zeroblob(32))")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(sql)


def test_one_server_at_a_time(tmp_path: Path) -> None:
    """The second lock is refused with the first one's process; it is free again once the first is closed."""
    path = tmp_path / "a.db"
    with lock_server(path), pytest.raises(StoreUnavailableError, match=r"process [0-9]+"):
        lock_server(path)
    lock_server(path).close()


def test_the_schema_must_be_this_programs(tmp_path: Path) -> None:
    """An empty file, an older or a newer schema is refused, and upgrading twice changes nothing."""
    path = tmp_path / "a.db"
    path.touch()
    with pytest.raises(StoreUnavailableError, match="db upgrade"):
        schema.require_current(path)
    schema.upgrade(path)
    schema.upgrade(path)
    schema.require_current(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(StoreUnavailableError):
        schema.require_current(path)
    with pytest.raises(StoreUnavailableError, match="newer"):
        schema.upgrade(path)


async def test_a_database_that_cannot_be_read_is_unavailable(store: Store) -> None:
    """An error while reading is an outage that every edge knows, whichever way the rows are read."""
    reads = Reads(store.path)
    try:
        with pytest.raises(StoreUnavailableError, match="could not be read"):
            await reads.glance().rows("SELECT * FROM nowhere", {})
        with pytest.raises(StoreUnavailableError, match="could not be read"):
            await _looked_up(reads)
    finally:
        await reads.close()


async def _looked_up(reads: Reads) -> None:
    async with reads.snapshot() as snapshot:
        await snapshot.rows("SELECT * FROM nowhere", {})


async def test_whoever_reads_ends_before_the_reading_is_put_away(store: Store) -> None:
    """A connection that came back to a pool put away would stay open for ever: closing waits for it."""
    reads = Reads(store.path)
    async with reads.snapshot() as snapshot:
        closing_down = asyncio.create_task(reads.close())
        await asyncio.sleep(0)
        assert await snapshot.rows("SELECT 1", {}) == [(1,)]
        assert not closing_down.done()
    await closing_down
    with pytest.raises(StoreUnavailableError, match="stopping"):
        await _looked_up(reads)
    gc.collect()  # a connection left open warns when it is collected, and a warning fails the test


def test_the_file_says_what_the_steps_make() -> None:
    """schema.sql is the schema; after a step was added: `python -m tests.bot.store.schema_text`."""
    assert FILE.read_text("utf-8") == made()
