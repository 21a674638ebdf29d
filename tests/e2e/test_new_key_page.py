"""An agent's new key in a real browser: from the message about its pause to the page that shows the key, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from approval_rules.events import AgentChanged
from bot.slack_standin.workspace import SAM
from tests.e2e.conftest import BROWSER
from tests.paged_world import PagedWorld

pytestmark = BROWSER


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[PagedWorld]:
    """A server with pages, an agent of which is paused."""
    async with PagedWorld(tmp_path) as made:
        yield made
        await made.settled()
        made.verify_log()


@pytest.mark.parametrize("width", [1280, 360])
async def test_the_owner_makes_a_new_key(browser: Browser, world: PagedWorld, width: int) -> None:
    """The button makes it, the page shows it whole and loads nothing; going back and again makes no other."""
    context = await browser.new_context(viewport={"width": width, "height": 740})
    page = await context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: heard.append(request.url))
    link = await world.new_key_link(SAM)
    await page.goto(link)
    await expect(page.get_by_role("heading", name="A new key for refund-bot")).to_be_visible()
    assert len(world.ledger().events(AgentChanged)) == 1
    await page.get_by_role("button", name="Make and show the new key").click()
    await expect(page.get_by_role("heading", name="The new key for refund-bot")).to_be_visible()
    key = await page.locator("#key").inner_text()
    assert (await world.client(key).get("/v1/agent")).status_code == 200
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert {line for line in heard if "favicon" not in line} == {link}
    await page.goto(link)
    await expect(page.get_by_role("alert")).to_contain_text("used up")
    assert len(world.ledger().events(AgentChanged)) == 2
    await context.close()
