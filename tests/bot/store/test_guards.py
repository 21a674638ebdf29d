"""A database is held against what the steps make: what is gone, changed or added, and which triggers come back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import guards
from tests.world import empty_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database that nobody has touched."""
    path = tmp_path / "a.db"
    path.write_bytes(empty_database())
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def faults(connection: sqlite3.Connection) -> list[str]:
    """What is said of it."""
    return [*guards.faults(connection.execute(guards.MADE))]


def test_every_object_is_missed(database: sqlite3.Connection) -> None:
    """Each table, index and trigger by its name; what was never touched is none of them."""
    assert faults(database) == []
    found = database.execute("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    ours = [(kind, name) for kind, name in found if name not in {"alembic_version", "sqlite_sequence"}]
    triggers = [name for kind, name in ours if kind == "trigger"]
    assert len(triggers) == 9
    for kind, name in ours:
        database.execute("BEGIN")
        database.execute(f"DROP {kind} {name}")
        assert f"the {kind} {name} is gone: somebody dropped it" in faults(database)
        assert (name in guards.broken(database.execute(guards.MADE))) == (kind == "trigger")
        database.execute("ROLLBACK")


def test_what_was_changed_or_added(database: sqlite3.Connection) -> None:
    """A guard that guards nothing, a trigger of somebody else's; an index for somebody's reports is no fault."""
    database.execute("DROP TRIGGER entries_never_go")
    database.execute("CREATE TRIGGER entries_never_go BEFORE DELETE ON entries WHEN false BEGIN SELECT 1; END")
    database.execute("CREATE TRIGGER theirs AFTER INSERT ON entries BEGIN DELETE FROM people; END")
    database.execute("CREATE INDEX reports ON entries (type)")
    assert faults(database) == [
        "the trigger entries_never_go was changed",
        "there is a trigger theirs on entries that this program did not make; look what it does, and drop it",
    ]
    assert guards.broken(database.execute(guards.MADE)) == ("entries_never_go",)
