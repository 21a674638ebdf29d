# ruff: noqa: INP001 - a program beside the text that it illustrates, not a package
"""Makes docs/images: the real server, the local Slack and its page, photographed in Chromium at a set time.

`make pictures` runs it. It must never draw anything itself: what a picture shows is what a person would have seen.
"""

import asyncio
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from unittest.mock import patch

import yaml
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from approval_rules.versions import CHANGE_TOOL
from bot.clock import SteadyClock
from bot.demo import cases
from bot.demo.routes import DemoRoutes
from bot.demo.stage import AT_ONCE, Stage, staged
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, REFUND_APPROVALS, SAM
from docs.palette import with_palette
from docs.passkey_pictures import photograph_passkeys
from tests.factors import FakeFactors
from tests.red_world import POLICY, fill, prove, rewrite, the_start
from tests.world import MovableClock, World, until

HERE: Final = Path(__file__).parent / "images"
NINE_FOURTEEN: Final = datetime(2026, 11, 21, 9, 14, tzinfo=UTC)
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none")
MOST_BYTES: Final = 150_000
_QUALITIES: Final[tuple[tuple[Literal["device", "css"], int], ...]] = (("device", 256), ("device", 24), ("css", 256))
DESKTOP: Final = (1280, 800)
PHONE: Final = (360, 740)
CARD: Final = (720, 2400)
REASON: Final = "The customer has a replacement already."
REFUND: Final[dict[str, Any]] = {
    "arguments": {"amount_usd": 180, "order_id": "ORD-20466", "customer_id": "CUS-1187"},
    "summary": "Charged twice for the November plan. Refund the second charge.",
    "tier": "pro",
}
RED: Final[dict[str, Any]] = {
    "amount": 750,
    "arguments": {"amount_usd": 750, "order_id": "ORD-20466", "customer_id": "CUS-1187"},
    "summary": "The whole order was lost in the fire at the warehouse.",
}
LETTER: Final = "\n".join(f"Clause {number}: the refund follows the terms of that clause." for number in range(99))
EXPORT_POLICY: Final = """\
policy:
  tool: "customers.export"
  rules:
    - if: "rows > 1000"
      block: "more than 1,000 customers never leave in one file"
    - require_approval: "support_manager"
"""
EXPORT: Final[dict[str, Any]] = {
    "tool": "customers.export",
    "arguments": {"rows": 48210, "to": "partner@example.com"},
    "summary": "The partner asks for the list.",
    "context": {},
}


class SetClock(MovableClock):
    """Starts on a Saturday morning whenever the pictures are made, and runs from there."""

    def __init__(self) -> None:
        super().__init__()
        self.move(NINE_FOURTEEN - SteadyClock()())


@dataclass(frozen=True, slots=True)
class Camera:
    """A browser that takes small pictures."""

    browser: Browser
    dark_room: Page

    @asynccontextmanager
    async def look(self, url: str, size: tuple[int, int], **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 - new_context's
        """Open a page as a person in London would see it in November: UTC, twenty-four hours."""
        context: BrowserContext = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2,
            timezone_id="UTC",
            locale="en-GB",
            reduced_motion="reduce",
            **how,
        )
        page = await context.new_page()
        await page.goto(url)
        await page.locator("#people [aria-checked=true]").wait_for(state="attached")
        yield page
        await context.close()

    async def take(self, name: str, what: Page | Locator) -> None:
        """Take one picture of what is there now: at two pixels a point, unless that would be too large."""
        for scale, colours in _QUALITIES:
            png = await with_palette(
                await what.screenshot(scale=scale, animations="disabled", caret="hide"), self.dark_room, colours
            )
            if len(png) <= MOST_BYTES:
                break
        else:
            raise SystemExit(f"{name}: {len(png):,} bytes are more than {MOST_BYTES:,}")
        (HERE / f"{name}.png").write_bytes(png)
        sys.stdout.write(f"{name}.png: {len(png) // 1000} kB\n")


# -- a packet in each state


async def _pending(world: World) -> Message:
    return await world.packet_of(await _proposed(world, "rich-pro"))


async def _one_of_two(world: World) -> Message:
    packet = await world.packet_of(await world.propose(**REFUND))
    await world.click(MAYA, packet)
    return packet


async def _approved(world: World) -> Message:
    return await world.approve(await world.propose(**REFUND))


async def _running(world: World) -> Message:
    return await _claimed(world)


async def _done(world: World) -> Message:
    return await _claimed(world, "succeeded")


async def _failed(world: World) -> Message:
    return await _claimed(world, "failed")


async def _unknown(world: World) -> Message:
    return await _claimed(world, "unknown")


