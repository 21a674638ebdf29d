"""A running demo without Slack's pace, and a browser's stand-in that asks for what the page asks for."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.demo.routes import DemoRoutes
from bot.demo.stage import AT_ONCE, Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything that plays, with the page's routes."""
    routes = DemoRoutes()
    async with staged(tmp_path, pace=AT_ONCE, routes=routes.routes()) as running:
        routes.stage = running
        yield running


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """What a browser on the page can ask for."""
    async with httpx.AsyncClient(base_url=stage.slack.url) as client:
        yield client
