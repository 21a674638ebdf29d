"""A world for every scenario."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.factors import FakeFactors
from tests.red_world import POLICY, rewrite
from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a whole product and stop it; whatever happened, the log must verify at the end."""
    async with World(tmp_path) as made:
        yield made
        made.verify_log()


@pytest.fixture
def factors() -> Iterator[FakeFactors]:
    """Everybody holds a passkey; only the six digits are wrong or right."""
    made = FakeFactors()
    with patch("bot.desk.second_factors.StartProofs", lambda *_: made):
        yield made


@pytest.fixture
async def red(world: World, factors: FakeFactors) -> World:
    """A world where Maya may start what is over 500, and Jonas and Priya are finance."""
    await world.stop()
    rewrite(world, POLICY)
    world.public_url = "https://approvals.example.com"
    await world.start()
    assert factors.asked == []
    return world
