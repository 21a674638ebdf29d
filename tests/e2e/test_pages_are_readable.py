"""What people read outside of Slack: every word has the contrast of WCAG AA, and a keyboard is enough to press it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.slack_standin.workspace import JONAS, MAYA
from tests.bot.evidence.packed import pack, page_of
from tests.e2e.conftest import BROWSER
from tests.e2e.test_main_job import PHONE
from tests.passkey_world import PasskeyWorld, url_in

pytestmark = BROWSER

CONTRAST = (Path(__file__).parent / "page" / "contrast.js").read_text(encoding="utf-8")
OUTLINE = "node => getComputedStyle(node).outlineStyle + ' ' + getComputedStyle(node).outlineWidth"


async def addresses(world: PasskeyWorld) -> list[str]:
    """Give the pages: of a vote, of an enrolment, of an access review, of evidence."""
    await world.holding(JONAS)
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    await world.say(JONAS, "access")
    await world.settled()
    report = world.folder / "access-review.html"
    files = world.slack.world.uploads.files.values()
    report.write_bytes(next(one.content or b"" for one in files if one.name == report.name))
    evidence = world.folder / "evidence.html"
    evidence.write_text(page_of(pack(world, proposal)), "utf-8")
    pages = report.as_uri(), evidence.as_uri()
    return [url_in(await world.press(JONAS, packet)), await world.enrolment(MAYA), *pages]


async def check(page: Page) -> None:
    """Nothing is too faint, nothing wider than the window, and the first button can be found by keyboard."""
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if await page.get_by_role("button").count():
        await page.keyboard.press("Tab")
        button = page.get_by_role("button").first
        await expect(button).to_be_focused()
        assert await button.evaluate(OUTLINE) == "solid 3px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_can_be_read_by_everybody(browser: Browser, tmp_path: Path, scheme: Any) -> None:  # noqa: ANN401
    """On a phone, in the light, in the dark and on paper; a button can be pressed without a mouse, and looks as if."""
    async with PasskeyWorld(tmp_path) as world:
        context = await browser.new_context(**PHONE, color_scheme=scheme)
        page = await context.new_page()
        for address in await addresses(world):
            await page.goto(address)
            await check(page)
            await page.emulate_media(media="print")
            assert await page.evaluate(CONTRAST) == []
            await page.emulate_media(media="screen")
        await context.close()
