# ruff: noqa: INP001 - a program beside the text that it illustrates, not a package
"""The pictures of docs/passkeys.md: a passkey asked for in Slack, on the page at a desk and on a phone.

`docs/pictures.py` runs it. It must never draw anything itself.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page

from bot.slack_standin.workspace import JONAS, MAYA
from tests.movable_clock import MovableClock
from tests.passkey_world import AUTHENTICATOR, PasskeyWorld, url_in

Take = Callable[[str, Page | Locator], Awaitable[None]]

SIZES: Final[dict[str, dict[str, Any]]] = {
    "confirm-desktop": {"viewport": {"width": 1280, "height": 1000}},
    "confirm-dark": {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
    "confirm-phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}
_TALL: Final = {"viewport": {"width": 360, "height": 1240}, "is_mobile": True, "has_touch": True}


async def photograph_passkeys(
    browser: Browser, take: Take, folder: Path, clock: MovableClock, refund: dict[str, Any]
) -> None:
    """Let Jonas be asked, at a desk, in the dark and on a phone; then Maya enrols and approves on hers."""
    world = PasskeyWorld(folder)
    world.clock = clock
    async with world:
        await world.holding(JONAS)
        packet = await world.packet_of(await world.propose(**refund))
        for name, size in SIZES.items():
            context = await browser.new_context(**size, device_scale_factor=2)
            page = await context.new_page()
            await page.goto(url_in(await world.press(JONAS, packet)))
            await take(name, page)
            await context.close()
        context = await browser.new_context(**_TALL, device_scale_factor=2)
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await page.goto(await world.enrolment(MAYA))
        await take("enrol-passkey", page)
        await page.get_by_role("button").click()
        await page.get_by_text("another person must confirm it in Slack.").last.wait_for()
        await world.confirm(MAYA)
        await page.goto(url_in(await world.press(MAYA, packet)))
        await page.get_by_role("button").click()
        await page.get_by_text("Your approval counts").wait_for()
        await take("confirm-done", page)
        await context.close()
        await _photograph_modal(browser, take, world)


async def _photograph_modal(browser: Browser, take: Take, world: PasskeyWorld) -> None:
    """Photograph the way to the page as Jonas has it before him in Slack."""
    context = await browser.new_context(viewport={"width": 720, "height": 2400}, device_scale_factor=2)
    page = await context.new_page()
    await page.goto(f"{world.slack.url}?as={JONAS}")
    dialog = page.get_by_role("dialog", name="One step more")
    await dialog.wait_for()
    await take("dialog-passkey", dialog)
    await context.close()
