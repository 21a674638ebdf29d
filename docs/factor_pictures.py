# ruff: noqa: INP001 - beside the program that uses it
"""An authenticator app: its enrolment on a phone, who confirms it, and the code that an approval asks for."""

from pathlib import Path
from typing import Final

import pyotp
from playwright.async_api import Page

from bot.slack_standin.workspace import AGENT_OPS, JONAS
from docs.camera import ON_PHONE, Camera, SetClock
from docs.packet_pictures import REFUND
from tests.passkey_world import PasskeyWorld

_TALL: Final = (360, 1000)


async def photograph_codes(camera: Camera, folder: Path) -> None:
    """Let Jonas enrol an app on his phone, have it confirmed, and be asked for its code."""
    world = PasskeyWorld(folder, "totp")
    world.clock = SetClock()
    async with world:
        async with camera.open(await _link(world), _TALL, **ON_PHONE) as page:
            await _enrol(camera, page, world)
        await world.settled()
        async with camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
            await page.locator("#channel-select").select_option(AGENT_OPS, force=True)
            await camera.take("message-factor", page.locator(".message").last)
        await world.confirm(JONAS)
        packet = await world.packet_of(await world.propose(**REFUND))
        await world.slack.click(JONAS, packet.channel, packet.ts, "approve")
        for name, size, how in (("dialog-code", camera.card, {}), ("dialog-code-phone", (360, 740), ON_PHONE)):
            async with camera.look(f"{world.slack.url}?as={JONAS}", size, **how) as page:
                dialog = page.get_by_role("dialog")
                await dialog.wait_for()
                await camera.take(name, dialog)


async def _link(world: PasskeyWorld) -> str:
    await world.say(JONAS, "factor add totp")
    note = world.slack.ephemerals(JONAS)[-1]
    return str(next(one["url"] for block in note.blocks for one in block.get("elements", []) if "url" in one))


async def _enrol(camera: Camera, page: Page, world: PasskeyWorld) -> None:
    await camera.take("enrol-app", page)
    await page.get_by_role("button").click()
    await page.get_by_role("img", name="QR code").wait_for()
    await camera.take("enrol-app-scan", page, whole=True)
    app = pyotp.TOTP((await page.locator(".code").inner_text()).replace(" ", ""))
    await page.get_by_label("Six digits").fill(app.at(world.clock()))
    await page.get_by_role("button").click()
    await page.get_by_role("heading", name="Your recovery codes").wait_for()
    await camera.take("enrol-app-codes", page, whole=True)
