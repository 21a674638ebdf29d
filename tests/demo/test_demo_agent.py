"""The scripted agent is honest: no permission, no execution; a wrong permission, no execution; a pause, full stop."""

import asyncio
from typing import Any

import httpx
import pytest

from bot.clock import SteadyClock
from bot.demo import cases
from bot.demo.agent import SupportAgent
from bot.demo.cases import Case
from bot.demo.grant_check import GrantRefusedError, checked
from bot.demo.stage import Stage
from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS, SAM

CASES = {case.name: case for case in cases.load()}


def titles(agent: SupportAgent) -> list[str]:
    """Give the titles of the agent's lines."""
    return [line.title for line in agent.lines]


async def test_a_pause_holds_an_approved_refund_until_two_resume(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim is refused during the pause, the agent waits, and executes once after the resume."""
    monkeypatch.setattr(stage.agent, "_look_again_s", 0.02)
    case = CASES["enterprise-green"]
    answer = await stage.agent.propose(case)
    await stage.slack.command(SAM, REFUND_APPROVALS, "/agent", "pause all")
    following = asyncio.create_task(stage.agent.follow(case, answer.body))
    async with asyncio.timeout(5):
        while not any("paused" in title for title in titles(stage.agent)):  # noqa: ASYNC110 - lines are a plain list
            await asyncio.sleep(0.01)
    assert not any("Refunded" in title for title in titles(stage.agent))
    for who in (MAYA, JONAS):
        await stage.slack.command(who, REFUND_APPROVALS, "/agent", "resume all")
    await asyncio.wait_for(following, 5)
    assert sum("Refunded" in title for title in titles(stage.agent)) == 1


async def test_a_pause_does_not_use_up_a_case(stage: Stage) -> None:
    """What was refused by a pause is proposed again afterwards; then comes the next one; then all over again."""
    await stage.slack.command(SAM, REFUND_APPROVALS, "/agent", "pause tool payments.refund")
    assert (await stage.agent.propose_next()).status == 423
    await stage.slack.command(MAYA, REFUND_APPROVALS, "/agent", "resume tool payments.refund")
    proposed = [(await stage.agent.propose_next()).body["arguments"]["order_id"] for _ in range(2)]
    assert proposed == ["ORD-20417", "ORD-20466"]
    stage.agent._played.update(CASES)
    assert (await stage.agent.propose_next()).body["arguments"]["order_id"] == "ORD-20417"


async def test_a_permission_for_something_else_is_no_permission(stage: Stage) -> None:
    """Forged, for another agent, proposal or digest, or too late: the agent does not execute."""
    case, other = CASES["small-standard"], CASES["limit-50"]
    proposal = (await stage.agent.propose(case)).body
    grant = (await stage.agent.claim(case, proposal)).body["grant"]
    assert await stage.agent.execute(other, proposal, grant) is None
    assert not any("Refunded" in title for title in titles(stage.agent))
    assert titles(stage.agent)[-1] == "This is no permission, so I do not execute: it is for another args_sha256."
    done = await stage.agent.execute(case, proposal, grant)
    assert done is not None
    assert done.ok
    await check_refusals(stage, case, proposal["id"], proposal["agent"]["id"], grant)


async def check_refusals(stage: Stage, case: Case, proposal: str, audience: str, grant: str) -> None:
    """Each way in which a permission can be wrong is told."""
    async with httpx.AsyncClient(base_url=stage.api_url) as client:
        keys = (await client.get("/.well-known/jwks.json")).json()
    now = SteadyClock()()
    good: dict[str, Any] = {"audience": audience, "proposal": proposal, "digest": case.digest, "now": now}
    said = checked(grant, keys, **good)
    assert said["proposal"] == proposal
    head, claims, signature = grant.split(".")
    late = now.fromtimestamp(said["exp"], now.tzinfo)
    for token, change, why in (
        (f"{head}.{claims}x.{signature}", {}, "did not sign"),
        (f"{head}.{claims}", {}, "did not sign"),
        ("not.a.token", {}, "did not sign"),
        (grant, {"audience": "agent_2"}, "another aud"),
        (grant, {"proposal": "prop_2"}, "another proposal"),
        (grant, {"now": late}, "time is over"),
    ):
        with pytest.raises(GrantRefusedError, match=why):
            checked(token, keys, **{**good, **change})
    with pytest.raises(GrantRefusedError, match="did not sign"):
        checked(grant, {"keys": []}, **good)


async def test_a_server_that_is_away_is_no_yes() -> None:
    """The agent notes it and stops; nothing is raised into the background."""
    agent = SupportAgent("http://127.0.0.1:1", "key", cases.load(), SteadyClock())
    answer = await agent.propose_next()
    assert answer.words == "502 unreachable: ConnectError"
    await agent.follow(CASES["rich-pro"], {"id": "prop_1", "state": "pending", "requirement": None})
    assert titles(agent)[-1] == "502 unreachable: ConnectError"
    await agent.close()


async def test_closing_ends_what_waits(stage: Stage) -> None:
    """A proposal that waits for people does not hold the demo open."""
    await stage.agent.propose_next("rich-pro")
    async with asyncio.timeout(2):
        await stage.agent.close()
