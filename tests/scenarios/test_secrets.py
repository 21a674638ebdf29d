"""No secret in a log line, an event, a message or an error, over a day with everything in it."""

import logging
import re

import pytest

from bot.clock import new_token
from bot.held_keys import OPERATOR, GiveKey
from bot.keys import callback_secret
from bot.slack_standin.faults import LostAnswer, RateLimited, Refuse, ServerError
from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS, SAM
from tests.bot.delivery.receiver import Receiver
from tests.world import BOT_TOKEN, SIGNING_SECRET, World


async def a_full_day(world: World, receiver: Receiver) -> list[str]:
    """Do everything that touches a secret, with every part failing at some time; give the secrets."""
    world.slack.fail("chat.postMessage", Refuse("invalid_auth"))
    world.slack.fail("chat.postMessage", LostAnswer())
    world.slack.fail("response_url", ServerError())
    world.slack.fail("response_url", LostAnswer())
    world.slack.fail("users.info", RateLimited(1))
    receiver.answers = [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]
    proposal = await world.propose(180, callback_url=receiver.url())
    for _ in range(80):
        world.clock.move(world.pace * 500)
        await world.running.worker.start_due()
    packet = await world.packet_of(proposal)
    for user in (SAM, MAYA, JONAS):
        await world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
    for user in (MAYA, JONAS):
        await world.move(seconds=30)
        await world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
    await world.claim(proposal)
    operator = await world.running.wiring.writer.run(GiveKey(OPERATOR, "ana", "root", new_token))
    await world.client(operator.key).post("/v1/operator/pause", json={"reason": "x"})
    await world.client(operator.key[:-1]).get("/v1/operator/status")
    await world.post_proposal(42)
    await world.client("fe_00000000_" + "B" * 43).get("/v1/agent")
    await world.http.post("/v1/proposals", content=b"{", headers={"Idempotency-Key": "k"})
    await world.slack.send_signed(b"payload={", timestamp="1")
    await world.slack.send_signed(b"payload=%7B", headers={"X-Slack-Signature": "v0=" + "0" * 64})
    await world.move(seconds=10)
    secret = callback_secret(world.running.wiring.key, world.agent.agent.id, world.agent.generation)
    urls = [f"/response/{name}" for name in world.slack.world.entitlements.urls]
    pem = (world.folder / "foureyes.key").read_text(encoding="ascii").splitlines()[1]
    return [BOT_TOKEN, SIGNING_SECRET, world.agent.key, operator.key, secret, secret.removeprefix("whsec_"), pem, *urls]


async def test_no_secret_gets_out(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """After such a day none of the keys, tokens, secrets and response addresses is anywhere but where it belongs."""
    caplog.set_level(logging.INFO)
    async with Receiver() as receiver:
        secrets = await a_full_day(world, receiver)
    printed = capsys.readouterr()
    places = {
        "log lines": printed.out + printed.err + "".join(map(str, ours(caplog))),
        "messages": str([message.versions for message in world.slack.messages(REFUND_APPROVALS)]),
        "notes": str([note for user in (SAM, MAYA, JONAS) for note in world.slack.ephemerals(user)]),
        "answers": str([(heard.body, heard.headers) for heard in world.heard]),
        "events": everything_logged(world),
        "callbacks": str([(request.body, request.line) for request in receiver.requests]),
    }
    assert len(places["log lines"]) > 0
    assert len(receiver.requests) > 0
    found = [(where, secret[:12]) for where, text in places.items() for secret in secrets if secret in text]
    assert found == []


def ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List the log lines but those of the local Slack's web server, which is the other side."""
    return [caplog.handler.format(record) for record in caplog.records if not record.name.startswith("uvicorn")]


def everything_logged(world: World) -> str:
    """Give the bytes of every entry and every detached value."""
    with world.db() as db:
        entries = db.execute("SELECT body FROM entries").fetchall()
        values = db.execute("SELECT value FROM detached").fetchall()
    return str(entries + values)


async def test_a_key_is_kept_as_its_hash_only(world: World) -> None:
    """The database holds no agent's key, no token and no grant, not even in its WAL."""
    proposal = await world.propose(42)
    grant = (await world.claim(proposal)).json()["grant"]
    raw = b"".join(path.read_bytes() for path in world.folder.glob("foureyes.db*"))
    for secret in (world.agent.key, BOT_TOKEN, SIGNING_SECRET, grant):
        assert secret.encode() not in raw
    assert re.fullmatch(r"fe_[0-9a-z]{8}_[A-Za-z0-9_-]{43}", world.agent.key)
