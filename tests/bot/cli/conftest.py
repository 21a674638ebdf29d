"""A shell beside a running server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.world import BOT_TOKEN, SIGNING_SECRET, World


@pytest.fixture
async def living(shell: Shell, tmp_path: Path) -> AsyncIterator[Living]:
    """Start a server, and set the shell up for its files and its agent."""
    async with World(tmp_path / "world") as world:
        found = world.settings
        shell.set(
            FOUREYES_DATABASE_URL=found.database_url,
            FOUREYES_POLICY=found.policy,
            FOUREYES_SIGNING_KEY_FILE=found.signing_key_file,
            FOUREYES_AGENT_KEY=world.agent.key,
            SLACK_API_URL=found.slack_api_url,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_SIGNING_SECRET=SIGNING_SECRET,
        )
        yield Living(world, shell)
