"""The kill switch: it stops at once, freezes what is pending, and needs people to be lifted."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import run

import pytest

from approval_rules.events import (
    ClaimRefused,
    Paused,
    Refusal,
    Resumed,
    SubmitRefused,
    SwitchRefused,
    Thawed,
    VoteRefused,
)
from bot.slack_standin.faults import Delay, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, LENA, MAYA, PRIYA, REFUND_APPROVALS, SAM
from tests.world import TOOL, World, buttons_of, votable

SCOPES = ["all", "agent refund-bot", f"tool {TOOL}"]
ROOT = Path(__file__).parents[2]
FROM_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from approval_rules.commands import StartPause
from approval_rules.decide import decide_switch
from approval_rules.switch import EVERYTHING
from approval_rules.text import AgentText
from bot.agents import who_typed
from bot.clock import new_id, salts, system_clock
from bot.desk.switching import record_switch
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.transaction import Sources

def pause(tx):
    by = who_typed(tx, "oncall")
    command = StartPause(tx.at, by, tx.new_id("pause"), EVERYTHING, None, AgentText("from the machine"), None)
    record_switch(tx, decide_switch(tx.switch, command))

connection = open_writer(Path(sys.argv[1]), checkpoints=False)
run_now(connection, Sources(system_clock, new_id, salts), pause)
connection.close()
"""


async def resumed(world: World, what: str) -> None:
    """Resume a scope with as many people as it takes."""
    await world.say(MAYA, f"resume {what}")
    if what == "all":
        await world.say(JONAS, f"resume {what}")


@pytest.mark.parametrize("what", SCOPES)
async def test_a_pause_stops_everything_that_it_covers(world: World, what: str) -> None:
    """In a pause proposals are refused and recorded, votes and claims do not count, packets say so; then it goes on."""
    approved, asked = await world.propose(42), await world.propose(180)
    packet = await world.packet_of(asked)
    assert "Paused" in await world.say(SAM, f"pause {what} it loops")
    refused = await world.post_proposal(42)
    assert (refused.status_code, refused.json()["code"]) == (423, "paused")
    assert "this is paused" in await world.click(MAYA, packet, force=True)
    claim = await world.claim(approved)
    assert (claim.status_code, claim.json()["code"]) == (423, "paused")
    await world.settled()
    assert "it loops" not in (await world.read(asked))["frozen"]
    assert not votable(packet)
    assert "aused" in packet.text
    announced = [message.text for message in world.slack.messages(AGENT_OPS)]
    assert "it loops" in announced[0]

    await resumed(world, what)
    await world.settled()
    assert votable(packet)
    assert (await world.claim(approved)).status_code == 200
    await world.approve(asked)
    assert (await world.read(asked))["state"] == "approved"
    ledger = world.ledger()
    assert [event.code for event in ledger.events(SubmitRefused)] == ["paused"]
    assert [event.code for event in ledger.events(VoteRefused)] == [Refusal.PAUSED]
    assert [event.code for event in ledger.events(ClaimRefused)] == [Refusal.PAUSED]


async def test_a_pause_of_another_agent_or_tool_stops_nothing_here(world: World) -> None:
    """A narrow pause stops what it names and nothing else."""
    await world.add_agent("mail-bot", SAM, "mail.send")
    for what in ("agent mail-bot", "tool mail.send"):
        assert "Paused" in await world.say(SAM, f"pause {what}")
    proposal = await world.propose(42)
    assert (await world.claim(proposal)).status_code == 200
    whoami = (await world.http.get("/v1/agent")).json()
    assert whoami["paused"] is False


@pytest.mark.parametrize("what", SCOPES)
async def test_clocks_stand_still_in_a_pause(world: World, what: str) -> None:
    """Both clocks, to decide and to claim, move by exactly as long as the pause lasted."""
    asked, approved = await world.propose(180), await world.propose(42)
    await world.packet_of(asked)
    await world.say(SAM, f"pause {what}")
    await world.move(hours=9)
    assert (await world.read(asked))["state"] == "pending"
    assert (await world.read(approved))["state"] == "approved"
    await resumed(world, what)
    ledger = world.ledger()
    lasted = ledger.events(Resumed)[0].at - ledger.events(Paused)[0].at
    assert lasted >= timedelta(hours=9)
    now_asked, now_approved = await world.read(asked), await world.read(approved)
    assert _time(now_asked["expires_at"]) - _time(asked["expires_at"]) == lasted
    assert _time(now_approved["claim_by"]) - _time(approved["claim_by"]) == lasted
    assert len(ledger.events(Thawed)) == 2
    await world.move(hours=4)
    assert (await world.read(asked))["state"] == "expired"
    assert (await world.read(approved))["state"] == "expired"


