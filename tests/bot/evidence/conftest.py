"""A world for every pack."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a whole product and stop it."""
    async with World(tmp_path / "world") as made:
        yield made
