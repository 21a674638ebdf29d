"""A store on a file: the writer with everything that it needs, and a second pair of eyes."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.store.commit import Committed
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Sources, Transaction
from bot.store.writer import Writer
from tests.world import empty_database


class Store:
    """One writer on one database file. `commits` lists what was committed together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits: list[Committed] = []
        self.points: list[str] = []
        self.at_point: Callable[[str], None] = self.points.append
        self.connection = open_writer(path, checkpoints=True)
        self.writer = Writer(
            self.connection,
            Sources(SteadyClock(), TimeOrderedIds(), salts),
            on_commit=self.commits.append,
            crash_point=lambda point: self.at_point(point),  # noqa: PLW0108 - a test changes it later
        )

    def look(self, sql: str) -> list[tuple[object, ...]]:
        """Read what another process would see now."""
        with closing(open_reader(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def facts(self) -> set[str]:
        """Name the facts that are committed."""
        return {str(row[0]) for row in self.look("SELECT name FROM facts")}

    async def together(self, *units: Callable[[Transaction], object]) -> list[object]:
        """Run units in one batch; gives each one's result or error."""
        held, gate = threading.Event(), threading.Event()

        def hold(_tx: Transaction) -> None:
            held.set()
            gate.wait(10)

        first = asyncio.create_task(self.writer.run(hold))
        await asyncio.to_thread(held.wait, 10)
        tasks = [asyncio.create_task(self.writer.run(unit)) for unit in units]
        await asyncio.sleep(0)
        gate.set()
        _, *results = await asyncio.gather(first, *tasks, return_exceptions=True)
        return results


def fact(name: str) -> Callable[[Transaction], str]:
    """Make a unit that writes one row and gives its name."""

    def unit(tx: Transaction) -> str:
        tx.write("INSERT INTO facts (name, value) VALUES (?, ?)", (name, "x"))
        return name

    return unit


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store on a new file."""
    path = tmp_path / "foureyes.db"
    path.write_bytes(empty_database())
    made = Store(path)
    yield made
    made.writer.close()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open a new database as its administrator would."""
    path = tmp_path / "admin.db"
    path.write_bytes(empty_database())
    with closing(open_writer(path, checkpoints=True)) as connection:
        yield connection
