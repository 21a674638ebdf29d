"""A tool in shadow on the whole server: people are asked and compared, and no way leads to a permission."""

import asyncio
import json
import subprocess
from typing import Any

import pytest

from approval_rules.events import Claimed, ClaimRefused, Refusal, Submitted
from approval_rules.switch import Switch
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.bot.cli.shell import FOUREYES, environment
from tests.bot.delivery.receiver import Receiver
from tests.world import EXAMPLES, TOOL, World, buttons_of, votable


async def into(world: World, mode: str) -> None:
    """Turn the refunds' mode, as somebody with an editor would."""
    text = (EXAMPLES / f"{TOOL}.yml").read_text(encoding="utf-8")
    (world.policy / f"{TOOL}.yml").write_text(text.replace("  rules:", f"  mode: {mode}\n  rules:"), encoding="utf-8")
    await world.running.watch.look()


@pytest.fixture
async def trial(world: World) -> World:
    """A world whose refunds are in shadow."""
    await into(world, "shadow")
    return world


async def refused(world: World, proposal: dict[str, Any]) -> tuple[int, str]:
    """Claim, and give the answer."""
    answer = await world.claim(proposal, key="claim")
    return answer.status_code, answer.json()["code"]


async def test_what_would_run_alone_is_decided_by_people_and_never_runs(trial: World) -> None:
    """The packet says that it is a trial, two people approve, the callback and the API say so, and the claim is 409."""
    async with Receiver() as receiver:
        proposal = await trial.propose(42, callback_url=receiver.url(), claim_if_allowed=True)
        assert (proposal["state"], proposal["tier"], proposal["shadow"]) == ("pending", "yellow", True)
        assert "grant" not in proposal
        packet = await trial.packet_of(proposal)
        assert "🧪 Trial run: nothing will be executed, whatever you decide." in packet.text
        assert "rule 1" not in json.dumps(packet.blocks)
        await trial.click(MAYA, packet)
        assert "This is a trial run, so nothing is executed." in await trial.click(JONAS, packet)
        await trial.settled()
        (told,) = [json.loads(request.body) for request in receiver.requests]
    assert (told["type"], told["data"]["shadow"]) == ("proposal.approved", True)
    assert "claim_by" not in told["data"]
    for _ in range(2):
        assert await refused(trial, proposal) == (409, "shadow")
    assert not votable(packet)
    assert "in a trial run. Nothing ran." in packet.text
    (submitted,) = trial.ledger().events(Submitted)
    shadow = submitted.requirement.shadow
    assert shadow is not None
    assert (shadow.tier, shadow.rule) == ("green", f"{TOOL}#1")
    assert {event.code for event in trial.ledger().events(ClaimRefused)} == {Refusal.SHADOW}


async def test_an_approval_in_shadow_stays_as_it_is(trial: World) -> None:
    """It does not lapse: no sweep, no restart and no pause changes it, and nothing waits for a claim."""
    proposal = await trial.propose(180)
    await trial.approve(proposal)
    await trial.move(hours=30)
    await trial.restart()
    await trial.move(hours=30)
    assert (await trial.read(proposal))["state"] == "approved"
    assert (await trial.running.wiring.reads.glance().due(trial.clock(), Switch(), 9)) == []
    assert await refused(trial, proposal) == (409, "shadow")
    trial.verify_log()


async def test_turning_live_permits_nothing_that_was_asked_in_shadow(trial: World) -> None:
    """What was approved in a trial stays a trial; only what is proposed from then on can run."""
    old = await trial.propose(42)
    await trial.approve(old)
    waiting = await trial.propose(43)
    await into(trial, "live")
    await trial.approve(waiting)
    assert [await refused(trial, one) for one in (old, waiting)] == [(409, "shadow")] * 2
    new = await trial.propose(42)
    assert "shadow" not in new
    assert (await trial.claim(new)).status_code == 200


async def test_a_no_in_shadow_is_a_no(trial: World) -> None:
    """A person denies with a reason, and the agent is told as ever."""
    proposal = await trial.propose(42)
    packet = await trial.packet_of(proposal)
    await trial.deny(PRIYA, packet, "Offer a replacement first.")
    read = await trial.read(proposal)
    assert (read["state"], read["votes"][0]["reason"]) == ("denied", "Offer a replacement first.")
    assert await refused(trial, proposal) == (409, "shadow")


async def test_where_the_file_names_nobody_it_is_only_recorded(trial: World) -> None:
    """No packet, no waiting: approved by policy at once, without a permission, though the agent asked for one."""
    rules = "[{if: amount_usd <= 50, allow: true}, {if: amount_usd > 500, block: true}]"
    text = f"policy: {{tool: {TOOL}, mode: shadow, rules: {rules}}}"
    (trial.policy / f"{TOOL}.yml").write_text(text, encoding="utf-8")
    await trial.running.watch.look()
    proposal = await trial.propose(42, claim_if_allowed=True)
    assert (proposal["state"], proposal["shadow"]) == ("approved", True)
    assert "grant" not in proposal
    assert await refused(trial, proposal) == (409, "shadow")
    blocked = await trial.propose(501)
    assert (blocked["state"], blocked["shadow"]) == ("blocked", True)
    await trial.move(hours=5)
    await trial.settled()
    assert trial.packets(proposal) == trial.packets(blocked) == []
    assert trial.ledger().events(Claimed) == []


async def test_many_at_once_claim_nothing(trial: World) -> None:
    """Votes and claims race; not one permission comes of it."""
    proposals = await asyncio.gather(*(trial.propose(40 + number, claim_if_allowed=True) for number in range(6)))
    packets = [await trial.packet_of(proposal) for proposal in proposals]
    votes = [trial.click(user, packet) for packet in packets for user in (MAYA, JONAS)]
    claims = [refused(trial, proposal) for proposal in proposals for _ in range(3)]
    answers = await asyncio.gather(*claims, *votes)
    assert set(answers[: len(claims)]) == {(409, "shadow")}
    assert trial.ledger().events(Claimed) == []
    trial.verify_log()


async def test_evaluating_says_that_it_is_a_trial(trial: World) -> None:
    """An agent may know before it asks."""
    body = {"tool": TOOL, "arguments": {"amount_usd": 42}, "summary": "x"}
    told = (await trial.http.post("/v1/evaluate", json=body)).json()
    assert (told["would_be"], told["shadow"]) == ("pending", True)


async def test_the_command_line_does_not_act(trial: World) -> None:
    """`foureyes ask` ends at once with 1 and says why."""
    command = [str(FOUREYES), "ask", "--tool", TOOL, "--summary", "x", "--arg", "amount_usd=42"]
    known = environment({"FOUREYES_URL": trial.url, "FOUREYES_AGENT_KEY": trial.agent.key})
    ended = await asyncio.to_thread(subprocess.run, command, env=known, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "shadow: prop_" in ended.stderr
    assert "is a trial run: its tool is in shadow" in ended.stderr


async def test_the_buttons_are_those_of_the_real_thing(trial: World) -> None:
    """The same labels, so that people decide as they would; the dialog says once more that nothing runs."""
    packet = await trial.packet_of(await trial.propose(180))
    approve = next(button for button in buttons_of(packet) if button["action_id"] == "approve")
    assert approve["text"]["text"] == "Approve $180.00 refund"
    assert "This is a trial run: nothing is executed." in approve["confirm"]["text"]["text"]
