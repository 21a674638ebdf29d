"""Agents as principals: each its own key, its own tools, its own proposals."""

from datetime import timedelta

import pytest

from approval_rules.events import AgentChanged, SubmitRefused
from bot.agents import RevokeAgent, RotateAgent
from bot.clock import new_token
from bot.slack_standin.workspace import SAM
from tests.world import TOOL, World


async def test_a_revoked_agent_is_out_at_once(world: World) -> None:
    """Revoked: the next call is 401, and what was approved and unclaimed cannot be claimed any more."""
    proposal = await world.propose(42)
    await world.running.wiring.writer.run(RevokeAgent("refund-bot", "root"))
    assert (await world.claim(proposal)).status_code == 401
    assert (await world.post_proposal(42)).status_code == 401
    await world.move(minutes=61)
    assert world.ledger().proposals[proposal["id"]].status == "expired"


async def test_a_rotated_key_overlaps(world: World) -> None:
    """After a rotation both keys work for the overlap, then only the new one."""
    rotate = RotateAgent("refund-bot", timedelta(hours=1), "root", new_token)
    new = world.client((await world.running.wiring.writer.run(rotate)).key)
    for client in (world.http, new):
        assert (await client.get("/v1/agent")).status_code == 200
    await world.move(hours=1, seconds=1)
    assert (await world.http.get("/v1/agent")).status_code == 401
    assert (await new.get("/v1/agent")).status_code == 200
    assert [event.change for event in world.ledger().events(AgentChanged)] == ["added", "rotated"]


async def test_another_agents_proposal_does_not_exist(world: World) -> None:
    """Reading, cancelling, claiming or reporting another agent's proposal is 404, and a listing does not show it."""
    proposal = await world.propose(42)
    other = world.client((await world.add_agent("other-bot", SAM, TOOL)).key)
    path = f"/v1/proposals/{proposal['id']}"
    digest = {"digest": proposal["digest"]}
    answers = [
        await other.get(path),
        await other.post(f"{path}/cancel"),
        await other.post(f"{path}/claim", json=digest),
        await other.post(f"{path}/outcome", json={"status": "succeeded"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert (await other.get("/v1/proposals")).json()["data"] == []
    assert (await world.claim(proposal)).status_code == 200


async def test_a_tool_that_is_not_on_the_list(world: World) -> None:
    """Another tool is refused and recorded."""
    body = {"tool": "keys.rotate", "arguments": {}, "summary": "x"}
    answer = await world.http.post("/v1/proposals", headers={"Idempotency-Key": "k"}, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "tool-not-allowed")
    assert [event.code for event in world.ledger().events(SubmitRefused)] == ["tool-not-allowed"]


@pytest.mark.parametrize("key", ["", "fe_0123", "Bearer", "fe_00000000_" + "A" * 43])
async def test_a_wrong_key_is_nobody(world: World, key: str) -> None:
    """An unknown or malformed key is 401 and nothing is recorded."""
    before = len(world.ledger().recorded)
    client = world.client(key or "x")
    assert (await client.get("/v1/agent")).status_code == 401
    assert len(world.ledger().recorded) == before


async def test_names_and_numbers_of_an_agent(world: World) -> None:
    """A second agent of the same name is refused, with words that help."""
    with pytest.raises(Exception, match="exists"):
        await world.add_agent("refund-bot", SAM, TOOL)


async def test_own_proposals_are_listed_in_order(world: World) -> None:
    """Pages of the agent's own proposals, oldest first, by state, without a gap."""
    made = [(await world.propose(180 if number % 2 else 42))["id"] for number in range(5)]
    first = (await world.http.get("/v1/proposals", params={"limit": 2})).json()
    rest = (await world.http.get("/v1/proposals", params={"after": first["data"][-1]["id"]})).json()
    assert [row["id"] for row in first["data"] + rest["data"]] == made
    assert (first["has_more"], rest["has_more"]) == (True, False)
    pending = (await world.http.get("/v1/proposals", params={"state": "pending"})).json()
    assert [row["id"] for row in pending["data"]] == made[1::2]
