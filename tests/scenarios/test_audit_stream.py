"""Following the log over HTTP: every entry at least once, in order, byte for byte, over restarts and while it grows."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from approval_rules.auditor_events import AuditLooked
from bot.audit.log_format import leaf_hash
from bot.search import following
from bot.slack_standin.workspace import JONAS, MAYA
from tests.auditing import auditor, found
from tests.world import World


class Follower:
    """A program that keeps entries by `seq` and asks for what follows the last one that it has kept."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.kept: dict[int, bytes] = {}
        self.after = -1

    async def take(self, **by: Any) -> int:  # noqa: ANN401 - JSON
        """Take one page; tell how many entries it had."""
        answer = await self.client.get("/v1/audit/stream", params={"after": self.after, **by})
        assert answer.status_code == 200, answer.text
        lines = answer.content.splitlines()
        for line in lines:
            seq = json.loads(line)["seq"]
            assert self.kept.setdefault(seq, line) == line
            assert seq > self.after
        self.after = int(answer.headers["Next-After"])
        return len(lines)


def bodies(world: World) -> list[bytes]:
    """Give every entry as it stands in the database."""
    with world.db() as db:
        return [bytes(body) for (body,) in db.execute("SELECT body FROM entries ORDER BY seq")]


async def test_every_entry_comes_in_order_and_as_it_stands(world: World) -> None:
    """Over small pages, a restart of the server and of the follower, and while others write: nothing is missing."""
    follower = Follower(await auditor(world, "lang"))
    await world.propose(42)
    assert await follower.take(limit=2) == 2
    await world.restart()
    follower.client = world.client(str(follower.client.headers["Authorization"]).removeprefix("Bearer "))
    follower.after = -1  # it lost its place and begins again: the same entries come again, under the same `seq`
    writing = asyncio.gather(*(world.propose(40) for _ in range(12)))
    while await follower.take(limit=3) or not writing.done():
        pass
    await writing
    await world.settled()
    while await follower.take(limit=1000):
        pass
    assert [follower.kept[seq] for seq in range(len(follower.kept))] == bodies(world)
    with world.db() as db:
        hashes = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
    assert [leaf_hash(body) for body in follower.kept.values()] == hashes


async def test_waiting_ends_with_the_first_entry_or_the_time(world: World) -> None:
    """With `wait` the answer comes when there is something; a server that stops answers too."""
    follower = Follower(await auditor(world, "lang"))
    while await follower.take(limit=1000):
        pass
    waiting = asyncio.create_task(follower.take(wait=30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await world.propose(42)
    assert await asyncio.wait_for(waiting, 5) >= 1
    await world.settled()
    while await follower.take(limit=1000):
        pass
    idle = asyncio.create_task(follower.take(wait=30))
    await asyncio.sleep(0.05)
    await world.move(seconds=31)
    assert await asyncio.wait_for(idle, 5) == 0


async def test_values_come_to_keys_that_show_them_and_are_recorded(world: World) -> None:
    """Each entry with its living values, exact to the digit, hidden fields covered; following looks comes to an end."""
    await world.stop()
    file = world.policy / "payments.refund.yml"
    file.write_text(file.read_text("utf-8").replace('"card_number"', '"customer_id"'), "utf-8")
    await world.start()
    client = await auditor(world, "lang", values=True)
    proposal = await world.propose(180.10)
    await world.approve(proposal, MAYA, JONAS)
    await world.settled()
    answer = await client.get("/v1/audit/stream", params={"values": "true", "limit": 1000})
    entries = [json.loads(line, parse_float=str) for line in answer.content.splitlines()]
    (submitted,) = [entry for entry in entries if entry["type"] == "proposal.submitted"]
    assert submitted["values"]["arguments"]["amount_usd"] == "180.1"
    assert submitted["values"]["arguments"]["customer_id"] == "(hidden by policy)"
    assert submitted["values"]["summary"] == "The parcel arrived broken."
    (look,) = world.ledger().events(AuditLooked)
    for form in ("cloudevents", "ocsf"):
        other = await client.get("/v1/audit/stream", params={"format": form, "limit": 1})
        assert answer.headers["Content-Type"].startswith("application/x-ndjson")
        assert '"evt_' in other.text
    told = sum(1 for entry in entries if entry["values"])
    assert (look.what, look.found, look.since) == ("stream", told, -1)
    rest = await client.get("/v1/audit/stream", params={"values": "true", "after": answer.headers["Next-After"]})
    assert [json.loads(line)["type"] for line in rest.content.splitlines()] == ["auditor.looked"]
    assert len(world.ledger().events(AuditLooked)) == 1


async def test_a_page_is_bounded_in_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are asked for, a page ends when it is large; the next goes on; one entry always comes."""
    monkeypatch.setattr(following, "_LARGE", 1)
    follower = Follower(await auditor(world, "lang"))
    await world.propose(42)
    await world.settled()
    while await follower.take(limit=1000) == 1:
        pass
    assert [follower.kept[seq] for seq in range(len(follower.kept))] == bodies(world)


async def test_secrets_and_card_numbers_leave_by_no_way(world: World) -> None:
    """What is withheld from people is in no line of the stream and is found by no word, wherever it was written."""
    client = await auditor(world, "lang", values=True)
    token = "ghp_" + "a1B2" * 9
    proposal = await world.propose(
        180, summary=f"Card 4111 1111 1111 1111, token {token}.", context={"history": [{"card": 4111111111111111}]}
    )
    await world.settled()
    for form in ("ndjson", "cloudevents", "ocsf"):
        params: dict[str, str | int] = {"values": "true", "limit": 1000, "format": form}
        text = (await client.get("/v1/audit/stream", params=params)).text
        assert proposal["id"] in text
        for secret in (token, "4111 1111 1111 1111", "4111111111111111"):
            assert secret not in text
    for words in (token.partition("_")[2], "4111111111111111", "4111 1111 1111"):
        assert found(await client.get("/v1/audit/search", params={"text": words}))["found"] == []
    assert len(found(await client.get("/v1/audit/search", params={"text": "token withheld"}))["found"]) == 1
