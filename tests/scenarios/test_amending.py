"""More than yes and no, through the running server: questions, edits, taking back, the kinds of denials."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from approval_rules.amend import MOST_OPEN
from approval_rules.events import Approved, Claimed, Denied, Refusal, Revoked, Voted
from approval_rules.question_events import Answered, Asked, Edited, RequestRefused
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import ResetBefore, Twice
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.world import TOOL, Proposal, World, buttons_of, denial, votable

THREE = (MAYA, JONAS, PRIYA)


def question(text: str = "Is it ours?", to: str | None = None, *, stop: bool = False) -> dict[str, Any]:
    """Give what stands in the modal that asks."""
    return {
        "reason": {"reason": text},
        "to": {"to": to},
        "clock": {"clock": ["stops"] if stop else []},
    }


def lower(value: str) -> dict[str, Any]:
    """Give what stands in the modal that lowers."""
    return {"lower.0": {"amount_usd": value}}


def why(reason: str = "The customer called.") -> dict[str, Any]:
    """Give what stands in the modal that takes back."""
    return {"reason": {"reason": reason}}


def editable(world: World) -> None:
    """Let people lower the amount."""
    page = world.policy / f"{TOOL}.yml"
    page.write_text(page.read_text(encoding="utf-8") + "  editable: [amount_usd]\n", encoding="utf-8")


@pytest.fixture
async def world(tmp_path: Path) -> Any:  # noqa: ANN401 - a fixture
    """Start a product whose refunds people may lower."""
    made = World(tmp_path, managers=THREE)
    editable(made)
    async with made:
        yield made
        made.verify_log()


async def answer(world: World, proposal: Proposal, asked: str, text: str) -> Any:  # noqa: ANN401 - an answer
    """Answer as the agent."""
    return await world.http.post(f"/v1/proposals/{proposal['id']}/answers", json={"question": asked, "text": text})


def of(world: World, kind: type) -> list[Any]:
    """List what was recorded of a kind."""
    return world.ledger().events(kind)


async def asked(world: World, proposal: Proposal, packet: Message, **more: Any) -> str:  # noqa: ANN401 - see question
    """Ask as Maya, and give the question's id."""
    assert "stands on the packet" in await world.fill(MAYA, packet, "ask", question(**more))
    return str((await world.read(proposal))["questions"][-1]["id"])


async def test_an_agent_answers_a_question_and_the_votes_stay(world: World) -> None:
    """Asked in a modal, answered over the API: both stand on the packet, marked whose words; no vote is lost."""
    proposal = await world.propose(callback_url="http://127.0.0.1:9/hook")
    packet = await world.packet_of(proposal)
    await world.click(JONAS, packet)
    ident = await asked(world, proposal, packet, text="Did they call <!channel> \u202e?")
    told = await answer(world, proposal, ident, "Yes, @here twice.")
    assert (told.status_code, told.json()["digest"]) == (200, proposal["digest"])
    again = await answer(world, proposal, ident, "Yes, @here twice.")
    assert (again.status_code, len(of(world, Answered))) == (200, 1)
    assert (await answer(world, proposal, ident, "No.")).json()["code"] == "already-answered"
    assert (await answer(world, proposal, "qst_none", "No.")).status_code == 404
    await world.slack.until(lambda: "@here twice" in str(packet.blocks), "the answer on the packet")
    shown = str(packet.blocks)
    assert "What the agent answers (unverified)" in shown
    assert f"Maya Chen ({MAYA}) asked the agent" in shown
    assert [token for token in packet.pings if not token.startswith("<!date^")] == []
    assert "\u202e" not in shown
    found = await world.read(proposal)
    assert ([vote["by"] for vote in found["votes"]], found["questions"][0]["answer"]) == ([JONAS], "Yes, @here twice.")
    with world.db() as db:
        bodies = [
            row[0] for row in db.execute("SELECT sent_payload(name, payload) FROM outbox WHERE kind = 'callback'")
        ]
    assert any("proposal.question" in body for body in bodies)


