"""Drills of the kill switch: held on the live server by real claims, recorded, and loud where the switch fails."""

from datetime import timedelta
from typing import Any

import pytest

from approval_rules import claims
from approval_rules.drill import DRILL, DRILL_TOOL
from approval_rules.events import Claimed, ClaimRefused, OutcomeReported, Paused, Refusal, Resumed
from approval_rules.stop_events import DrillHeld
from bot.agents import AgentError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, SAM
from handlers.desk import Refused
from tests.world import World


async def _ready(world: World) -> tuple[int, dict[str, Any]]:
    answer = await world.http.get("/readyz")
    checks = {check["name"]: check for check in answer.json()["checks"]}
    return answer.status_code, checks["drill"]


async def test_a_drill_proves_on_the_live_server_that_a_claim_is_refused(world: World) -> None:
    """In the pause a real claim is refused, after it given; that and the time it took are recorded, nobody is told."""
    held = await world.running.drills.hold(DRILL)
    assert held is not None
    assert (held.ok, held.fault) == (True, None)
    assert held.refused_after_us is not None
    ledger = world.ledger()
    assert ledger.events(DrillHeld) == [held]
    assert [event.code for event in ledger.events(ClaimRefused)] == [Refusal.PAUSED]
    assert len(ledger.events(Claimed)) == len(ledger.events(OutcomeReported)) == 1
    assert [event.scope.name for event in ledger.events(Paused)] == [DRILL_TOOL]
    assert len(ledger.events(Resumed)) == 1
    await world.settled()
    assert world.slack.messages(AGENT_OPS) == []
    assert ledger.outbox == []
    world.verify_log()


async def test_a_drill_stops_nobody_and_is_no_work(world: World) -> None:
    """Agents go on beside it, and the metrics of work do not move."""
    before = world.running.metrics.exposition()[0]
    await world.running.drills.hold(DRILL)
    assert (await world.claim(await world.propose(42))).status_code == 200
    after = world.running.metrics.exposition()[0].decode()
    assert b'type="claim.refused"' not in before
    assert 'type="claim.refused"' not in after
    assert 'type="switch.paused"' not in after
    assert 'foureyes_events_total{type="claim.granted"} 1.0' in after
    assert 'foureyes_events_total{type="drill.held"} 1.0' in after


async def test_status_and_readiness_show_the_last_proof_and_warn_when_it_is_old(world: World) -> None:
    """None yet, a fresh one, and one that is older than eight days, in `/agent status` and in /readyz."""
    assert (await _ready(world))[1]["detail"] == "no drill of the kill switch was held yet"
    await world.running.drills.hold(DRILL)
    status, check = await _ready(world)
    assert (status, check["ok"]) == (200, True)
    assert "a claim was refused" in check["detail"]
    assert "Kill switch: proved 0 minutes ago" in await world.say(SAM, "status")
    world.clock.move(timedelta(days=8, minutes=1))
    status, check = await _ready(world)
    assert (status, check["ok"]) == (200, True)
    assert "8 days ago" in check["detail"]
    assert "too long ago" in check["detail"]
    assert "⚠ Kill switch" in await world.say(SAM, "status")


async def test_a_switch_that_does_not_stop_is_loud(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is given in a pause fails the drill: recorded, not ready, told in the ops channel."""
    with monkeypatch.context() as broken:
        broken.setattr(claims, "_claim_refusal", lambda *_: None)
        held = await world.running.drills.hold(DRILL)
    assert held is not None
    assert (held.ok, held.fault) == (False, "in the pause the claim was given, and not refused as paused")
    status, check = await _ready(world)
    assert (status, check["ok"]) == (503, False)
    assert "failed" in check["detail"]
    await world.settled()
    (message,) = world.slack.messages(AGENT_OPS)
    assert "The drill of the kill switch failed" in message.text
    assert "the claim was given" in message.text
    world.clock.move(timedelta(minutes=11))
    await world.running.drills.keep()
    assert (await _ready(world))[0] == 200


async def test_one_is_held_each_week_and_a_restart_neither_skips_nor_repeats_it(world: World) -> None:
    """What counts is when the last one was held, which the log knows."""
    for wait, number in ((0, 1), (0, 1), (6, 1), (1.01, 2)):
        world.clock.move(timedelta(days=wait))
        await world.restart()
        await world.running.drills.keep()
        assert len(world.ledger().events(DrillHeld)) == number


async def test_in_a_pause_of_everything_none_is_held(world: World) -> None:
    """Its own tool is stopped too then; it is held once people have resumed."""
    await world.say(SAM, "pause all")
    await world.running.drills.keep()
    assert world.ledger().events(DrillHeld) == []
    await world.say(MAYA, "resume all")
    await world.say(JONAS, "resume all")
    await world.running.drills.keep()
    assert len(world.ledger().events(DrillHeld)) == 1


async def test_a_pause_that_comes_in_between_is_no_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pulls the brake in the middle of a drill: the brake holds, and nothing is recorded as failed."""
    real = world.running.drills._agents.claim
    calls = 0

    async def claim(*asked: Any) -> Any:  # noqa: ANN401 - passed on
        nonlocal calls
        calls += 1
        if calls == 2:
            await world.say(SAM, "pause all it is real")
        return await real(*asked)

    monkeypatch.setattr(world.running.drills._agents, "claim", claim)
    assert await world.running.drills.hold(DRILL) is None
    assert world.ledger().events(DrillHeld) == []


async def test_a_drill_that_died_halfway_pauses_nothing_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pause has an end, so that the next one can be held; nobody is told that an outcome is overdue."""

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("bot.desk.drilling._resume", lambda _tx: None)
    monkeypatch.setattr(world.running.drills._agents, "claim", dies)
    with pytest.raises(RuntimeError, match="killed"):
        await world.running.drills.hold(DRILL)
    monkeypatch.undo()
    assert await world.running.drills.hold(DRILL) is None
    await world.move(minutes=2)
    held = await world.running.drills.hold(DRILL)
    assert held is not None
    assert held.ok
    await world.move(hours=3)
    await world.settled()
    assert world.slack.messages(AGENT_OPS) == []


async def test_no_agent_can_have_the_tool_of_the_drill(world: World) -> None:
    """Neither by registration nor by a proposal."""
    with pytest.raises(AgentError, match=r"foureyes\.drill"):
        await world.add_agent("evil", SAM, DRILL_TOOL)
    answer = await world.post_proposal(1, tool=DRILL_TOOL, arguments={})
    assert (answer.status_code, answer.json()["code"]) == (403, "tool-not-allowed")


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ([None], "in the pause the claim was answered as unknown, and not refused as paused"),
        ([Refused("expired", "x")], "in the pause the claim was refused as expired, and not refused as paused"),
        (
            [Refused("paused", "x"), Refused("policy-changed", "x")],
            "after the resume the claim was refused as policy-changed",
        ),
    ],
)
async def test_every_other_answer_is_a_failure(
    world: World, monkeypatch: pytest.MonkeyPatch, answers: list[Refused | None], fault: str
) -> None:
    """Only "paused" proves the pause, and only a grant proves that work goes on after it."""

    async def claim(*_: object) -> Refused | None:
        return answers.pop(0)

    monkeypatch.setattr(world.running.drills._agents, "claim", claim)
    held = await world.running.drills.hold(DRILL)
    assert held is not None
    assert (held.ok, held.fault) == (False, fault)
