"""Who is registered: rights that changed without a decision are told, also when an event has them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from approval_rules.events import AgentChanged
from approval_rules.people import Agent, AgentId, PersonId, ToolName, operator
from bot.store.registered import Registry
from tests.world import empty_database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = Agent(AgentId("a"), "bot", PersonId("o"), (ToolName("x"),))
ADDED = AgentChanged(NOON, operator(PersonId("p")), BOT, "added")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database in which somebody put one agent with one key."""
    (tmp_path / "foureyes.db").write_bytes(empty_database())
    with closing(sqlite3.connect(tmp_path / "foureyes.db", isolation_level=None)) as connection:
        at = "2026-11-22T12:00:00.000000Z"
        connection.execute("INSERT INTO agents VALUES ('a', 'bot', 'o', '[\"x\"]', '[]', 1, ?, NULL)", (at,))
        connection.execute("INSERT INTO agent_keys VALUES ('k', 'a', 'hash', ?, NULL)", (at,))
        yield connection


def faults(db: sqlite3.Connection, *events: object) -> list[str]:
    """Let the log have these events."""
    registry = Registry()
    for event in events:
        registry.note(event)
    return list(registry.faults(db))


def test_what_was_added_is_what_is_there(db: sqlite3.Connection) -> None:
    """The rows of an agent that the log knows are no fault; those of one that it does not know are two."""
    assert faults(db, ADDED, "something else") == []
    assert faults(db) == [
        "agent a is in the index and not in the log",
        "the keys of agent a are not those that the log says were made",
    ]


@pytest.mark.parametrize(
    "rights", [{"tools": (ToolName("x"), ToolName("y"))}, {"owner": PersonId("other")}, {"callback_hosts": ("evil",)}]
)
def test_rights_that_somebody_wrote_into_the_table_are_not_washed_clean(
    db: sqlite3.Connection, rights: dict[str, object]
) -> None:
    """Whoever changes a row and then rotates the key has the new rights in an event, and is found all the same."""
    changed = replace(BOT, **rights)  # type: ignore[arg-type]
    later = AgentChanged(NOON + timedelta(hours=1), ADDED.by, changed, "rotated")
    assert "agent a had other rights when it was rotated than when added" in faults(db, ADDED, later)