async def _overdue(world: World) -> Message:
    packet = await _claimed(world)
    await world.move(minutes=31)
    return packet


async def _denied(world: World) -> Message:
    packet = await world.packet_of(await world.propose(**REFUND))
    await world.click(MAYA, packet)
    await world.deny(PRIYA, packet, REASON)
    return packet


async def _expired_unanswered(world: World) -> Message:
    packet = await world.packet_of(await world.propose(**REFUND, expires_in_s=3600))
    await world.move(hours=1, seconds=1)
    return packet


async def _expired_unused(world: World) -> Message:
    packet = await _approved(world)
    await world.move(hours=1, seconds=1)
    return packet


async def _cancelled(world: World) -> Message:
    proposal = await world.propose(**REFUND)
    packet = await world.packet_of(proposal)
    await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    return packet


async def _revoked(world: World) -> Message:
    proposal = await world.propose(**REFUND)
    packet = await world.approve(proposal)
    world.slack.change_user(MAYA, deleted=True)
    await world.move(minutes=2)
    await world.claim(proposal)
    await world.settled()
    world.slack.change_user(MAYA, deleted=False)
    await world.move(minutes=2)
    return packet


async def _hostile(world: World) -> Message:
    return await world.packet_of(await _proposed(world, "hostile-ticket"))


async def _too_long(world: World) -> Message:
    arguments = {**REFUND["arguments"], "letter_to_customer": LETTER}
    return await world.packet_of(await world.propose(**{**REFUND, "arguments": arguments}))


async def _trial(world: World) -> Message:
    page = world.policy / "payments.refund.yml"
    live = page.read_text(encoding="utf-8")
    page.write_text(live.replace("  rules:", "  mode: shadow\n  rules:"), encoding="utf-8")
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose(**REFUND))
    page.write_text(live, encoding="utf-8")
    await world.running.watch.look()
    return packet


async def _policy_change(world: World) -> Message:
    roles = world.policy / "roles.yml"
    said = yaml.safe_load(roles.read_text(encoding="utf-8"))
    said["roles"]["policy_admin"] = {"users": [MAYA, JONAS]}
    roles.write_text(yaml.safe_dump(said), encoding="utf-8")
    await world.running.watch.look()
    page = world.policy / "payments.refund.yml"
    page.write_text(page.read_text(encoding="utf-8").replace("amount_usd <= 50", "amount_usd <= 75"), encoding="utf-8")
    await world.running.watch.look()
    with world.db() as db:
        found = db.execute("SELECT id FROM proposals WHERE tool = ? ORDER BY id DESC", (CHANGE_TOOL,)).fetchone()
    return await world.packet_of(found[0])


async def _frozen(world: World) -> Message:
    packet = await _one_of_two(world)
    await world.say(SAM, "pause all looks like a loop")
    return packet


STATES: Final[dict[str, Callable[[World], Awaitable[Message]]]] = {
    "packet-pending": _pending,
    "packet-one-of-two": _one_of_two,
    "packet-approved": _approved,
    "packet-running": _running,
    "packet-done": _done,
    "packet-failed": _failed,
    "packet-unknown": _unknown,
    "packet-overdue": _overdue,
    "packet-denied": _denied,
    "packet-expired-unanswered": _expired_unanswered,
    "packet-expired-unused": _expired_unused,
    "packet-cancelled": _cancelled,
    "packet-revoked": _revoked,
    "packet-hostile": _hostile,
    "packet-trial": _trial,
    "packet-too-long": _too_long,
    "packet-policy-change": _policy_change,
    "packet-frozen": _frozen,
}
"""In this order: from the last but one on two people guard the policy, and the last one stops everything."""


async def _proposed(world: World, name: str) -> str:
    case = next(case for case in cases.load() if case.name == name)
    headers = {"Idempotency-Key": f"{name}-{len(world.heard)}", "Content-Type": "application/json"}
    answer = await world.http.post("/v1/proposals", content=case.body.encode(), headers=headers)
    return str(answer.json()["id"])


async def _claimed(world: World, report: str = "") -> Message:
    proposal = await world.propose(**REFUND)
    packet = await world.approve(proposal)
    await world.claim(proposal)
    if report:
        await world.report(proposal, report)
    return packet


async def photograph_packets(camera: Camera, folder: Path) -> None:
    """Bring a proposal into each state, and photograph its packet; then the dialogs, and what was blocked."""
    world = World(folder)
    world.clock = SetClock()
    (world.policy / "customers.export.yml").write_text(EXPORT_POLICY, encoding="utf-8")
    async with world, camera.look(world.slack.url, CARD) as page:
        for name, make in STATES.items():
            packet = await make(world)
            await world.settled()
            await page.reload()
            article = page.locator(f'.message[data-key="{packet.ts}"]')
            await camera.take(name, article)
            if name == "packet-pending":
                await _photograph_dialogs(camera, world)
                await _photograph_blocked(camera, world)


