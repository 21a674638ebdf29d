"""The watch over the policy folder: good changes come into force and are recorded, broken ones only raise the alarm."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from approval_rules.policy_events import PolicyActivated, PolicyLoaded
from bot.clock import SteadyClock, TimeOrderedIds, salts
from bot.desk.wiring import PolicyInForce
from bot.metrics import Metrics
from bot.policy_files import load
from bot.policy_watch import PolicyWatch
from bot.store.engine import StoreUnavailableError, open_reader, open_writer
from bot.store.reads import Reads
from bot.store.transaction import Sources
from bot.store.writer import Writer
from tests.bot.test_policy_bad_input import BAD_PAGES
from tests.ledger import Ledger
from tests.world import empty_database

GOOD = "policy: {tool: pay, rules: [{allow: true}]}\n"
STRICTER = "policy: {tool: pay, rules: [{block: true}]}\n"
BROKEN = "policy: {tool: pay, rules: [{alow: true}]}\n"


class Failing(Writer):
    """A writer that can be told that the disk is full."""

    full = False

    async def run(self, unit: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any unit's result
        """Run a unit, or fail as the store does."""
        if self.full:
            raise StoreUnavailableError("the database could not be written: disk full")
        return await super().run(unit)


@dataclass
class Watched:
    """A watch over one file."""

    file: Path
    database: Path
    policy: PolicyInForce
    writer: Failing
    metrics: Metrics
    watch: PolicyWatch
    ticks: int = 0

    def write(self, text: str) -> None:
        """Write the policy; the time of change differs even on a coarse file system."""
        self.ticks += 1
        self.file.write_text(text, "utf-8")
        os.utime(self.file, (self.ticks, self.ticks))

    def recorded(self) -> list[tuple[str, str]]:
        """List what came into force, and what was refused."""
        with closing(open_reader(self.database)) as connection:
            events = [item.event for item in Ledger.read(connection).recorded]
        return [
            (event.version, event.change if isinstance(event, PolicyLoaded) else event.why)
            for event in events
            if isinstance(event, PolicyLoaded | PolicyActivated)
        ]

    def alarm(self) -> bool:
        """Tell whether Prometheus sees the alarm."""
        return b"foureyes_policy_reload_failed 1.0" in self.metrics.exposition()[0]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """A folder with a good policy in force."""
    folder, database = tmp_path / "policy", tmp_path / "foureyes.db"
    folder.mkdir()
    database.write_bytes(empty_database())
    (folder / "pay.yml").write_text(GOOD, "utf-8")
    writer = Failing(open_writer(database, checkpoints=True), Sources(SteadyClock(), TimeOrderedIds(), salts))
    reads = Reads(database)
    policy, metrics = PolicyInForce(load(folder)), Metrics()
    watch = PolicyWatch(folder, None, policy, writer, reads, metrics, SteadyClock())
    await watch.look()
    yield Watched(folder / "pay.yml", database, policy, writer, metrics, watch)
    await reads.close()
    writer.close()


async def test_a_good_change_comes_into_force_and_is_recorded(watched: Watched) -> None:
    """Each version stands in the log once, the one of the start too."""
    first = watched.policy.folder.version
    await watched.watch.look()
    await watched.watch.look()
    watched.write(STRICTER)
    await watched.watch.look()
    second = watched.policy.folder.version
    assert second == load(watched.file.parent).version != first
    await watched.watch.look()
    assert watched.recorded() == [(first, "first"), (second, "changed")]
    assert not watched.alarm()


async def test_a_broken_folder_keeps_the_old_policy_and_raises_the_alarm_once(watched: Watched) -> None:
    """The fault names file, line and column; it is recorded once, however long it stays; a new fault is a new one."""
    old = watched.policy.folder
    watched.write(BROKEN)
    await watched.watch.look()
    watched.write(BROKEN)
    await watched.watch.look()
    assert watched.policy.folder is old
    assert watched.watch.fault is not None
    assert watched.watch.fault.startswith(f"{watched.file}:1:")
    assert watched.alarm()
    assert watched.recorded()[1:] == [(old.version, "refused")]
    watched.write("policy: [")
    await watched.watch.look()
    assert watched.recorded()[1:] == [(old.version, "refused")] * 2


async def test_passkeys_without_a_page_are_a_broken_folder(watched: Watched) -> None:
    """Where no address is set nobody could approve by them, so the old policy stays; with the address it comes."""
    old = watched.policy.folder
    (watched.file.parent / "roles.yml").write_text("roles: {boss: {users: [U0AAA, U0BBB]}}\n", "utf-8")
    watched.write("policy: {tool: pay, rules: [{require_approval: {role: boss, step_up: passkey}}]}\n")
    await watched.watch.look()
    assert watched.policy.folder is old
    assert watched.watch.fault is not None
    assert watched.watch.fault.startswith(f"{watched.file}:1:29: rule 1 asks for a passkey")
    watched.write("policy: {tool: pay, rules: [{require_approval: {role: boss, step_up: totp}}]}\n")
    await watched.watch.look()
    assert watched.watch.fault is None


async def test_a_folder_that_is_gone_is_looked_for_again(watched: Watched) -> None:
    """A folder that vanishes (a deploy, a mount) is refused, and back in force as soon as it is back."""
    moved = watched.file.parent.rename(watched.file.parent.with_name("elsewhere"))
    await watched.watch.look()
    assert watched.alarm()
    moved.rename(watched.file.parent)
    await watched.watch.look()
    assert watched.watch.fault is None
    assert not watched.alarm()


async def test_a_change_back_clears_the_alarm_without_a_new_version(watched: Watched) -> None:
    """Undoing a mistake is not a new policy."""
    old = watched.policy.folder.version
    watched.write(BROKEN)
    await watched.watch.look()
    watched.write(GOOD)
    await watched.watch.look()
    assert watched.watch.fault is None
    assert not watched.alarm()
    assert watched.recorded()[1:] == [(old, "refused")]


@pytest.mark.parametrize(("text", "change"), [(STRICTER, "changed"), (BROKEN, "refused")])
async def test_what_cannot_be_recorded_is_tried_again(watched: Watched, text: str, change: str) -> None:
    """No policy comes into force, and no fault is forgotten, without its entry in the log."""
    old = watched.policy.folder
    watched.write(text)
    watched.writer.full = True
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await watched.watch.look()
    assert watched.policy.folder is old
    assert watched.recorded() == [(old.version, "first")]
    assert watched.alarm() is (change == "refused")
    watched.writer.full = False
    await watched.watch.look()
    assert [entry[1] for entry in watched.recorded()] == ["first", change]


@pytest.mark.parametrize("name", ["an anchor bomb", "10 MB", "100,000 rules", "a NUL", "a regex that explodes"])
async def test_what_is_made_to_hurt_changes_nothing(watched: Watched, name: str) -> None:
    """Nothing of such a file comes into force: the old policy stays, and the fault is told with its place."""
    old = watched.policy.folder
    watched.file.write_bytes(BAD_PAGES[name][0])
    await watched.watch.look()
    assert watched.policy.folder is old
    assert watched.watch.fault is not None
    assert watched.watch.fault.startswith(f"{watched.file}:")


async def test_a_pipe_in_the_folder_is_not_waited_for(watched: Watched) -> None:
    """A pipe where a contract should be stops no server."""
    old = watched.policy.folder
    (watched.file.parent / "contracts").mkdir()
    os.mkfifo(watched.file.parent / "contracts" / "pay.json")
    await watched.watch.look()
    assert watched.policy.folder is old
    assert "cannot be read (not a file)" in (watched.watch.fault or "")
