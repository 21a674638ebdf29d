# ruff: noqa: INP001 - beside the program that uses it
"""What is red: blocked, started by a person at a desk and on a phone, and what came of it."""

from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from bot.slack_standin.workspace import JONAS, MAYA
from docs.camera import PHONE, Camera, SetClock
from tests.factors import FakeFactors
from tests.red_world import POLICY, fill, prove, rewrite, the_start
from tests.world import World

RED: Final[dict[str, Any]] = {
    "amount": 750,
    "arguments": {"amount_usd": 750, "order_id": "ORD-20466", "customer_id": "CUS-1187"},
    "summary": "The whole order was lost in the fire at the warehouse.",
}


async def photograph_red(camera: Camera, folder: Path) -> None:
    """Let a person start a blocked refund: the packet, the form at a desk and on a phone, and what came of it."""
    world = World(folder)
    world.clock = SetClock()
    world.public_url = "http://localhost:8000"
    rewrite(world, POLICY)
    with patch("bot.desk.second_factors.StartProofs", lambda *_: FakeFactors()):
        async with world:
            packet = await world.packet_of(await world.propose(**RED))
            async with camera.look(world.slack.url, camera.card) as page:
                await camera.take("packet-red-blocked", page.locator(f'.message[data-key="{packet.ts}"]'))
            for name, size in (("dialog-start-phone", PHONE), ("dialog-start", camera.card)):
                async with camera.look(f"{world.slack.url}?as={MAYA}", size) as page:
                    await page.get_by_role("button", name="Start it myself").last.click()
                    dialog = page.get_by_role("dialog")
                    await dialog.wait_for()
                    await camera.take(name, dialog)
                    if size == PHONE:
                        await page.keyboard.press("Escape")
                        await dialog.wait_for(state="detached")
            await fill(world, MAYA, world.slack.modals(MAYA)[-1], "750")
            await prove(world, MAYA)
            packet = await world.packet_of(the_start(world).proposal)
            async with camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
                await camera.take("packet-red", page.locator(f'.message[data-key="{packet.ts}"]'))
