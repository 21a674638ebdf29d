# ruff: noqa: INP001 - beside the program that uses it
"""More than yes and no, who is called, the app's home, the access review: brought about, then photographed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from approval_rules.drill import DRILL
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM
from docs.camera import DESKTOP, ON_PHONE, PHONE, Camera, SetClock
from docs.packet_pictures import REASON, REFUND
from tests.world import MANAGER, TOOL, World

ASKED: Final = "Which of the two charges is the right one?"
ANSWERED: Final = "The first, of 2 November. The second came from a retry of the till."


def _world(folder: Path) -> World:
    """Make a world whose three managers may lower the amount."""
    world = World(folder, managers=(MAYA, JONAS, PRIYA))
    world.clock = SetClock()
    page = world.policy / f"{TOOL}.yml"
    page.write_text(page.read_text(encoding="utf-8") + "  editable: [amount_usd]\n", encoding="utf-8")
    return world


async def _take_packet(camera: Camera, page: Page, name: str, packet: Message) -> None:
    await page.reload()
    await camera.take(name, page.locator(f'.message[data-key="{packet.ts}"]'))


# -- more than yes and no


async def _asked(world: World) -> Message:
    packet = await world.packet_of(await world.propose(**REFUND))
    typed = {"reason": {"reason": ASKED}, "to": {"to": None}, "clock": {"clock": ["stops"]}}
    await world.fill(MAYA, packet, "ask", typed)
    return packet


async def _answered(world: World) -> Message:
    packet = await _asked(world)
    (found,) = [one for one in await _pending(world) if one["questions"] and "answer" not in one["questions"][0]][:1]
    body = {"question": found["questions"][0]["id"], "text": ANSWERED}
    await world.http.post(f"/v1/proposals/{found['id']}/answers", json=body)
    return packet


async def _pending(world: World) -> list[dict[str, Any]]:
    listed = (await world.http.get("/v1/proposals", params={"state": "pending"})).json()["data"]
    return [await world.read(one) for one in reversed(listed)]


async def _lowered(world: World) -> Message:
    packet = await world.packet_of(await world.propose(**REFUND))
    await world.click(JONAS, packet)
    await world.fill(MAYA, packet, "lower", {"lower.0": {"amount_usd": "120.50"}})
    return packet


async def _taken_back(world: World) -> Message:
    packet = await world.approve(await world.propose(**REFUND))
    await world.settled()
    await world.fill(MAYA, packet, "take_back", {"reason": {"reason": REASON}})
    return packet


AMENDED: Final[dict[str, Callable[[World], Awaitable[Message]]]] = {
    "packet-asked": _asked,
    "packet-answered": _answered,
    "packet-lowered": _lowered,
    "packet-taken-back": _taken_back,
}


async def photograph_amending(camera: Camera, folder: Path) -> None:
    """Ask, answer, lower and take back; the dialogs that do it, and the packets that come of it."""
    async with _world(folder) as world, camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
        for name, make in AMENDED.items():
            packet = await make(world)
            await world.settled()
            await _take_packet(camera, page, name, packet)
        await world.packet_of(await world.propose(**REFUND))
        await _photograph_dialog(camera, page, "Ask …", "dialog-ask", ASKED)
        await _photograph_dialog(camera, page, "Lower …", "dialog-lower", "120.50")
        await world.approve(await world.propose(**REFUND))
        await world.settled()
        await _photograph_dialog(camera, page, "Take back …", "dialog-take-back", REASON)


async def _photograph_dialog(camera: Camera, page: Page, button: str, name: str, typed: str) -> None:
    await page.get_by_role("button", name=button).last.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").first.fill(typed)
    await camera.take(name, dialog)
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="detached")


# -- who is called


async def photograph_calling(camera: Camera, folder: Path) -> None:
    """A packet that waits for whoever is on call, one that somebody decided for an absent colleague, and a pause."""
    world = _world(folder)
    rules = (world.policy / f"{TOOL}.yml").read_text(encoding="utf-8")
    async with world, camera.look(f"{world.slack.url}?as={PRIYA}", camera.card) as page:
        await world.running.drills.hold(DRILL)
        await _rota(world)
        packet = await world.packet_of(await world.propose(**REFUND))
        await world.settled()
        await _take_packet(camera, page, "packet-on-call", packet)
        world.write_roles({"users": [MAYA, JONAS, PRIYA]})
        (world.policy / f"{TOOL}.yml").write_text(rules, encoding="utf-8")
        await world.running.watch.look()
        await world.say(MAYA, f"away until monday delegate <@{JONAS}|jonas>")
        packet = await world.packet_of(await world.propose(**REFUND))
        await world.click(JONAS, packet)
        await world.settled()
        await _take_packet(camera, page, "packet-delegate", packet)
        await world.say(SAM, "pause all looks like a loop")
        await world.settled()
        await page.locator("#channel-select").select_option(AGENT_OPS, force=True)
        said = world.slack.messages(AGENT_OPS)[-1]
        await camera.take("message-pause", page.locator(f'.message[data-key="{said.ts}"]'))


async def _rota(world: World) -> None:
    now = world.clock().astimezone(UTC)
    turns: dict[str, Any] = {"rota": [MAYA, JONAS], "every": "1w", "handover": "Mon 09:00", "time_zone": "UTC"}
    turns["start"] = f"{(now - timedelta(days=5)).date()}"
    world.write_roles({"users": [PRIYA]}, oncall={"on_call": turns})
    both = f"{{seats: [{{role: oncall}}, {{role: {MANAGER}}}]}}"
    rules = f"policy:\n  tool: {TOOL}\n  rules:\n    - require_approval: {both}\n"
    (world.policy / f"{TOOL}.yml").write_text(rules, encoding="utf-8")
    await world.running.watch.look()


# -- the app's home


async def photograph_home(camera: Camera, folder: Path) -> None:
    """Photograph the home of Priya: empty, with what waits, in a pause, and on a phone."""
    async with _world(folder) as world:
        await _take_home(camera, world, "home-empty", DESKTOP)
        await world.running.drills.hold(DRILL)
        for amount in (180, 420, 75):
            await world.packet_of(await world.propose(**REFUND | _order(amount)))
        await world.settled()
        await _take_home(camera, world, "home", DESKTOP)
        await _take_home(camera, world, "home-phone", PHONE, **ON_PHONE)
        await world.say(SAM, "pause all looks like a loop")
        await _take_home(camera, world, "home-paused", DESKTOP, color_scheme="dark")


def _order(amount: int) -> dict[str, Any]:
    return {"arguments": {"amount_usd": amount, "order_id": f"ORD-20{amount}", "customer_id": "CUS-1187"}}


async def _take_home(camera: Camera, world: World, name: str, size: tuple[int, int], **how: Any) -> None:  # noqa: ANN401
    async with camera.look(f"{world.slack.url}?as={PRIYA}", size, **how) as page:
        await page.locator("#channel-select").select_option("home", force=True)
        await page.locator(".home").wait_for()
        await page.get_by_role("button", name="Look again").click()
        await page.wait_for_function("() => !document.querySelector('.home .is-pending')")
        await camera.take(name, page)


# -- the access review


async def photograph_review(camera: Camera, folder: Path) -> None:
    """Photograph the report of an access review as its page, on a phone and on paper, and the message it came with."""
    async with _world(folder) as world:
        await world.approve(await world.propose(**REFUND))
        await world.say(MAYA, "access")
        await world.settled()
        direct = world.workspace.direct(MAYA).id
        async with camera.look(f"{world.slack.url}?as={MAYA}", camera.card) as page:
            await page.locator("#channel-select").select_option(direct, force=True)
            await camera.take("message-review", page.locator(".message", has=page.get_by_role("button")).last)
        files = world.slack.world.uploads.files.values()
        report = folder / "access-review.html"
        report.write_bytes(next(one.content or b"" for one in files if one.name == report.name))
        for name, size, how in (("review", DESKTOP, {}), ("review-phone", PHONE, ON_PHONE)):
            async with camera.open(report.as_uri(), size, **how) as page:
                await camera.take(name, page)
        async with camera.open(report.as_uri(), (794, 1123)) as page:
            await page.emulate_media(media="print")
            await camera.take("review-print", page)
