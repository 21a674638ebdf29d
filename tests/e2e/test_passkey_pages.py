"""Passkeys in a real browser, with the browser's own virtual authenticator: made on the page, and used on it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from approval_rules.events import Voted, VoteRefused
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA
from tests.e2e.conftest import BROWSER
from tests.passkey_world import AUTHENTICATOR, PasskeyWorld, code_in, url_in

pytestmark = BROWSER

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


@dataclass(slots=True)
class Device:
    """One person's browser, with an authenticator in it."""

    context: BrowserContext
    page: Page
    cdp: CDPSession
    authenticator: str

    async def credentials(self) -> list[dict[str, Any]]:
        """List what the authenticator holds."""
        found = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(found["credentials"])

    async def verifies(self, *, right: bool) -> None:
        """Let the finger be the right one, or not."""
        told = {"authenticatorId": self.authenticator, "isUserVerified": right}
        await self.cdp.send("WebAuthn.setUserVerified", told)

    async def enrol(self, world: PasskeyWorld, user: str) -> None:
        """Make a passkey on the page, and let Priya confirm it."""
        await self.page.goto(await world.enrolment(user))
        await self.page.get_by_role("button", name="Make a passkey").click()
        await expect(self.page.get_by_role("status")).to_contain_text("another person must confirm it")
        await world.confirm(user)

    async def press(self) -> None:
        """Press the one button."""
        await self.page.get_by_role("button").click()

    async def told(self, words: str) -> None:
        """Read the page's answer."""
        await expect(self.page.get_by_role("status")).to_contain_text(words)


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[PasskeyWorld]:
    """A product whose refunds need a passkey."""
    async with PasskeyWorld(tmp_path) as made:
        yield made
        made.verify_log()


async def device(browser: Browser, size: dict[str, Any] | None = None) -> Device:
    """Open a browser with an authenticator of its own."""
    context = await browser.new_context(**(size or DESKTOP))
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    added = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return Device(context, page, cdp, added["authenticatorId"])


async def opened(world: PasskeyWorld, own: Device, user: str, packet: Message) -> str:
    """Press Approve in Slack and open the page; the code on it is the one in Slack."""
    view = await world.press(user, packet)
    await own.page.goto(url_in(view))
    await expect(own.page.locator(".code")).to_have_text(code_in(view))
    return url_in(view)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_two_people_approve_with_their_own_passkeys(
    browser: Browser, world: PasskeyWorld, size: dict[str, Any]
) -> None:
    """From the link in Slack to the agent's permission; nothing on the page is wider than the screen."""
    proposal = await world.propose(summary=f"The parcel arrived broken. {'Word ' * 30}{'x' * 300}")
    packet = await world.packet_of(proposal)
    for user in (MAYA, JONAS):
        own = await device(browser, size)
        await own.enrol(world, user)
        await opened(world, own, user, packet)
        await expect(own.page.get_by_role("heading", name="Refund $180.00")).to_be_visible()
        wide = await own.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide
        await own.page.get_by_role("button", name="Approve $180.00 refund with passkey").click()
        await own.told("Your approval counts")
        await own.context.close()
    assert (await world.read(proposal))["state"] == "approved"
    assert (await world.claim(proposal)).status_code == 200


async def test_without_the_right_finger_nothing_is_sent(browser: Browser, world: PasskeyWorld) -> None:
    """The authenticator gives no answer without user verification, and the person can try again."""
    own = await device(browser)
    await own.enrol(world, MAYA)
    packet = await world.packet_of(await world.propose())
    await own.verifies(right=False)
    await opened(world, own, MAYA, packet)
    await own.press()
    await own.told("Nothing was sent")
    assert (world.ledger().events(Voted), world.ledger().events(VoteRefused)) == ([], [])
    await own.verifies(right=True)
    await own.press()
    await own.told("Your approval counts")


