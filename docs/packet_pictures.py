# ruff: noqa: INP001 - beside the program that uses it
"""A packet in each of its states, and the dialogs of its first buttons: brought about, then photographed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import yaml

from approval_rules.versions import CHANGE_TOOL
from bot.demo import cases
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from docs.camera import Camera, SetClock
from tests.world import World

REASON: Final = "The customer has a replacement already."
REFUND: Final[dict[str, Any]] = {
    "arguments": {"amount_usd": 180, "order_id": "ORD-20466", "customer_id": "CUS-1187"},
    "summary": "Charged twice for the November plan. Refund the second charge.",
    "tier": "pro",
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
    async with world, camera.look(world.slack.url, camera.card) as page:
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
    async with camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
        await camera.take("packet-blocked", page.locator(".message.is-ephemeral").last)


async def _photograph_dialogs(camera: Camera, world: World) -> None:
    async with camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
        for button, name in (("Approve", "dialog-approve"), ("Deny", "dialog-deny"), ("Details", "dialog-details")):
            await page.get_by_role("button", name=button).last.click()
            dialog = page.get_by_role("dialog")
            await dialog.wait_for()
            if name == "dialog-deny":
                await dialog.get_by_label("Why not?").fill(REASON)
            await camera.take(name, dialog)
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="detached")
