"""Retries: the same key is the same action, whatever happens on the way."""

import asyncio
from contextlib import closing

import httpx

from approval_rules.events import Claimed, SubmitRefused, Submitted
from bot.store import schema
from bot.store.engine import open_writer
from tests.bot.store.earlier import go_back
from tests.world import TOOL, World


async def test_the_same_key_and_body_is_the_same_proposal(world: World) -> None:
    """A retry gets the stored answer, marked as replayed, even after the proposal has moved on."""
    body = _body()
    first = await _post(world, "k", body)
    await world.approve(first.json())
    again = await _post(world, "k", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.json() == first.json()
    assert len(world.ledger().events(Submitted)) == 1


async def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    """A key that is used again for something else is refused and recorded."""
    await _post(world, "k", _body())
    other = await _post(world, "k", _body(amount_usd=181))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert [event.code for event in world.ledger().events(SubmitRefused)] == ["idempotency-key-reused"]


async def test_twenty_requests_with_one_key_make_one_proposal(world: World) -> None:
    """Raced retries: one 201, nineteen replays of it, one packet."""
    answers = await asyncio.gather(*(_post(world, "k", _body()) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await world.packet_of(answers[0].json())
    await world.settled()
    assert len(world.packets(answers[0].json())) == 1


async def test_keys_of_two_agents_are_two_keys(world: World) -> None:
    """One agent's key says nothing about another's."""
    other = await world.add_agent("other-bot", "U0SAMOKAFO1", TOOL)
    mine = await _post(world, "k", _body())
    theirs = await _post(world, "k", _body(), world.client(other.key))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_an_allowed_action_is_claimed_along_and_replayed(world: World) -> None:
    """`claim_if_allowed` gives the grant with the 201, and a retry gives the very same grant, never a second one."""
    body = _body(amount_usd=42) | {"claim_if_allowed": True}
    first, again = await _post(world, "k", body), await _post(world, "k", body)
    assert first.status_code == 201
    assert first.json()["execution"]["status"] == "claimed"
    assert first.json()["grant"] == again.json()["grant"]
    assert (await world.claim(first.json())).json()["code"] == "already-claimed"
    assert len(world.ledger().events(Claimed)) == 1


async def test_what_must_be_asked_is_not_claimed_along(world: World) -> None:
    """`claim_if_allowed` gives nothing where people have to decide."""
    answer = await _post(world, "k", _body() | {"claim_if_allowed": True})
    assert answer.json()["state"] == "pending"
    assert "grant" not in answer.json()


async def test_a_request_that_is_given_up_still_commits(world: World) -> None:
    """An agent that hangs up has proposed nevertheless; its retry finds the proposal, and there is only one."""
    body = _body()
    for number in range(10):
        try:
            async with asyncio.timeout(0.001 * number):
                await _post(world, "k", body)
        except TimeoutError:
            continue
    answer = await _post(world, "k", body)
    assert answer.status_code in (200, 201)
    assert len(world.ledger().events(Submitted)) == 1
    await world.packet_of(answer.json())


async def test_trying_out_stores_nothing(world: World) -> None:
    """`/v1/evaluate` and `dry_run` tell what would happen; the log does not grow, nobody is asked."""
    before = len(world.ledger().recorded)
    for amount, would_be in ((42, "approved"), (180, "pending")):
        evaluated = await world.http.post("/v1/evaluate", json=_body(amount_usd=amount))
        dry = await world.http.post("/v1/proposals", json=_body(amount_usd=amount) | {"dry_run": True})
        assert (evaluated.status_code, evaluated.json()["would_be"]) == (200, would_be)
        assert (dry.status_code, dry.json()["would_be"]) == (200, would_be)
    assert len(world.ledger().recorded) == before
    assert world.ledger().outbox == []


async def test_a_key_is_kept_as_its_hash(world: World) -> None:
    """Whatever an agent puts in a key is in no file, also after an upgrade; retries and repeated claims work on."""
    first = await _post(world, "refund-mustermann", _body())
    await world.approve(first.json())
    claimed = await world.claim(first.json(), key="claim-mustermann")
    assert claimed.status_code == 200
    await world.settled()
    await world.stop()
    assert _holding(world, b"mustermann") == []
    with closing(open_writer(world.database, checkpoints=True, vault=world.vault())) as db:
        db.execute("UPDATE idempotency SET key = 'refund-mustermann'")  # as an earlier version kept it
        people = db.execute("SELECT * FROM main.people").fetchall()
        go_back(db, "0014")
    assert _holding(world, b"mustermann") == [world.database.name]
    schema.upgrade(world.database)
    with closing(open_writer(world.database, checkpoints=True, vault=world.vault())) as db:
        db.execute("DELETE FROM main.people")  # an earlier version's pseudonyms bear nothing out, and these do
        db.executemany("INSERT INTO main.people VALUES (?, ?, ?, ?, ?, ?, ?, ?)", people)
    assert _holding(world, b"mustermann") == []
    await world.start()
    again = await _post(world, "refund-mustermann", _body())
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (await world.claim(first.json(), key="claim-mustermann")).json() == claimed.json()
    assert (await world.claim(first.json(), key="claim-other")).json()["code"] == "already-claimed"


def _holding(world: World, word: bytes) -> list[str]:
    return sorted(file.name for file in world.folder.rglob("*") if file.is_file() and word in file.read_bytes())


def _body(amount_usd: int = 180) -> dict[str, object]:
    return {
        "tool": TOOL,
        "arguments": {"amount_usd": amount_usd, "order_id": "ORD-1"},
        "summary": "Broken parcel",
        "context": {"facts": {"customer_tier": "standard"}},
    }


async def _post(
    world: World, key: str, body: dict[str, object], client: httpx.AsyncClient | None = None
) -> httpx.Response:
    http = client or world.http
    return await http.post("/v1/proposals", headers={"Idempotency-Key": key}, json=body)
