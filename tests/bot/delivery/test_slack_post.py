"""What is sent to Slack: packets, replies, answers, announcements, in the cases that a scenario rarely meets."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from approval_rules.times import format_time
from bot.delivery.slack_mark import PACKET_EVENT
from bot.slack_standin.conversations import Content, Message
from bot.slack_standin.faults import Refuse, ResetBefore, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS
from bot.store import outbox
from bot.store.outbox import Kind
from bot.store.transaction import Transaction
from tests.world import MANAGER, World, votable


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a world."""
    async with World(tmp_path) as made:
        yield made


def rows(world: World, kind: str) -> list[dict[str, object]]:
    """List the outbox's rows of a kind."""
    return [row for row in world.ledger().outbox if row["kind"] == kind]


async def error_of(world: World, kind: str, error: str) -> None:
    """Wait until a row of a kind has failed with these words."""

    async def there() -> bool:
        return any(error in str(row["last_error"]) for row in rows(world, kind))

    await world.until(there, f"{kind}: {error}")


async def test_a_message_of_somebody_else_is_never_taken_over(world: World) -> None:
    """Anybody may write our marker on a message of their own: after a failed post only our own bot's message counts."""
    world.slack.fail("chat.postMessage", ResetBefore())
    proposal = await world.propose(180)
    metadata = {"event_type": PACKET_EVENT, "event_payload": {"proposal": proposal["id"]}}
    forged = world.slack.world.conversations.post(
        REFUND_APPROVALS, Content("Refund $1.00", []), user=MAYA, metadata=metadata
    )

    async def posted() -> bool:
        world.clock.move(timedelta(milliseconds=500))
        return world.ledger().proposals[proposal["id"]].packet is not None

    await world.until(posted, "a packet")
    packet = await world.packet_of(proposal)
    assert packet.ts != forged.ts
    assert forged.text == "Refund $1.00"
    assert votable(packet)


async def test_a_packet_that_slack_will_never_take_is_a_dead_letter(world: World) -> None:
    """Blocks that Slack refuses are not sent for ever; the next change of the proposal tries again."""
    world.slack.fail("chat.postMessage", Refuse("invalid_blocks"))
    proposal = await world.propose(180)
    await error_of(world, "post", "invalid_blocks")
    assert [row["state"] for row in rows(world, "post")] == ["dead"]
    await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    packet = await world.packet_of(proposal)
    assert not votable(packet)


async def test_without_a_channel_a_packet_waits_and_says_why(world: World) -> None:
    """No channel anywhere: the packet waits with words that say what to set, and is posted once it is set."""
    roles = {MANAGER: {"users": [MAYA, JONAS]}}
    (world.policy / "roles.yml").write_text(json.dumps({"roles": roles}), encoding="utf-8")
    await world.running.watch.look()
    proposal = await world.propose(180)
    await world.say(MAYA, "pause tool payments.refund")
    await error_of(world, "post", "FOUREYES_CHANNEL")
    await error_of(world, "announce", "FOUREYES_CHANNEL")
    world.write_roles({"users": [MAYA, JONAS]})
    await world.running.watch.look()
    world.clock.move(timedelta(seconds=5))
    packet = await world.packet_of(proposal)
    assert packet.channel == REFUND_APPROVALS
    await world.settled()
    assert len([one for one in world.slack.messages(AGENT_OPS) if "/agent resume" in json.dumps(one.blocks)]) == 1


async def test_a_reply_waits_for_its_packet(world: World) -> None:
    """A reply that is due before the packet stands comes after it."""
    world.slack.fail("chat.postMessage", ServerError(), times=3)
    proposal = await world.propose(180)
    await world.move(hours=2, minutes=1)

    async def replied() -> bool:
        world.clock.move(timedelta(milliseconds=200))
        packet = world.ledger().proposals[proposal["id"]].packet
        return packet is not None and bool(world.thread(await world.packet_of(proposal)))

    await world.until(replied, "a reply under the packet")


async def buried_reply(world: World) -> dict[str, Any]:
    """Make a proposal whose packet and reminder are dead letters; Slack is well again after."""
    world.slack.fail("chat.postMessage", Refuse("invalid_blocks"), times=1000)
    proposal = await world.propose(180)
    await error_of(world, "post", "invalid_blocks")
    await world.move(hours=2, minutes=1)
    await world.settled()
    (reply,) = rows(world, "thread")
    assert (reply["state"], reply["attempts"]) == ("dead", 0)
    assert reply["last_error"] == "its packet is a dead letter"
    world.slack.faults.clear()
    return proposal


async def revived(world: World, kind: str) -> None:
    """Do what `foureyes outbox retry` does."""
    (row,) = rows(world, kind)
    ident = cast("int", row["id"])
    await world.running.wiring.writer.run(lambda tx: outbox.revive(tx, ident))


async def test_a_reply_is_buried_with_its_packet_and_comes_back_with_it(world: World) -> None:
    """A reply whose packet is a dead letter is one too, and says so; the packet retried by hand takes it along."""
    proposal = await buried_reply(world)
    await revived(world, "post")
    packet = await world.packet_of(proposal)
    await world.settled()
    assert [row["state"] for row in world.ledger().outbox] == ["done", "done"]
    assert len(world.thread(packet)) == 1


async def test_a_buried_reply_comes_back_when_the_next_change_posts_the_packet(world: World) -> None:
    """A change of the proposal tries a dead packet again; once that stands, every reply is under it."""
    proposal = await buried_reply(world)
    await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    packet = await world.packet_of(proposal)
    await world.until(lambda: _replies(world, packet, 2), "both replies")


async def _replies(world: World, packet: Message, wanted: int) -> bool:
    world.clock.move(timedelta(milliseconds=200))
    return len(world.thread(packet)) == wanted