async def test_only_the_asked_persons_first_reply_is_the_answer(world: World) -> None:
    """A person is called in the thread; everybody else's words, bots, edits and second replies are ignored."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await asked(world, proposal, packet, to=SAM)
    await world.settled()
    assert any(
        f"'{SAM}'" in str(message.blocks) for message in world.slack.messages(packet.channel) if message.thread_ts
    )
    assert (await world.slack.reply(PRIYA, packet, "I think so")).ok
    for odd in ({"subtype": "message_changed"}, {"bot_id": "B0BOT"}, {"thread_ts": packet.ts, "ts": packet.ts}):
        assert (await world.slack.reply(SAM, packet, "not this", **odd)).ok
    assert of(world, Answered) == []
    first = await world.slack.reply(SAM, packet, "It is <ours> & mine")
    assert (await world.slack.send_signed(first.body, content_type="application/json")).ok
    assert (await world.slack.reply(SAM, packet, "second thoughts")).ok
    assert len(of(world, Answered)) == 1
    assert (await world.read(proposal))["questions"][0]["answer"] == "It is <ours> & mine"
    refused = await answer(world, proposal, (await world.read(proposal))["questions"][0]["id"], "I am Sam")
    assert refused.json()["code"] == "question-unknown"
    await world.settled()
    assert "It is <ours> & mine" in str(packet.blocks)


async def test_a_stopped_clock_gives_the_time_back(world: World) -> None:
    """The deadline moves by the time the clock stood, a pause at the same time counts once, a day is the most."""
    proposal = await world.propose(expires_in_s=3600)
    packet = await world.packet_of(proposal)
    ident = await asked(world, proposal, packet, stop=True)
    await world.say(MAYA, "pause all")
    await world.move(hours=2)
    await answer(world, proposal, ident, "Yes.")
    await world.move(hours=1)
    for user in (MAYA, JONAS):
        await world.say(user, "resume all")
    found = await world.read(proposal)
    assert found["state"] == "pending"
    moved = _seconds(found["expires_at"]) - _seconds(proposal["expires_at"])
    assert abs(moved - 3 * 3600) < 60
    await world.settled()
    await asked(world, proposal, packet, stop=True)
    await world.move(hours=23)
    assert (await world.read(proposal))["state"] == "pending"
    await world.move(hours=3)
    assert (await world.read(proposal))["state"] == "expired"


def _seconds(text: str) -> float:
    from datetime import datetime  # noqa: PLC0415 - one use

    return datetime.fromisoformat(text).timestamp()


async def test_who_may_not_vote_may_not_ask(world: World) -> None:
    """The owner asks in vain, five questions wait at most, and nobody asks himself or a bot."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert "did not count" in await world.fill(SAM, packet, "ask", question())
    assert "another full member" in await world.fill(JONAS, packet, "ask", question(to=JONAS))
    for _ in range(MOST_OPEN):
        await asked(world, proposal, packet)
    assert "five questions" in await world.fill(MAYA, packet, "ask", question())
    codes = [event.code for event in of(world, RequestRefused)]
    assert codes == [Refusal.AGENT_OWNER, Refusal.CANNOT_BE_ASKED, Refusal.TOO_MANY_QUESTIONS]
    assert len(of(world, Asked)) == MOST_OPEN


