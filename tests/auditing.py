"""Auditors for tests: a key as the command line makes it, and what it is answered."""

from typing import Any, cast

import httpx

from bot.clock import new_token
from bot.held_keys import AUDITOR, GiveKey
from tests.world import World


async def auditor(world: World, name: str, *, values: bool = False) -> httpx.AsyncClient:
    """Make an auditor's key, and a client that has it."""
    new = await world.running.wiring.writer.run(GiveKey(AUDITOR, name, "root", new_token, (values,)))
    return world.client(new.key)


def found(answer: httpx.Response) -> dict[str, Any]:
    """Read an answer that must be one."""
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json())
