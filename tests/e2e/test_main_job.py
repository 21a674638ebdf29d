"""The demo's whole story by browser alone: every step is what a person would press, type and read."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, Route, expect

from bot.demo.routes import DemoRoutes
from bot.demo.stage import AT_ONCE, staged
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.e2e.conftest import BROWSER, PATIENCE_MS

pytestmark = BROWSER

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
REASON = "The words say $14.99, the action says $1,499.00."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the demo's page, who acts as one member of the workspace after the other."""

    page: Page
    phone: bool

    async def act_as(self, user: str, name: str) -> None:
        """Choose who to be."""
        await self.go("Channel")
        if self.phone:
            await self.page.locator("#person-button").click()
            await self.page.get_by_role("menuitemradio", name=name).click()
        else:
            await self.page.locator(f"[data-person={user}]").click()
        await expect(self.page.locator("#person-button")).to_contain_text(name)

    async def go(self, view: str) -> None:
        """On a phone, change to another view; a desk shows all of them."""
        if self.phone:
            await self.page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()

    async def guide(self, label: str, shows: str = "channel") -> None:
        """Press a button of the guide; a narrow page then shows this view, where the result is."""
        await self.go("Guide")
        if not self.phone:
            await self.page.get_by_role("tab", name="Guide").click()
        await self.page.locator("#panel-guide").get_by_role("button", name=label).click()
        if self.phone:
            await expect(self.page.locator("body")).to_have_attribute("data-tab", shows)

    async def done(self, *steps: str) -> None:
        """See the guide tick these steps off, and no other."""
        await self.go("Guide")
        if not self.phone:
            await self.page.get_by_role("tab", name="Guide").click()
        await expect(self.page.locator(".step.is-done h3")).to_have_text(list(steps))

    async def open(self, tab: str, view: str) -> Locator:
        """Open another panel of the right side."""
        if self.phone:
            await self.go(view)
        else:
            await self.page.get_by_role("tab", name=tab).click()
        return self.page.get_by_role("tabpanel").locator("visible=true")

    def packet(self, headline: str) -> Locator:
        """Find the packet with this headline."""
        return self.page.locator(".message", has=self.page.get_by_role("heading", name=headline))

    async def approve(self, packet: Locator) -> None:
        """Press Approve, and again in the dialog that asks whether one is sure."""
        await packet.get_by_role("button", name=re.compile("^Approve")).click()
        dialog = self.page.get_by_role("dialog", name="Approve this?")
        await expect(dialog).to_contain_text("Refund $180.00 to customer CUS-1187, order ORD-20466")
        await dialog.get_by_role("button", name="Approve").click()
        await expect(dialog).to_have_count(0)

    async def told(self, words: str) -> None:
        """Read, at the end of the channel, what only this person is told."""
        note = self.page.locator(".is-ephemeral").last
        await expect(note).to_contain_text("Only visible to you")
        await expect(note).to_contain_text(words)

    async def type(self, text: str) -> None:
        """Type into the message box and send it."""
        await self.go("Channel")
        box = self.page.locator("#composer-input")
        await box.fill(text)
        await box.press("Enter")
        await expect(box).to_have_value("")


@asynccontextmanager
async def demo(browser: Browser, folder: Path, looks: dict[str, Any]) -> AsyncIterator[Person]:
    """Run the demo and look at it; an error of the page, or a request to any other host, fails the test."""
    routes = DemoRoutes()
    errors: list[str] = []
    async with staged(folder, pace=AT_ONCE, routes=routes.routes()) as stage:
        routes.stage = stage
        context = await browser.new_context(**looks)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", _elsewhere(stage.slack.url, errors))
        await page.goto(stage.slack.url)
        await page.locator("#people [aria-checked=true]").wait_for(state="attached")
        yield Person(page, phone="is_mobile" in looks)
        await context.close()
    assert errors == []


def _elsewhere(home: str, errors: list[str]) -> Callable[[Any], None]:
    def note(request: Any) -> None:  # noqa: ANN401 - Playwright's Request
        if not request.url.startswith((home, "data:")):
            errors.append(f"asked for {request.url}")

    return note


async def test_the_whole_story_at_a_desk(browser: Browser, tmp_path: Path) -> None:
    """Ten steps by hand: asked, approved by two, run once, denied, paused, resumed, verified, forged and found."""
    async with demo(browser, tmp_path, DESKTOP) as person:
        await _small_refund(person)
        await _two_people_and_two_refusals(person)
        await _hostile_ticket(person)
        await _pause_and_resume(person)
        await _forgery(person)
        await person.done(
            "A small refund just runs",
            "A larger one asks people",
            "Approve as Maya",
            "Now try to cheat",
            "Approve as Jonas",
            "A hostile ticket",
            "Pull the brake",
            "Starting again takes two",
            "Is the log whole?",
            "Forge the log",
        )


async def _small_refund(person: Person) -> None:
    await person.guide("Let the agent propose $42.50", shows="guide")
    await person.done("A small refund just runs")
    agent = await person.open("What the agent sees", "Agent")
    await expect(agent).to_contain_text("Refunded ORD-20417")
    await expect(person.page.locator(".message")).to_have_count(0)


