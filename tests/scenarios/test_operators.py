"""Operators' keys: they stop everything with Slack down, do half of a resume, and open nothing else."""

from typing import Any

import httpx
import pytest

from approval_rules.events import Resumed, Revoked
from approval_rules.stop_events import DrillHeld, OperatorKeyChanged
from bot.agents import AgentError
from bot.clock import new_token
from bot.held_keys import OPERATOR, GiveKey, TakeKey
from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, SAM
from tests.world import TOOL, World

REASON = {"reason": "the agent is looping"}


async def operator(world: World, name: str) -> httpx.AsyncClient:
    """Make an operator's key as the command line does, and a client that has it."""
    new = await world.running.wiring.writer.run(GiveKey(OPERATOR, name, "root", new_token))
    return world.client(new.key)


@pytest.mark.parametrize("scope", [{}, {"agent": "refund-bot"}, {"tool": TOOL}])
async def test_an_operator_stops_and_starts_again_with_slack_down(world: World, scope: dict[str, str]) -> None:
    """Every scope; everything takes a second person's key, and asking twice is asking once."""
    ana, ben = await operator(world, "ana"), await operator(world, "ben")
    proposal = await world.propose(42)
    world.slack.fail("*", ServerError(), times=10_000)
    answer = await ana.post("/v1/operator/pause", json={**REASON, **scope})
    assert answer.status_code == 200, answer.text
    (pause,) = answer.json()["status"]["pauses"]
    assert (pause["by"], pause["reason"], pause["name"]) == ("ana", REASON["reason"], next(iter(scope.values()), None))
    assert (await world.claim(proposal)).status_code == 423
    if not scope:
        for _ in range(2):
            half = await ana.post("/v1/operator/resume", json={})
            assert (half.status_code, half.json()["state"]) == (202, "waiting-for-a-second-person")
            assert (await world.claim(proposal)).status_code == 423
    done = await ben.post("/v1/operator/resume", json=scope)
    assert (done.status_code, done.json()["state"]) == (200, "resumed")
    assert done.json()["status"]["pauses"] == []
    assert (await world.claim(proposal)).status_code == 200
    again = await ben.post("/v1/operator/resume", json=scope)
    assert (again.status_code, again.json()["code"]) == (409, "nothing-paused")


async def test_a_key_is_no_second_person_for_slack_or_the_machine(world: World) -> None:
    """The same human may hold a key, a Slack account and a shell: only two of a kind are surely two people."""
    ana = await operator(world, "ana")
    await world.say(SAM, "pause all")
    await world.say(MAYA, "resume all")
    assert (await ana.post("/v1/operator/resume", json={})).status_code == 202
    assert (await world.post_proposal(42)).status_code == 423
    assert "Resumed" in await world.say(JONAS, "resume all")
    assert len(world.ledger().events(Resumed)) == 1


async def test_a_pause_can_have_an_end_and_take_back(world: World) -> None:
    """`for_s` and `revoke` do what `for 30m` and `revoke` do in Slack; it is announced."""
    ana = await operator(world, "ana")
    proposal = await world.propose(42)
    answer = await ana.post("/v1/operator/pause", json={**REASON, "for_s": 1800, "revoke": True})
    assert answer.json()["taken_back"] == 1
    assert answer.json()["status"]["pauses"][0]["until"] is not None
    assert (await world.read(proposal))["state"] == "revoked"
    assert world.ledger().events(Revoked)[0].by.kind.value == "operator-key"
    await world.settled()
    assert "ana" in world.slack.messages(AGENT_OPS)[0].text
    await world.move(minutes=31)
    assert (await world.post_proposal(42)).status_code == 201


async def test_the_key_opens_nothing_of_an_agent_and_an_agents_key_nothing_here(world: World) -> None:
    """An operator can neither propose, read, claim nor report; an agent can neither pause nor resume nor look."""
    ana = await operator(world, "ana")
    proposal = await world.propose(42)
    path = f"/v1/proposals/{proposal['id']}"
    body = {"tool": TOOL, "arguments": {"amount_usd": 1}, "summary": "x"}
    tried = [
        await ana.post("/v1/proposals", headers={"Idempotency-Key": "k"}, json=body),
        await ana.get(path),
        await ana.post(f"{path}/claim", json={"digest": proposal["digest"]}),
        await ana.post(f"{path}/cancel"),
        await ana.get("/v1/agent"),
        await world.http.post("/v1/operator/pause", json=REASON),
        await world.http.post("/v1/operator/resume", json={}),
        await world.http.get("/v1/operator/status"),
        await world.http.post("/v1/operator/drill"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in tried] == [(401, "unauthorized")] * len(tried)
    assert (await world.claim(proposal)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid-body"),
        ({"reason": ""}, 422, "invalid-body"),
        ({**REASON, "agent": "refund-bot", "tool": TOOL}, 422, "invalid-body"),
        ({**REASON, "agent": "refund-bott"}, 404, "unknown-scope"),
        ({**REASON, "tool": "payments.refnd"}, 404, "unknown-scope"),
        ({**REASON, "for_s": 0}, 422, "invalid-body"),
        ({**REASON, "scope": "all"}, 422, "invalid-body"),
    ],
)
async def test_what_is_not_clear_pauses_nothing_and_says_so(
    world: World, body: dict[str, Any], status: int, code: str
) -> None:
    """A mistyped name is an error with the name of the field, and nothing is stopped that was not meant."""
    ana = await operator(world, "ana")
    answer = await ana.post("/v1/operator/pause", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await ana.get("/v1/operator/status")).json()["pauses"] == []


async def test_a_drill_over_http(world: World) -> None:
    """The answer has the time it took; in a pause there is none."""
    ana = await operator(world, "ana")
    held = (await ana.post("/v1/operator/drill")).json()
    assert held["ok"] is True
    assert world.ledger().events(DrillHeld)[0].by.kind.value == "operator-key"
    assert (await ana.get("/v1/operator/status")).json()["drill"] == held
    await ana.post("/v1/operator/pause", json=REASON)
    assert (await ana.post("/v1/operator/drill")).json()["code"] == "paused"


async def test_a_revoked_key_is_dead_at_once_and_both_changes_are_recorded(world: World) -> None:
    """The key is kept as a hash only, is in no entry of the log, and its name can have a new one afterwards."""
    new = await world.running.wiring.writer.run(GiveKey(OPERATOR, "ana", "root", new_token))
    client = world.client(new.key)
    assert new.key not in repr(new)
    assert (await client.get("/v1/operator/status")).status_code == 200
    with pytest.raises(AgentError, match="has a key already"):
        await operator(world, "ana")
    await world.running.wiring.writer.run(TakeKey(OPERATOR, "ana", "root"))
    assert (await client.get("/v1/operator/status")).status_code == 401
    with pytest.raises(AgentError, match="has no key"):
        await world.running.wiring.writer.run(TakeKey(OPERATOR, "ana", "root"))
    await operator(world, "ana")
    assert [event.change for event in world.ledger().events(OperatorKeyChanged)] == ["added", "revoked", "added"]
    assert new.key.encode() not in world.database.read_bytes()
    tampered = new.key[:-1] + ("A" if new.key[-1] != "A" else "B")
    for wrong in (tampered, "op_" + new.key[3:].upper(), "op_zzzzzzzz_" + "A" * 43):
        assert (await world.client(wrong).get("/v1/operator/status")).status_code == 401