async def test_overlapping_pauses_count_once(world: World) -> None:
    """Two pauses over one proposal move its clock by the time that at least one of them stood."""
    asked = await world.propose(180)
    await world.packet_of(asked)
    await world.say(SAM, "pause all")
    await world.move(hours=1)
    await world.say(SAM, "pause agent refund-bot")
    await world.move(hours=1)
    await resumed(world, "all")
    await world.move(hours=1)
    assert world.ledger().events(Thawed) == []
    await resumed(world, "agent refund-bot")
    ledger = world.ledger()
    lasted = ledger.events(Resumed)[-1].at - ledger.events(Paused)[0].at
    assert _time((await world.read(asked))["expires_at"]) - _time(asked["expires_at"]) == lasted


async def test_resuming_everything_takes_two_people(world: World) -> None:
    """The first is told that one more is needed, cannot be the second too, and nothing runs until then."""
    proposal = await world.propose(42)
    await world.say(SAM, "pause all")
    for _ in range(2):
        assert "second person" in await world.say(MAYA, "resume all")
        assert (await world.claim(proposal)).status_code == 423
    assert "Resumed" in await world.say(JONAS, "resume all")
    assert (await world.claim(proposal)).status_code == 200


async def test_a_new_pause_forgets_the_first_half_of_a_resume(world: World) -> None:
    """Who asked to resume the last pause has not asked to resume this one."""
    await world.say(SAM, "pause all")
    await world.say(MAYA, "resume all")
    await world.say(SAM, "pause all again")
    assert "second person" in await world.say(JONAS, "resume all")
    assert (await world.post_proposal(42)).status_code == 423


async def test_who_may_pause_and_resume(world: World) -> None:
    """Any full member may stop; a guest may not; only who may approve may start again."""
    assert "Nothing was paused" in await world.say(LENA, "pause all")
    assert "Paused" in await world.say(SAM, "pause tool payments.refund")
    assert "you may not resume" in await world.say(SAM, "resume tool payments.refund")
    codes = [event.code for event in world.ledger().events(SwitchRefused)]
    assert codes == [Refusal.GUEST, Refusal.NOT_OPERATOR]


async def test_operators_resume_where_the_role_exists(world: World) -> None:
    """With a role `operator` in roles.yml, approvers no longer resume, operators do."""
    world.write_roles({"users": [MAYA, JONAS]}, operator={"users": [SAM]})
    await world.running.watch.look()
    await world.say(PRIYA, "pause agent refund-bot")
    assert "you may not resume" in await world.say(MAYA, "resume agent refund-bot")
    assert "Resumed" in await world.say(SAM, "resume agent refund-bot")


async def test_a_timed_pause_ends_by_itself(world: World) -> None:
    """When the announced time is over the pause is lifted, recorded and announced."""
    proposal = await world.propose(42)
    assert "until" in await world.say(SAM, "pause all for 30m a look at the logs")
    await world.move(minutes=29)
    assert (await world.claim(proposal)).status_code == 423
    await world.move(minutes=2)
    assert (await world.claim(proposal)).status_code == 200
    await world.settled()
    assert len(world.slack.messages(AGENT_OPS)) == 2


async def test_a_pause_works_while_slack_knows_nobody(world: World) -> None:
    """Stopping is safe: with Slack's directory down a member still pauses; resuming then is refused."""
    world.slack.fail("*", ServerError(), times=10_000)
    assert "Paused" in await world.say(SAM, "pause all")
    assert (await world.post_proposal(42)).status_code == 423
    await world.say(MAYA, "resume all")
    world.slack.faults.clear()
    assert (await world.post_proposal(42)).status_code == 423


async def test_a_pause_from_another_process_is_obeyed_at_the_next_commit(world: World) -> None:
    """A pause that another process commits to the file stops this server's very next proposal, vote and claim."""
    approved, asked = await world.propose(42), await world.propose(180)
    packet = await world.packet_of(asked)
    await world.settled()
    command = [sys.executable, "-c", FROM_ANOTHER_PROCESS, str(world.database)]
    done = run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: ASYNC221, S603 - the world stands still
    assert (done.returncode, done.stderr) == (0, "")
    assert (await world.claim(approved)).status_code == 423
    assert (await world.post_proposal(42)).status_code == 423
    assert "this is paused" in await world.click(MAYA, packet, force=True)
    await world.settled()
    assert not votable(packet)
    assert "from the machine" in world.slack.messages(AGENT_OPS)[-1].text


async def test_a_packet_that_is_posted_during_the_pause_is_frozen(world: World) -> None:
    """A packet on its way to Slack when the pause commits still ends up frozen."""
    world.slack.fail("chat.postMessage", Delay(0.6))
    proposal = await world.propose(180)

    async def posting() -> bool:
        return any(call.method == "chat.postMessage" for call in world.slack.calls)

    await world.until(posting, "a post under way")
    await world.say(SAM, "pause all")
    packet = await world.packet_of(proposal)
    await world.settled()
    assert not votable(packet)
    assert "aused" in packet.text


async def test_status_and_a_repeated_pause(world: World) -> None:
    """`/agent status` says what is paused, by whom and why; the buttons of the answer vote nothing."""
    await world.say(SAM, "pause all because it loops")
    told = await world.say(JONAS, "status")
    assert "because it loops" in told
    assert SAM in told
    assert [buttons_of(message) for message in world.slack.messages(REFUND_APPROVALS)] == []


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