async def _photograph_blocked(camera: Camera, world: World) -> None:
    exporter = world.client((await world.add_agent("export-bot", SAM, "customers.export")).key)
    blocked = await world.post_proposal(0, client=exporter, **EXPORT)
    await world.say(JONAS, f"show {blocked.json()['id']}")
    async with camera.look(f"{world.slack.url}?as={JONAS}", CARD) as page:
        await camera.take("packet-blocked", page.locator(".message.is-ephemeral").last)


async def _photograph_dialogs(camera: Camera, world: World) -> None:
    async with camera.look(f"{world.slack.url}?as={JONAS}", CARD) as page:
        for button, name in (("Approve", "dialog-approve"), ("Deny", "dialog-deny"), ("Details", "dialog-details")):
            await page.get_by_role("button", name=button).last.click()
            dialog = page.get_by_role("dialog")
            await dialog.wait_for()
            if name == "dialog-deny":
                await dialog.get_by_label("Why not?").fill(REASON)
            await camera.take(name, dialog)
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="detached")


# -- red


async def photograph_red(camera: Camera, folder: Path) -> None:
    """Let a person start a blocked refund: the packet, the form at a desk and on a phone, and what came of it."""
    world = World(folder)
    world.clock = SetClock()
    rewrite(world, POLICY)
    with patch("bot.desk.second_factors.StartProofs", lambda *_: FakeFactors()):
        async with world:
            packet = await world.packet_of(await world.propose(**RED))
            async with camera.look(world.slack.url, CARD) as page:
                await camera.take("packet-red-blocked", page.locator(f'.message[data-key="{packet.ts}"]'))
            for name, size in (("dialog-start-phone", PHONE), ("dialog-start", CARD)):
                async with camera.look(f"{world.slack.url}?as={MAYA}", size) as page:
                    await page.get_by_role("button", name="Start it myself").last.click()
                    dialog = page.get_by_role("dialog")
                    await dialog.wait_for()
                    await camera.take(name, dialog)
                    if size == PHONE:
                        await page.keyboard.press("Escape")
                        await dialog.wait_for(state="detached")
            await fill(world, MAYA, world.slack.modals(MAYA)[-1], "750")
            await prove(world, MAYA)
            packet = await world.packet_of(the_start(world).proposal)
            async with camera.look(f"{world.slack.url}?as={JONAS}", CARD) as page:
                await camera.take("packet-red", page.locator(f'.message[data-key="{packet.ts}"]'))


# -- the page


async def photograph_page(camera: Camera, folder: Path) -> None:
    """Photograph the demo with one of two approvals given: at a desk, in the dark, on a phone."""
    routes = DemoRoutes()
    async with staged(folder, pace=AT_ONCE, routes=routes.routes(), clock=SetClock()) as stage:
        routes.stage = stage
        await _play(stage)
        url = f"{stage.slack.url}?as={JONAS}"
        for name, size, how in (
            ("page-desktop", DESKTOP, {}),
            ("page-dark", DESKTOP, {"color_scheme": "dark"}),
            ("page-phone", PHONE, {"is_mobile": True, "has_touch": True}),
        ):
            async with camera.look(url, size, **how) as page:
                await page.locator(".message").first.wait_for()
                await camera.take(name, page)


async def _play(stage: Stage) -> None:
    await stage.agent.propose_next("small-standard")
    await stage.agent.propose_next("rich-pro")
    packet = await stage.slack.next_message(REFUND_APPROVALS)

    async def counted() -> bool:
        await stage.slack.click(MAYA, packet.channel, packet.ts, "approve")
        return "1 of 2" in packet.text

    await until(counted, "Maya's approval")


async def main() -> None:
    """Make every picture."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("The pictures are taken in Chromium, and none is on the PATH.")
    logging.getLogger("uvicorn.error").disabled = True  # the agent still waits when its server is put away
    HERE.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        camera = Camera(browser, await browser.new_page())
        with (
            TemporaryDirectory() as first,
            TemporaryDirectory() as second,
            TemporaryDirectory() as third,
            TemporaryDirectory() as fourth,
        ):
            await photograph_red(camera, Path(fourth))
            await photograph_page(camera, Path(first))
            await photograph_packets(camera, Path(second))
            await photograph_passkeys(browser, camera.take, Path(third), SetClock(), REFUND)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