async def test_an_answer_to_another_proposal_or_a_replayed_one_is_refused(
    browser: Browser, world: PasskeyWorld
) -> None:
    """What the browser sent for one page is sent to another page, and to its own a second time."""
    own = await device(browser)
    await own.enrol(world, MAYA)
    first = await world.packet_of(await world.propose())
    second = await world.packet_of(await world.propose(190))
    other = await world.press(MAYA, second)
    url = await opened(world, own, MAYA, first)
    async with own.page.expect_request(url) as sent:
        await own.press()
        await own.told("Your approval counts")
    answer = (await sent.value).post_data_json
    send = """async ([url, answer]) => (await fetch(url, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(answer),
    })).status"""
    assert await own.page.evaluate(send, [url_in(other), answer]) == 409
    assert await own.page.evaluate(send, [url, answer]) == 409
    assert [event.code.value for event in world.ledger().events(VoteRefused)] == ["factor-refused", "link-used"]
    assert len(world.ledger().events(Voted)) == 1


async def test_a_link_that_is_over_asks_nothing(browser: Browser, world: PasskeyWorld) -> None:
    """Opened too late it has no button; opened in time and answered too late it is refused."""
    own = await device(browser)
    await own.enrol(world, MAYA)
    packet = await world.packet_of(await world.propose())
    url = await opened(world, own, MAYA, packet)
    await world.move(minutes=6)
    await own.press()
    await own.told("did not count")
    await own.page.goto(url)
    await expect(own.page.get_by_role("alert")).to_contain_text("did not count")
    await expect(own.page.get_by_role("button")).to_have_count(0)
    assert world.ledger().events(Voted) == []


async def test_another_persons_passkey_is_refused(browser: Browser, world: PasskeyWorld) -> None:
    """Jonas's device has no key for Maya's page, and what it signs all the same does not count."""
    maya, jonas = await device(browser), await device(browser)
    await maya.enrol(world, MAYA)
    await jonas.enrol(world, JONAS)
    packet = await world.packet_of(await world.propose())
    await opened(world, jonas, MAYA, packet)
    await jonas.press()
    await jonas.told("Nothing was sent")
    # Somebody changes the page on its way, so that it asks for the passkey that is there.
    held = (await jonas.credentials())[0]["credentialId"]
    passkey = held.replace("+", "-").replace("/", "_").rstrip("=")
    await jonas.page.route("**/confirm/*", lambda route: _with_passkey(route, passkey))
    await jonas.page.reload()
    await jonas.press()
    await jonas.told("did not count")
    assert [event.code.value for event in world.ledger().events(VoteRefused)] == ["factor-refused"]
    assert world.ledger().events(Voted) == []


async def _with_passkey(route: Any, passkey: str) -> None:  # noqa: ANN401 - playwright's
    if route.request.method != "GET":
        await route.continue_()
        return
    answer = await route.fetch()
    text = await answer.text()
    before, _, rest = text.partition('data-passkeys="')
    await route.fulfill(response=answer, body=f'{before}data-passkeys="{passkey}"{rest[rest.index(chr(34)) :]}')


async def test_another_origin_gets_no_answer_out_of_a_passkey(browser: Browser, world: PasskeyWorld) -> None:
    """A copy of the page elsewhere can neither use the passkey for our host nor send what another one signs."""
    own = await device(browser)
    await own.enrol(world, MAYA)
    packet = await world.packet_of(await world.propose())
    url = await opened(world, own, MAYA, packet)
    shown = await world.look(url)
    # The same machine under another name is another origin, and `localhost` is not its to ask for.
    copy = url.replace("localhost", "copy.localhost")
    await own.page.route("**/confirm/*", lambda route: route.fulfill(body=shown.text, content_type="text/html"))
    await own.page.goto(copy)
    await own.press()
    await own.told("Nothing was sent")
    assert world.ledger().events(Voted) == []


async def test_the_page_works_where_a_passkey_is_made_for_a_policy_that_asks_for_codes(
    browser: Browser, tmp_path: Path
) -> None:
    """The stronger factor is enough where the weaker one is asked for."""
    async with PasskeyWorld(tmp_path / "codes", factor="totp") as world:
        own = await device(browser)
        await own.enrol(world, MAYA)
        await opened(world, own, MAYA, await world.packet_of(await world.propose()))
        await own.press()
        await own.told("Your approval counts")
        world.verify_log()
