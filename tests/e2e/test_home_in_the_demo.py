"""The app's home by browser: what waits and what is paused, and one button that stops everything, at any width."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.slack_standin.workspace import SAM
from tests.e2e.conftest import BROWSER
from tests.e2e.test_main_job import DESKTOP, PHONE, Person, demo

pytestmark = BROWSER


async def open_home(person: Person) -> None:
    """Go to the app's home."""
    await person.go("Channel")
    if person.phone:
        await person.page.locator("#channel-select").select_option("home")
    else:
        await person.page.get_by_role("list", name="Channels").get_by_role("button", name="home").click()


@pytest.mark.parametrize("looks", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_the_home_of_the_app(browser: Browser, tmp_path: Path, looks: dict[str, Any]) -> None:
    """Empty at first; then what waits; Details opens; a press and a second look stop everything, and it says so."""
    async with demo(browser, tmp_path, looks) as person:
        home = person.page.get_by_role("article", name="Home of the app")
        await open_home(person)
        await expect(home).to_contain_text("Nothing waits for a decision.")
        await expect(person.page.locator("#composer")).to_be_hidden()
        await person.guide("Let the agent propose $42.50", shows="guide")
        await person.guide("Let the agent propose $180.00")
        await expect(person.packet("Refund $180.00")).to_be_visible()
        await open_home(person)
        await expect(home).to_contain_text("Refund $180.00 to customer CUS-1187")
        await home.get_by_role("button", name="Details").click()
        await expect(person.page.get_by_role("dialog")).to_contain_text("ORD-20466")
        await person.page.keyboard.press("Escape")
        await home.get_by_role("button", name="Pause everything").click()
        sure = person.page.get_by_role("dialog", name="Pause everything?")
        await sure.get_by_role("button", name="Pause everything").click()
        await expect(home).to_contain_text("Everything is paused since")
        await person.act_as(SAM, "Sam Okafor")
        await expect(home).to_contain_text("Everything is paused since")
        assert await person.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
