"""kill -9 of the whole server while agents, people and Slack talk to it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bot.delivery.receiver import Receiver
from tests.crash.deeds import dice
from tests.crash.laws import broken_promises, shown
from tests.crash.load import Load, lost
from tests.crash.served import ServedWorld
from tests.world import targets_of

KILLS = 5


async def killed(folder: Path, kills: int, seed: int) -> None:
    """Kill a server so often under load, then let it tell what is left, and compare everything with everything."""
    chance = dice(seed)
    async with Receiver() as receiver, ServedWorld(folder) as world:
        load = Load(world, receiver, chance)
        load.start()
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.05, 0.8))
            await world.kill()
            await world.start()
        await world.until(load.met_everything, "a click and a permission", 60)
        await load.stop()
        await world.kill()
        world.clock.move(timedelta(seconds=60))
        await world.go_on_in_here()
        await told(world)
        ledger = world.ledger()
        world.verify_log()
        assert broken_promises(ledger) == []
        assert lost(load, receiver, ledger) == []
        asking = sorted(shown(ledger))
        packets = [packet for packet in world.load_messages() if packet.metadata]
        assert sorted(packet.metadata["event_payload"]["proposal"] for packet in packets if packet.metadata) == asking
        assert all(targets_of(packet) for packet in packets)
        assert load.created <= len(ledger.proposals)
        assert asking


async def told(world: ServedWorld) -> None:
    """Let time run until the outbox is empty."""

    async def quiet() -> bool:
        world.clock.move(timedelta(seconds=3))
        with world.db() as db:
            return bool(db.execute("SELECT 1 FROM outbox WHERE state IN ('queued', 'sending')").fetchone() is None)

    await world.until(quiet, "a quiet outbox", 60)
    assert {row["state"] for row in world.ledger().outbox} == {"done"}


async def test_a_server_that_is_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    """Five kills: each 201 has its one proposal, each proposal its one packet, each decision its callback."""
    await killed(tmp_path, KILLS, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100))
async def test_a_server_that_is_killed_all_day_loses_nothing(tmp_path: Path, seed: int) -> None:
    """The same for a release: a thousand kills, ten to a database."""
    await killed(tmp_path, 10, 1000 + seed)
