"""The weekly review in a real browser: whole at a desk, nothing beside the edge of a phone, black on white on paper."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.slack_standin.workspace import JONAS, MAYA
from tests.e2e.conftest import BROWSER
from tests.paged_world import PagedWorld

pytestmark = BROWSER
LONG = "W" * 78
Link = Callable[[], Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def link(tmp_path: Path) -> AsyncIterator[Link]:
    """Give links to a busy week's report, in which somebody has a hostile, very long name; each opens once."""
    async with PagedWorld(tmp_path) as world:
        world.workspace.change_user(JONAS, real_name=f"<b>{LONG}</b>")
        message = await world.busy_week()

        async def another() -> str:
            return await world.review_link(MAYA, message)

        yield another


async def test_it_reads_on_every_screen(browser: Browser, link: Link) -> None:
    """Nothing is loaded or refused, nothing runs off a phone's edge, and the table is one click away."""
    heard: list[str] = []
    for width, height in ((1280, 900), (360, 740)):
        context = await browser.new_context(viewport={"width": width, "height": height})
        page = await context.new_page()
        heard.clear()
        page.on("console", lambda message: heard.append(message.text))
        page.on("request", lambda request: heard.append(request.url))
        address = await link()
        await page.goto(address)
        await expect(page.get_by_role("heading", name="Weekly review: support_manager")).to_be_visible()
        await expect(page.get_by_text("Decided in under five seconds (3)")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await page.locator("b").count() == 0
        assert [line for line in heard if "favicon" not in line] == [address]
        async with page.expect_download() as table:
            await page.get_by_role("link", name="weekly-review.csv").click()
        assert (await table.value).suggested_filename == "weekly-review.csv"
        await context.close()


async def test_on_paper_it_is_black_on_white(browser: Browser, link: Link) -> None:
    """Printed from a dark screen it is still dark on light, and a row is not torn in two."""
    context = await browser.new_context(color_scheme="dark")
    page = await context.new_page()
    await page.goto(await link())
    await page.emulate_media(media="print", color_scheme="dark")
    ink, paper = await page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert await page.locator("tr").first.evaluate("row => getComputedStyle(row).breakInside") == "avoid"
    await context.close()