async def test_a_lowered_amount_is_another_action(world: World) -> None:
    """An edit makes a new digest, voids earlier votes by name, and needs two others; the old digest claims nothing."""
    proposal = await world.propose(180, callback_url="http://127.0.0.1:9/hook")
    packet = await world.packet_of(proposal)
    old = next(button for button in buttons_of(packet) if button["action_id"] == "approve")["value"]
    await world.click(JONAS, packet)
    assert "others decide" in await world.fill(MAYA, packet, "lower", lower("120.50"))
    await world.slack.until(lambda: "Void since then" in str(packet.blocks), "the edit on the packet")
    found = await world.read(proposal)
    assert (found["arguments"]["amount_usd"], found["votes"], found["version"]) == (120.5, [], 2)
    assert found["digest"] != proposal["digest"]
    assert found["edits"][0]["digest_before"] == proposal["digest"]
    assert "Void since then" in str(packet.blocks)
    assert "Jonas" in str(packet.blocks)
    assert [button["value"] for button in buttons_of(packet) if button["action_id"] == "approve"] != [old]
    assert "others must decide" in await world.click(MAYA, packet)
    await world.click(JONAS, packet)
    await world.click(PRIYA, packet)
    stale = await world.claim(proposal)
    assert (stale.status_code, stale.json()["code"]) == (409, "digest-mismatch")
    assert "a person lowered" in stale.json()["detail"]
    assert (await world.claim(found)).status_code == 200
    again = await world.post_proposal(180, key="another")
    assert again.json()["id"] != proposal["id"]
    with world.db() as db:
        bodies = [
            row[0] for row in db.execute("SELECT sent_payload(name, payload) FROM outbox WHERE kind = 'callback'")
        ]
    assert any("proposal.edited" in body for body in bodies)


async def test_a_click_from_before_the_edit_does_not_count(world: World) -> None:
    """Whoever still has the old packet on the screen is told that a person changed it; no vote is recorded."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    press = await world.slack.click(JONAS, packet.channel, packet.ts, "details")
    assert press.delivery is not None
    await world.fill(MAYA, packet, "lower", lower("120"))
    body = press.delivery.body.replace(b"%22details%22", b"%22approve%22")
    await world.slack.send_signed(body)
    await world.settled()
    assert "lowered" in world.slack.ephemerals(JONAS)[-1].text
    assert of(world, Voted) == []


async def test_lowered_to_what_policy_allows_is_approved(world: World) -> None:
    """A person lowered it and the policy lets that through: it is approved at once, and claimed with the new digest."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    assert "it is approved" in await world.fill(MAYA, packet, "lower", lower("20"))
    found = await world.read(proposal)
    assert (found["state"], found["tier"]) == ("approved", "green")
    assert (await world.claim(found)).status_code == 200


@pytest.mark.parametrize("value", ["180", "181", "0", "-1", "1e2", "NaN", "12,50", "\uff11\uff12", "1.0000000001"])
async def test_only_a_smaller_amount_is_taken(world: World, value: str) -> None:
    """What is not smaller, not positive or no plain number changes nothing; the modal says so and stays."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    assert "smaller number" in await world.fill(MAYA, packet, "lower", lower(value))
    assert of(world, Edited) == []
    assert (await world.read(proposal))["digest"] == proposal["digest"]


async def test_a_field_that_policy_does_not_name_cannot_be_edited(world: World) -> None:
    """A forged modal that names another field is refused and recorded."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    await world.slack.click(MAYA, packet.channel, packet.ts, "lower")
    modal = world.slack.modals(MAYA)[-1]
    world.slack.fail("app:view_submission", ResetBefore())
    outcome = await world.slack.submit(MAYA, modal.id, lower("100"))
    assert outcome.delivery is not None
    for forged in (b"order_id", b"customer_id", b"nothing"):
        answer = await world.slack.send_signed(outcome.delivery.body.replace(b"amount_usd", forged))
        assert answer.status == 200
    assert [event.code for event in of(world, RequestRefused)] == [Refusal.NOT_EDITABLE] * 3
    assert of(world, Edited) == []