async def test_a_reply_that_is_retried_alone_is_buried_again(world: World) -> None:
    """Without its packet a reply has no place: retried by hand it says so again, and is not tried for ever."""
    await buried_reply(world)
    await revived(world, "thread")
    await world.settled()
    assert [row["last_error"] for row in rows(world, "thread")] == ["its packet is a dead letter"]
    assert world.slack.messages(REFUND_APPROVALS) == []


async def test_a_reply_that_slack_will_never_take_stays_where_it_is(world: World) -> None:
    """A packet that is posted takes along only what was buried for its sake."""
    proposal = await buried_reply(world)
    await world.running.wiring.writer.run(
        lambda tx: tx.write("UPDATE outbox SET last_error = ? WHERE kind = 'thread'", ("invalid_blocks",))
    )
    await revived(world, "post")
    await world.packet_of(proposal)
    await world.settled()
    assert [row["state"] for row in rows(world, "thread")] == ["dead"]


async def test_a_reply_waits_while_its_packet_is_tried(world: World) -> None:
    """As long as the packet is tried again, so is the reply; it is buried once the packet is given up."""
    world.slack.fail("chat.postMessage", ServerError(), times=1000)
    await world.propose(180)
    await world.move(hours=2, minutes=1)
    await error_of(world, "thread", "not posted yet")
    assert [row["state"] for row in rows(world, "thread")] == ["queued"]
    world.slack.faults.clear()
    world.slack.fail("chat.postMessage", Refuse("invalid_blocks"), times=1000)

    async def buried() -> bool:
        world.clock.move(timedelta(seconds=1))
        return [row["state"] for row in rows(world, "thread")] == ["dead"]

    await world.until(buried, "a buried reply")


async def test_a_dead_letter_that_is_retried_has_three_days_again(world: World) -> None:
    """What was given up after three days and is retried by hand is not given up at its first failure."""
    world.slack.fail("chat.postMessage", Refuse("invalid_blocks"))
    proposal = await world.propose(180, expires_in_s=20 * 24 * 3600)
    await error_of(world, "post", "invalid_blocks")
    world.clock.move(timedelta(days=4))
    world.slack.fail("chat.postMessage", Refuse("too_many_attachments"))
    await revived(world, "post")
    await error_of(world, "post", "too_many_attachments")
    assert [row["state"] for row in rows(world, "post")] == ["queued"]
    world.clock.move(timedelta(seconds=3))
    await world.packet_of(proposal)


async def test_a_change_of_an_old_packet_has_three_days_too(world: World) -> None:
    """A proposal may wait for weeks: an update that fails once on its fifth day is tried again."""
    proposal = await world.propose(180, expires_in_s=20 * 24 * 3600)
    packet = await world.packet_of(proposal)
    await world.settled()
    world.clock.move(timedelta(days=5))
    world.slack.fail("chat.update", ServerError())
    await world.click(MAYA, packet)
    await world.until(lambda: _says(world, packet, "1 of 2"), "an update")


async def _says(world: World, packet: Message, text: str) -> bool:
    world.clock.move(timedelta(milliseconds=200))
    return text in str(packet.blocks)


async def test_an_answer_to_a_click_is_tried_again(world: World) -> None:
    """When the address for answers fails once, the clicker still hears; it is told once."""
    packet = await world.packet_of(await world.propose())
    world.slack.fail("response_url", ServerError())
    assert "counts" in await world.click(MAYA, packet)
    await world.settled()
    assert len(world.slack.ephemerals(MAYA)) == 1


async def test_an_answer_that_is_too_late_is_let_go(world: World) -> None:
    """Slack takes answers for half an hour: after it, or where the address is gone, nothing is tried any more."""
    packet = await world.packet_of(await world.propose())
    world.slack.fail("response_url", ServerError(), times=1000)
    await world.slack.click(MAYA, packet.channel, packet.ts, "approve")
    await error_of(world, "answer", "http-503")
    world.clock.move(timedelta(minutes=31))
    await world.settled()
    assert [row["state"] for row in rows(world, "answer")] == ["done"]
    world.slack.faults.clear()
    world.slack.world.entitlements.urls.clear()
    await world.running.wiring.writer.run(lambda tx: _answer_again(tx, rows(world, "answer")[0]))
    await world.settled()
    assert world.slack.ephemerals(MAYA) == []


def _answer_again(tx: Transaction, row: dict[str, object]) -> None:
    now = format_time(tx.at)
    tx.write("UPDATE outbox SET state = 'queued', created_at = ?, due_at = ? WHERE id = ?", (now, now, row["id"]))


@pytest.mark.parametrize("kind", [Kind.POST, Kind.THREAD, Kind.ANSWER, Kind.ANNOUNCE])
async def test_a_row_about_nothing_is_a_dead_letter(world: World, kind: Kind) -> None:
    """A row whose subject is not in the log, as after a bad repair, ends where people see it."""
    payload = {"note": "decided", "refusal": None, "decision": "approve", "url": "http://127.0.0.1:9/"}
    await world.running.wiring.writer.run(lambda tx: outbox.plan(tx, kind, "prop_none", 99, payload))
    await world.settled()
    (row,) = rows(world, kind.value)
    assert row["state"] == "dead"
    assert "not in the log" in str(row["last_error"])


async def test_old_answers_are_forgotten(world: World) -> None:
    """The address for an answer is a secret that has served: its row goes when it is of no use, and old marks too."""
    packet = await world.packet_of(await world.propose())
    await world.click(MAYA, packet)
    await world.settled()
    assert len(rows(world, "answer")) == 1
    world.clock.move(timedelta(minutes=40))
    await world.running.sweeps.forget()
    assert rows(world, "answer") == []
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM seen_requests").fetchone() == (0,)
