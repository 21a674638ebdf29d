"""Enrolling an authenticator app in a real browser: its forms are sent as our policy for pages allows, and counted."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.slack_standin.workspace import MAYA, PRIYA
from tests.e2e.conftest import BROWSER
from tests.e2e.test_passkey_pages import PHONE
from tests.passkey_world import PasskeyWorld

pytestmark = BROWSER


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[PasskeyWorld]:
    """A product whose refunds need a code."""
    async with PasskeyWorld(tmp_path, "totp") as made:
        yield made
        made.verify_log()


async def test_an_app_is_enrolled_on_a_phone(browser: Browser, world: PasskeyWorld) -> None:
    """The button, the picture, a wrong code, the right one, the recovery codes; nothing is loaded from elsewhere."""
    context = await browser.new_context(**PHONE)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await world.say(MAYA, "factor add totp")
    note = world.slack.ephemerals(MAYA)[-1]
    await page.goto(next(one["url"] for block in note.blocks for one in block.get("elements", []) if "url" in one))
    await page.get_by_role("button").click()
    picture = page.get_by_role("img", name="QR code")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.naturalWidth") > 0
    typed = await page.locator(".code").inner_text()
    app = pyotp.TOTP(typed.replace(" ", ""))
    await page.get_by_label("Six digits").fill(str((int(app.at(world.clock())) + 1) % 10**6).zfill(6))
    await page.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("4 more tries")
    await world.move(seconds=2)
    await page.get_by_label("Six digits").fill(app.at(world.clock()))
    await page.get_by_role("button").click()
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert await page.get_by_role("listitem").count() == 10
    assert {re.sub(r"/enrol/.*", "", url) for url in asked if not url.startswith("data:")} == {world.origin}
    await context.close()
    assert "counts from now on" in await world.say(PRIYA, f"factor confirm <@{MAYA}>")
