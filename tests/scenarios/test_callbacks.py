"""Signed callbacks: every decision reaches the agent at least once under one id, or is a dead letter for all to see."""

import json
from collections.abc import AsyncIterator

import pytest
from standardwebhooks import Webhook

from bot.keys import callback_secret
from bot.store import outbox
from tests.bot.delivery.receiver import OK, Receiver
from tests.world import World

BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen for callbacks on loopback."""
    async with Receiver() as made:
        yield made


async def received(world: World, receiver: Receiver, many: int) -> None:
    """Wait for so many requests."""

    async def there() -> bool:
        return len(receiver.requests) >= many

    await world.until(there, f"{many} callbacks")


def secret_of(world: World) -> str:
    """Compute the secret that `agent add` showed."""
    return callback_secret(world.running.wiring.key, world.agent.agent.id, world.agent.generation)


async def test_a_decision_is_sent_signed(world: World, receiver: Receiver) -> None:
    """The approval arrives once, signed so that the public `standardwebhooks` package verifies it."""
    proposal = await world.propose(180, callback_url=receiver.url())
    await world.approve(proposal)
    await received(world, receiver, 1)
    await world.settled()
    (request,) = receiver.requests
    told = Webhook(secret_of(world)).verify(request.body, request.headers)
    assert told == json.loads(request.body)
    assert told["type"] == "proposal.approved"
    assert told["data"]["id"] == proposal["id"]
    assert told["data"]["state"] == "approved"
    assert "grant" not in told["data"]
    approved = world.ledger().recorded[told["log"]["index"]]
    assert told["log"]["head"] == approved.leaf_hash.hex()


@pytest.mark.parametrize("end", ["denied", "expired", "cancelled", "approved"])
async def test_five_ends_are_told_apart(world: World, receiver: Receiver, end: str) -> None:
    """Denied, expired, cancelled and approved by policy each have their own type."""
    proposal = await world.propose(42 if end == "approved" else 180, callback_url=receiver.url())
    if end == "denied":
        await world.deny("U0MAYACHEN1", await world.packet_of(proposal), "no")
    elif end == "expired":
        await world.move(hours=5)
    elif end == "cancelled":
        await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    await received(world, receiver, 1)
    await world.settled()
    assert [json.loads(request.body)["type"] for request in receiver.requests] == [f"proposal.{end}"]


async def test_a_failed_callback_comes_again_under_the_same_id(world: World, receiver: Receiver) -> None:
    """500, then 200: the same id and body, a new timestamp, and no third time."""
    receiver.answers = [BROKEN, OK]
    await world.propose(42, callback_url=receiver.url(), claim_if_allowed=True)
    await received(world, receiver, 1)
    await world.move(seconds=6)
    await received(world, receiver, 2)
    await world.settled()
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) >= int(first.headers["webhook-timestamp"]) + 5
    await world.move(days=4)
    await world.settled()
    assert len(receiver.requests) == 2


async def test_a_restart_forgets_no_callback_and_keeps_its_id(world: World, receiver: Receiver) -> None:
    """A callback that failed before a restart is sent after it, under the same id."""
    receiver.answers = [BROKEN, OK]
    await world.propose(42, callback_url=receiver.url())
    await received(world, receiver, 1)
    await world.restart()
    await world.move(seconds=6)
    await received(world, receiver, 2)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_a_receiver_that_is_gone_is_left_alone(world: World, receiver: Receiver) -> None:
    """410 stops at once; the dead letter is listed, the metric shows it, and the server stays ready for the others."""
    receiver.answers = [GONE]
    await world.propose(42, callback_url=receiver.url(), claim_if_allowed=True)
    await received(world, receiver, 1)
    await world.settled()
    await world.move(days=4)
    assert len(receiver.requests) == 1
    dead = [row for row in world.ledger().outbox if row["state"] == "dead"]
    assert [row["kind"] for row in dead] == ["callback"]
    assert "410" in dead[0]["last_error"]
    world.running.metrics.show(
        pending=0, paused=0, waiting=0, dead=1, incident=False
    )  # what the sweep does every few seconds
    ready = await world.http.get("/readyz")
    assert (ready.status_code, "1 dead letter" in ready.text) == (200, True)
    told = await world.say("U0SAMOKAFO1", "status")
    assert "1 message could not be delivered" in told


async def test_a_callback_that_never_arrives_becomes_a_dead_letter_and_can_be_sent_by_hand(
    world: World, receiver: Receiver
) -> None:
    """Ten attempts over three days, then the dead letters; revived by hand it arrives under the same id."""
    receiver.answers = [BROKEN]
    await world.propose(42, callback_url=receiver.url(), claim_if_allowed=True)
    for number in range(1, 11):
        await received(world, receiver, number)
        await written(world, number)
        await world.move(hours=27)
    await world.settled()
    assert len(receiver.requests) == 10
    (dead,) = [row for row in world.ledger().outbox if row["state"] == "dead"]
    receiver.answers = [OK]
    await world.running.wiring.writer.run(lambda tx: outbox.revive(tx, dead["id"]))
    await received(world, receiver, 11)
    await world.settled()
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert {row["state"] for row in world.ledger().outbox} == {"done"}


async def written(world: World, attempts: int) -> None:
    """Wait until the end of an attempt has been written down."""

    async def there() -> bool:
        (row,) = [row for row in world.ledger().outbox if row["kind"] == "callback"]
        return bool(row["state"] != "sending" and row["attempts"] >= attempts)

    await world.until(there, f"the end of attempt {attempts}")


async def test_a_host_that_is_not_registered_is_refused(world: World) -> None:
    """A callback address elsewhere is refused at the door and recorded."""
    answer = await world.post_proposal(42, callback_url="https://evil.example/hook")
    assert (answer.status_code, answer.json()["code"]) == (422, "callback-host-not-allowed")


async def test_a_private_address_is_not_called_unless_allowed(world: World, receiver: Receiver) -> None:
    """Without FOUREYES_CALLBACK_ALLOW a callback never reaches loopback, whatever the agent registered."""
    world.callback_allow = ""
    await world.restart()
    await world.propose(42, callback_url=receiver.url())

    async def tried() -> bool:
        return any(row["last_error"] for row in world.ledger().outbox)

    await world.until(tried, "a refused attempt")
    assert receiver.connections == 0
