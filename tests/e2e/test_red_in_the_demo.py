"""The demo's red action by browser alone: with the codes that the page shows, and with a passkey of the browser's."""

import asyncio
import io
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.demo import start
from bot.demo.terminal import Terminal
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.e2e.conftest import BROWSER
from tests.e2e.test_main_job import DESKTOP, PHONE, Person, demo
from tests.e2e.test_passkey_pages import device
from tests.passkey_world import AUTHENTICATOR

pytestmark = BROWSER

CODE = re.compile(r"([0-9]{3}) ([0-9]{3})")


async def blocked(person: Person) -> Locator:
    """Let the agent try what no agent may, and give the packet."""
    await person.guide("Let the agent try $9,400.00")
    packet = person.packet("Payout $9,400.00 to Brightline Freight").first
    await expect(packet).to_contain_text("Blocked by policy: no agent may do this.")
    return packet


async def fill_in(person: Person, packet: Locator) -> None:
    """Press `Start it myself`, and fill the form in."""
    await packet.get_by_role("button", name="Start it myself").click()
    form = person.page.get_by_role("dialog")
    await form.get_by_label("Type the value of amount_usd again").fill("9400")
    await form.get_by_label("Why do you start this yourself?").fill("I have the invoice here.")
    await form.get_by_role("button", name="Continue").click()


async def type_code(page: Page, name: str) -> None:
    """Read the code from the phone below the dialog, which is nobody else's, and type it."""
    shown = page.locator(".phone")
    await expect(shown).to_contain_text(f"{name}\u2019s phone shows")
    found = CODE.search(await shown.inner_text())
    assert found is not None
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(found[1] + found[2])
    await dialog.locator("[type=submit]").click()


async def close(page: Page) -> None:
    """Close the dialog that says what came of it."""
    await page.get_by_role("dialog").get_by_text("Close", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("looks", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_a_red_action_with_codes(browser: Browser, tmp_path: Path, looks: dict[str, Any]) -> None:
    """Blocked for the agent; Maya starts it, cannot approve it, and two others do; each with the own phone's code."""
    async with demo(browser, tmp_path, looks) as person:
        packet = await blocked(person)
        await person.act_as(MAYA, "Maya Chen")
        await fill_in(person, packet)
        await type_code(person.page, "Maya Chen")
        await expect(person.page.get_by_role("dialog")).to_contain_text("You have started this.")
        await close(person.page)
        started = person.packet("Payout $9,400.00").last
        await expect(started).to_contain_text("started by Maya Chen")
        for who, name in ((JONAS, "Jonas Weber"), (PRIYA, "Priya Nair")):
            await person.act_as(who, name)
            await started.get_by_role("button", name="Approve").click()
            await person.page.get_by_role("dialog", name="Approve this?").get_by_role("button", name="Approve").click()
            await type_code(person.page, name)
            await expect(person.page.get_by_role("dialog")).to_contain_text("Your approval counts")
            await close(person.page)
        await expect(started).to_contain_text("Done: the agent reported success")
        await person.done(*(await _ticked(person)))
        assert await person.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def _ticked(person: Person) -> list[str]:
    await person.go("Guide")
    done = person.page.locator(".step.is-done h3")
    await expect(done.last).to_have_text("Two others approve it")
    return await done.all_inner_texts()


async def test_a_red_action_with_a_passkey(browser: Browser, tmp_path: Path) -> None:
    """Once Sam has confirmed what Maya made on the page, she is asked for that, and no longer for a code."""
    async with demo(browser, tmp_path, DESKTOP) as person:
        packet = await blocked(person)
        own = await device(browser)
        await person.act_as(MAYA, "Maya Chen")
        await person.type("/agent factor add passkey")
        await own.page.goto(await _link(person.page.locator(".is-ephemeral").last))
        await own.page.get_by_role("button", name="Make a passkey").click()
        await own.told("another person must confirm it")
        await person.act_as(SAM, "Sam Okafor")
        await _channel(person, "agent-ops")
        await person.page.get_by_role("button", name="Confirm", exact=True).last.click()
        await expect(person.page.get_by_role("dialog")).to_contain_text("counts from now on")
        await close(person.page)
        await _channel(person, "refund-approvals")
        await person.act_as(MAYA, "Maya Chen")
        await fill_in(person, packet)
        dialog = person.page.get_by_role("dialog", name="Confirm your start")
        await expect(person.page.locator(".phone")).to_have_count(0)
        await own.page.goto(await _link(dialog))
        await own.page.get_by_role("button", name="with passkey").click()
        await own.told("It is started")
        started = person.packet("Payout $9,400.00").last
        await expect(started).to_contain_text("Proved with a passkey")
        await own.context.close()


async def _channel(person: Person, name: str) -> None:
    await person.page.get_by_role("list", name="Channels").get_by_role("button", name=name).click()


async def _link(within: Locator) -> str:
    """Press the button that leads to a page of ours, and give where it leads: to `localhost`, where passkeys work."""
    async with within.page.context.expect_page() as opened:
        await within.get_by_role("button", name="passkey").or_(within.get_by_role("button", name="page")).click()
    page = await opened.value
    await page.wait_for_load_state()
    url = page.url
    await page.close()
    assert url.startswith("http://localhost:")
    return url


async def test_the_guide_speaks_of_passkeys_only_where_there_are_some(browser: Browser, tmp_path: Path) -> None:
    """A browser without an authenticator is offered codes alone."""
    async with demo(browser, tmp_path, DESKTOP) as person:
        await blocked(person)
        guide = person.page.locator("#panel-guide")
        for text in await guide.locator(".step-passkey").all():
            await expect(text).to_be_hidden()
        cdp = await person.page.context.new_cdp_session(person.page)
        await cdp.send("WebAuthn.enable")
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await person.page.reload()
        await expect(guide).to_have_class(re.compile("has-passkey"))


async def test_start_over_begins_a_new_demo_on_the_same_page(browser: Browser, tmp_path: Path) -> None:
    """One click, and nothing of the old one is left; the new one plays, at the address that was open."""
    said = io.StringIO()
    demo_runs = asyncio.create_task(start.page(tmp_path, 0, Terminal(said)))
    while "http" not in said.getvalue():  # noqa: ASYNC110 - a person reads the terminal, too
        await asyncio.sleep(0.05)
    context = await browser.new_context(**DESKTOP)
    page = await context.new_page()
    await page.goto(said.getvalue().split()[3])
    person = Person(page, phone=False)
    for _ in range(2):
        await expect(page.locator(".step.is-current h3")).to_have_text("A small refund just runs")
        await person.guide("Let the agent propose $42.50")
        await person.done("A small refund just runs")
        await page.get_by_role("button", name="Start over").click()
    await expect(page.locator(".step.is-done")).to_have_count(0)
    await context.close()
    signal.raise_signal(signal.SIGTERM)
    assert await demo_runs == 0
    assert said.getvalue().count("http") == 1
