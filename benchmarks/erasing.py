"""What the end of a day's term costs: its values recorded and made unreadable; then their rows dropped."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from approval_rules.canonical import Digest
from approval_rules.events import SubmitRefused
from approval_rules.people import Actor, ActorKind, ProposalId, ToolName
from approval_rules.text import AgentJson, AgentText
from benchmarks.figures import Figure
from benchmarks.names import TOOL
from benchmarks.place import SOURCES
from bot.clock import new_token, salts
from bot.data_keys import MARK, DataKeys, create
from bot.retention import RETENTION
from bot.store import erasing, schema
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.holds import end_terms
from bot.store.transaction import Sources, Transaction

_EACH = 3  # values of one entry: a detail for 30 days, a digest and a run for 365
_AGENT = Actor(ActorKind.AGENT, "agent_1")
_TOOL = ToolName(TOOL)
_DETAIL = AgentText("The customer was charged twice for one order, and the second charge must go back today.")
_RUN = AgentJson({"id": "run-1", "model": "m-4", "prompt_version": "7", "tool_calls": 3})


def erase(*, quick: bool) -> Iterator[Figure]:
    """Erase a few days, one after the other, each with all its values under the keys of two terms."""
    values, rounds = (20_000, 3) if quick else (200_000, 3)
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        database, file = Path(folder) / "foureyes.db", Path(folder) / "foureyes.data-keys"
        schema.upgrade(database)
        create(file)
        vault = DataKeys(file, new_token)
        with closing(open_writer(database, checkpoints=True, vault=vault)) as connection:
            took = [_day(connection, vault, values, days_ago=400 - number) for number in range(rounds)]
    name = f"erase: {values // 1000},000 values of a day"
    yield Figure(f"{name}, unreadable", [unreadable for unreadable, _ in took], "s", 1, at_most=True)
    yield Figure(f"{name}, rows dropped", [dropped for _, dropped in took], "s")


def _day(connection: sqlite3.Connection, vault: DataKeys, values: int, *, days_ago: int) -> tuple[float, float]:
    """Give the seconds until nobody can read a day's values, and until their rows are dropped too."""
    then = SOURCES.clock() - timedelta(days=days_ago)
    past = Sources(lambda: then, SOURCES.new_id, salts, vault)
    now = Sources(SOURCES.clock, SOURCES.new_id, salts, vault)
    run_now(connection, past, lambda tx: _refuse(tx, values // _EACH + 1))
    due = {str(key) for key in vault.names() if not key.tag.startswith(MARK)}
    begun = time.perf_counter()
    run_now(connection, now, lambda tx: end_terms(tx, vault, due, RETENTION))
    vault.shred(due)
    unreadable = time.perf_counter() - begun
    while run_now(connection, now, erasing.drop_some):
        pass
    dropped = time.perf_counter() - begun
    if connection.execute("SELECT count(*) FROM main.detached").fetchone()[0]:
        raise RuntimeError("values are left")
    return unreadable, dropped


def _refuse(tx: Transaction, count: int) -> None:
    for number in range(count):
        digest, proposal = Digest(f"sha256:{number:064x}"), ProposalId(tx.new_id("prop"))
        tx.record(SubmitRefused(tx.at, _AGENT, proposal, _TOOL, "contract-violation", _DETAIL, digest, _RUN))
