"""Quiet hours: a packet is posted at any time, and whoever sleeps is called in the morning, unless that is too late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.world import MANAGER, TOOL, World

FINANCE = "finance"
ASK = {"role": MANAGER, "approvals": 1, "expires_in": "10h"}


def quiet(world: World, since: float, until: float) -> dict[str, str]:
    """Write quiet hours that begin and end so many hours from now."""
    now = world.clock().astimezone(UTC)
    start, end = now + timedelta(hours=since), now + timedelta(hours=until)
    return {"from": f"{start:%H:%M}", "to": f"{end:%H:%M}", "time_zone": "UTC"}


async def in_force(world: World, ask: dict[str, Any], **roles: dict[str, Any]) -> None:
    """Put one rule and these roles in force."""
    world.write_roles(roles.pop(MANAGER, {"users": [MAYA, JONAS]}), **roles)
    rules = f"policy:\n  tool: {TOOL}\n  rules:\n    - require_approval: {ask}\n".replace("True", "true")
    (world.policy / f"{TOOL}.yml").write_text(rules, encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


def replies(world: World, packet: Message) -> list[tuple[str, list[str]]]:
    """What was said in the thread, and who was called."""
    said = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    return [(each.text[:9], sorted(each.pings)) for each in said]


def due(world: World) -> datetime | None:
    """When the reminder that waits goes out."""
    with world.db() as db:
        rows = db.execute("SELECT due_at FROM outbox WHERE kind = 'thread' AND state = 'queued'").fetchall()
    return datetime.fromisoformat(rows[0][0]) if rows else None


async def waits(world: World, until: datetime) -> None:
    """Wait until the reminder has been put off, to the minute."""

    async def put_off() -> bool:
        at = due(world)
        return at is not None and abs(at - until) < timedelta(minutes=1)

    await world.until(put_off, f"a reminder due at {until}")


async def test_a_reminder_waits_until_the_morning(world: World) -> None:
    """The packet stands at once and calls nobody; the reminder of the fifth hour comes when the sixth is over."""
    spans = quiet(world, 0, 6)
    morning = world.clock() + timedelta(hours=6)
    await in_force(world, ASK, **{MANAGER: {"users": [MAYA, JONAS], "quiet_hours": spans}})
    packet = await world.packet_of(await world.propose(180))
    assert [ping for ping in packet.pings if not ping.startswith("<!date")] == []
    await world.move(hours=5, minutes=1)
    await waits(world, morning)
    assert replies(world, packet) == []
    await world.restart()
    await world.move(minutes=30)
    assert replies(world, packet) == []
    await world.move(minutes=31)
    await world.settled()
    assert replies(world, packet) == [("⏳ Half of", sorted([f"<@{MAYA}>", f"<@{JONAS}>"]))]


async def test_what_is_decided_meanwhile_wakes_nobody(world: World) -> None:
    """In the morning the thread has the decision, and no reminder of what is over."""
    await in_force(world, ASK, **{MANAGER: {"users": [MAYA, JONAS], "quiet_hours": [quiet(world, 0, 6)]}})
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=5, minutes=1)
    await world.click(MAYA, packet)
    await world.move(minutes=59, seconds=30)
    await world.settled()
    assert [said for said, _ in replies(world, packet)] == ["☑ Approve"]


async def test_a_morning_after_the_deadline_is_too_late(world: World) -> None:
    """What would have expired by then is said at once: nobody is helped by a reminder of it afterwards."""
    await in_force(world, ASK, **{MANAGER: {"users": [MAYA, JONAS], "quiet_hours": quiet(world, 0, 11)}})
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=5, minutes=1)
    await world.settled()
    assert replies(world, packet) == [("⏳ Half of", sorted([f"<@{MAYA}>", f"<@{JONAS}>"]))]


async def test_what_is_urgent_wakes_people(world: World) -> None:
    """The rule says so, and quiet hours do not count for it."""
    roles: dict[str, Any] = {MANAGER: {"users": [MAYA, JONAS], "quiet_hours": quiet(world, 0, 6)}}
    await in_force(world, {**ASK, "urgent": True}, **roles)
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=5, minutes=1)
    await world.settled()
    assert len(replies(world, packet)) == 1


async def test_who_is_awake_is_called_and_the_others_in_their_morning(world: World) -> None:
    """Two roles in two places: each is called when it is awake, once."""
    roles: dict[str, Any] = {MANAGER: {"users": [MAYA]}, FINANCE: {"users": [PRIYA], "quiet_hours": quiet(world, 0, 6)}}
    await in_force(world, {"roles": [MANAGER, FINANCE], "expires_in": "10h"}, **roles)
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=5, minutes=1)
    await waits(world, world.clock() + timedelta(minutes=59))
    assert [pings for _, pings in replies(world, packet)] == [[f"<@{MAYA}>"]]
    await world.move(hours=1)
    await world.settled()
    assert [pings for _, pings in replies(world, packet)] == [[f"<@{MAYA}>"], [f"<@{PRIYA}>"]]


async def test_who_has_filled_a_seat_is_not_called_for_another(world: World) -> None:
    """With the manager's yes there only finance is missing, which is asleep: the manager's colleague is left alone."""
    roles: dict[str, Any] = {
        MANAGER: {"users": [MAYA, JONAS]},
        FINANCE: {"users": [PRIYA], "quiet_hours": quiet(world, 0, 6)},
    }
    await in_force(world, {"roles": [MANAGER, FINANCE], "expires_in": "10h"}, **roles)
    packet = await world.packet_of(await world.propose(180))
    await world.click(MAYA, packet)
    await world.move(hours=5, minutes=1)
    await waits(world, world.clock() + timedelta(minutes=59))
    await world.move(hours=1)
    await world.settled()
    assert [pings for _, pings in replies(world, packet)] == [[f"<@{PRIYA}>"]]


async def test_a_clock_that_jumps_says_nothing_twice(world: World) -> None:
    """Set back in the night and forward again: one reminder, in the morning."""
    await in_force(world, ASK, **{MANAGER: {"users": [MAYA, JONAS], "quiet_hours": quiet(world, 0, 6)}})
    morning = world.clock() + timedelta(hours=6)
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=5, minutes=1)
    await waits(world, morning)
    await world.move(hours=-3)
    await world.move(hours=4, minutes=30)
    await world.settled()
    assert len(replies(world, packet)) == 1
