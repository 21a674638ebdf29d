"""A world for every scenario."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a whole product and stop it; whatever happened, the log must verify at the end."""
    async with World(tmp_path) as made:
        yield made
        made.verify_log()