async def _two_people_and_two_refusals(person: Person) -> None:
    await person.guide("Let the agent propose $180.00")
    packet = person.packet("Refund $180.00 to customer CUS-1187")
    await expect(packet).to_contain_text("Waiting: 0 of 2 people have approved.")
    await person.act_as(MAYA, "Maya Chen")
    await person.approve(packet)
    await person.told("Your approval counts: 1 of 2 people have approved. One more person must approve.")
    await expect(packet).to_contain_text("Waiting: 1 of 2 people have approved.")
    await person.approve(packet)
    await person.told("You have decided already")
    await person.act_as(SAM, "Sam Okafor")
    await person.approve(packet)
    await person.told("It did not count: you own the agent that asks")
    await person.act_as(JONAS, "Jonas Weber")
    await person.approve(packet)
    await person.told("it was the last one needed")
    await expect(packet).to_contain_text("Done: the agent reported success")
    await expect(packet.get_by_role("button")).to_have_text(["Details"])


async def _hostile_ticket(person: Person) -> None:
    await person.guide("Let the agent propose it")
    packet = person.packet("Refund $1,499.00 to customer CUS-9040")
    await expect(packet).to_be_visible()
    await expect(packet.locator("a, .mention")).to_have_count(0)
    await expect(packet.get_by_role("button")).to_have_text(
        ["Approve $1,499.00 refund", "Deny refund", "Ask …", "Details"]
    )
    await person.act_as(PRIYA, "Priya Nair")
    await packet.get_by_role("button", name="Deny refund").click()
    dialog = person.page.get_by_role("dialog", name="Deny this action")
    await dialog.get_by_label("What is it?").select_option("Looks malicious")
    await dialog.get_by_label("Why not?").fill(REASON)
    await dialog.get_by_role("button", name="Deny").click()
    answered = person.page.get_by_role("dialog", name="Denied")
    await expect(answered).to_contain_text("Your denial counts. The agent is told your reason, and nothing runs.")
    await answered.get_by_text("Close", exact=True).click()
    await expect(packet).to_contain_text("Denied by Priya Nair")
    await expect(packet).to_contain_text(REASON)
    await expect(packet.get_by_role("button")).to_have_text(["Details"])
    agent = await person.open("What the agent sees", "Agent")
    await expect(agent).to_contain_text(f"Priya Nair: {REASON}")


async def _pause_and_resume(person: Person) -> None:
    await person.act_as(SAM, "Sam Okafor")
    await person.type("/agent pause looks wrong")
    await person.told("Paused: everything, until people resume it. Reason: “looks wrong”.")
    await expect(person.page.locator("#paused")).to_contain_text("Paused: all agents")
    await person.page.get_by_role("button", name="Agent: propose next refund").click()
    await expect(person.page.locator("#toasts")).to_contain_text("423, paused")
    await person.act_as(MAYA, "Maya Chen")
    await person.type("/agent resume all")
    await person.told("A second person must type /agent resume all")
    await expect(person.page.locator("#paused")).to_contain_text("Paused: all agents")
    await person.act_as(JONAS, "Jonas Weber")
    await person.type("/agent resume all")
    await person.told("Resumed: everything")
    await expect(person.page.locator("#paused")).to_be_empty()


async def _forgery(person: Person) -> None:
    await person.guide("Verify the log", shows="log")
    log = await person.open("Audit log", "Log")
    await expect(log.locator(".verdict")).to_contain_text("The log is whole")
    await log.get_by_role("button", name="Tamper").click()
    await expect(log.locator(".verdict")).to_contain_text("Behind the program's back")
    await expect(log.locator(".row.is-broken")).to_have_count(0)
    await log.get_by_role("button", name="Verify").click()
    await expect(log.locator(".verdict")).to_contain_text("The log was changed")
    await expect(log.locator(".row.is-broken").first).to_be_visible()
    await log.get_by_role("button", name="Restore").click()
    await log.get_by_role("button", name="Verify").click()
    await expect(log.locator(".verdict")).to_contain_text("The log is whole")
    await expect(log.locator(".row.is-broken")).to_have_count(0)


async def test_the_main_job_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    """With a thumb and 360 pixels: two people approve, the agent runs it once, and the brake is one line of typing."""
    async with demo(browser, tmp_path, PHONE) as person:
        await _small_refund(person)
        await _two_people_and_two_refusals(person)
        await person.act_as(SAM, "Sam Okafor")
        await person.type("/agent pause looks wrong")
        await person.told("Paused: everything")
        await expect(person.page.locator("#paused")).to_contain_text("Paused: all agents")
        assert await person.page.evaluate("document.documentElement.scrollWidth <= 360")


async def test_the_guide_does_not_call_back_whoever_has_gone_on(browser: Browser, tmp_path: Path) -> None:
    """On a phone the answer to a slow button takes nobody away from the view that was chosen while it was awaited."""
    async with demo(browser, tmp_path, PHONE) as person:
        body = person.page.locator("body")
        await person.guide("Let the agent propose $42.50", shows="guide")
        gone_on = asyncio.Event()

        async def slow(route: Route) -> None:
            await gone_on.wait()
            await route.continue_()

        await person.page.route("**/demo/act/propose-large", slow)
        async with person.page.expect_response("**/demo/act/propose-large") as answered:
            await person.page.get_by_role("button", name="Let the agent propose $180.00").click()
            await person.go("Agent")
            gone_on.set()
        assert await (await answered.value).json() == {"ok": True, "show": "channel"}
        await expect(person.page.locator("#panel-agent")).to_contain_text("waits for 2 people")
        await expect(body).to_have_attribute("data-tab", "agent")
        await expect(person.page.locator("[data-tab=channel].has-news")).to_be_visible()