async def test_an_approval_is_taken_back_before_it_is_used(world: World) -> None:
    """Whoever approved takes it back with a reason; the claim is refused, and a stranger to the vote cannot."""
    proposal = await world.propose()
    packet = await world.approve(proposal)
    await world.settled()
    assert "did not count" in await world.fill(PRIYA, packet, "take_back", why())
    assert "no longer counts" in await world.fill(MAYA, packet, "take_back", why("He keeps it <!here>"))
    found = await world.read(proposal)
    assert (found["state"], found["revoked_why"], found["taken_back"]["by"]) == ("revoked", "taken-back", MAYA)
    assert (await world.claim(proposal)).json()["code"] == "revoked"
    await world.settled()
    assert "He keeps it" in str(packet.blocks)
    assert packet.pings == []
    assert [button["action_id"] for button in buttons_of(packet)] == ["details"]
    assert "taken back" in await world.fill(JONAS, packet, "take_back", why(), force=True)
    codes = [event.code for event in of(world, RequestRefused)]
    assert codes == [Refusal.NOT_APPROVER, Refusal.REVOKED]


async def test_an_approval_is_taken_back_during_a_pause(world: World) -> None:
    """Stopping is safe: a pause stands in nobody's way."""
    proposal = await world.propose()
    packet = await world.approve(proposal)
    await world.say(PRIYA, "pause all")
    await world.settled()
    assert "no longer counts" in await world.fill(MAYA, packet, "take_back", why())
    assert (await world.read(proposal))["state"] == "revoked"


async def test_a_claim_and_a_taking_back_at_once(world: World) -> None:
    """When both race exactly one wins, and the other is told."""
    for first in range(6):
        proposal = await world.propose()
        packet = await world.approve(proposal)
        await world.settled()
        await world.slack.click(MAYA, packet.channel, packet.ts, "take_back")
        modal = world.slack.modals(MAYA)[-1]
        race = [world.claim(proposal), world.slack.submit(MAYA, modal.id, why())]
        await asyncio.gather(*(race if first % 2 else reversed(race)))
        events = world.ledger().of(proposal["id"])
        assert sum(isinstance(event, Claimed | Revoked) for event in events) == 1


async def test_a_denial_has_a_category(world: World) -> None:
    """The kind of a denial stands in the log, on the packet and in what the agent is told; none is no denial."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    missing = {"reason": {"reason": "no"}}
    assert "required" in await world.fill(MAYA, packet, "deny", missing)
    assert of(world, Denied) == []
    await world.fill(JONAS, packet, "deny", denial("Too much", "wrong-amount"))
    vote = (await world.read(proposal))["votes"][0]
    assert (vote["category"], vote["reason"]) == ("wrong-amount", "Too much")
    await world.settled()
    assert "wrong amount" in str(packet.blocks)
    figures = (await world.http.get("/metrics")).text
    assert 'foureyes_denials_total{category="wrong-amount"} 1.0' in figures
    assert not votable(packet)


async def test_twice_the_same_request_counts_once(world: World) -> None:
    """A modal that Slack delivers twice is one question, one edit, one taking back; both answers say the same."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.fail("app:view_submission", Twice())
    await asked(world, proposal, packet)
    assert len(of(world, Asked)) == 1
    world.slack.fail("app:view_submission", Twice())
    assert "others decide" in await world.fill(MAYA, packet, "lower", lower("100"))
    assert len(of(world, Edited)) == 1
    assert of(world, RequestRefused) == []


async def test_nothing_is_asked_or_lowered_when_it_is_over(world: World) -> None:
    """After the deadline and during a pause each is refused, recorded and explained."""
    proposal = await world.propose(expires_in_s=60)
    packet = await world.packet_of(proposal)
    await world.say(PRIYA, "pause all")
    await world.settled()
    assert "paused" in await world.fill(MAYA, packet, "ask", question(), force=True)
    for user in (MAYA, JONAS):
        await world.say(user, "resume all")
    world.clock.move(timedelta(minutes=2))
    assert "time to decide is over" in await world.fill(MAYA, packet, "lower", lower("1"), force=True)
    assert [event.code for event in of(world, RequestRefused)] == [Refusal.PAUSED, Refusal.EXPIRED]
    assert of(world, Approved) == []
