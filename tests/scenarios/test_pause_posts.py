"""The message about a pause: it shows what is true, its buttons do what they say, and only for whom they should."""

import asyncio
import json
from datetime import timedelta

import pytest

from approval_rules.drill import DRILL
from approval_rules.events import Refusal, Resumed, SwitchRefused
from approval_rules.stop_events import AgentKeysEnded, DrillHeld
from bot.agents import RotateAgent
from bot.clock import new_token
from bot.slack_standin.conversations import Content, Message
from bot.slack_standin.faults import Delay, Refuse, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, LENA, MAYA, PRIYA, SAM
from tests.world import TOOL, World, buttons_of


def actions(message: Message) -> list[str]:
    """Name the buttons of a message."""
    return [button["action_id"] for button in buttons_of(message)]


async def posts(world: World) -> list[Message]:
    """Give the announcements, once all are told."""
    await world.settled()
    return world.slack.messages(AGENT_OPS)


async def press(world: World, user: str, message: Message, action: str, *, force: bool = False) -> str:
    """Press a button, and give what the modal says."""
    outcome = await world.slack.click(user, message.channel, message.ts, action, force=force)
    assert outcome.ok, outcome.warning
    return json.dumps(world.slack.modals(user)[-1].view, ensure_ascii=False)


async def test_everything_is_resumed_from_the_message_by_two_people(world: World) -> None:
    """The first press asks, in a message of its own; the second person presses there; both show how it ended."""
    await world.say(SAM, "pause all it loops")
    (paused,) = await posts(world)
    assert actions(paused) == ["pause_resume"]
    for _ in range(2):
        assert "second person" in await press(world, MAYA, paused, "pause_resume")
    paused, asked = await posts(world)
    assert "asked to resume" in json.dumps(paused.blocks)
    assert "it loops" in json.dumps(asked.blocks, ensure_ascii=False)
    assert actions(asked) == ["pause_resume"]
    assert (await world.post_proposal(42)).status_code == 423
    assert "Resumed" in await press(world, JONAS, asked, "pause_resume")
    paused, asked, over = await posts(world)
    assert (actions(paused), actions(asked), actions(over)) == ([], [], [])
    assert "This pause is over" in json.dumps(paused.blocks)
    assert "settled" in json.dumps(asked.blocks)
    assert ["Sam Okafor" in paused.text, "Maya Chen" in asked.text, "Jonas Weber" in over.text] == [True] * 3
    assert (await world.post_proposal(42)).status_code == 201
    assert "not paused" in await press(world, JONAS, asked, "pause_resume", force=True)
    assert len(world.ledger().events(Resumed)) == 1


@pytest.mark.parametrize("scope", ["agent refund-bot", f"tool {TOOL}"])
async def test_a_narrow_pause_is_resumed_by_one(world: World, scope: str) -> None:
    """One person who may, from the message; the message says that it is over."""
    await world.say(SAM, f"pause {scope}")
    (message,) = await posts(world)
    assert "you may not resume" in await press(world, SAM, message, "pause_resume")
    assert "Resumed" in await press(world, MAYA, message, "pause_resume")
    message, over = await posts(world)
    assert actions(message) == []
    assert "Maya Chen" in over.text, "whoever resumed is named, though nothing is paused any more"
    assert (await world.post_proposal(42)).status_code == 201


async def test_a_timed_pause_that_ends_takes_its_buttons_along(world: World) -> None:
    """Nobody pressed anything; the message is true all the same."""
    await world.say(SAM, "pause all for 30m")
    await posts(world)
    await world.move(minutes=31)
    assert actions((await posts(world))[0]) == []


async def test_a_pause_that_is_over_before_it_is_posted_has_no_buttons(world: World) -> None:
    """What is rendered is what is true when it is sent, and looked at again after."""
    world.slack.fail("chat.postMessage", Delay(0.6))
    await world.say(SAM, "pause agent refund-bot")
    await world.say(MAYA, "resume agent refund-bot")
    assert [actions(message) for message in await posts(world)] == [[], []]


async def test_a_button_of_an_earlier_pause_resumes_nothing(world: World) -> None:
    """A second pause since, that the person has not seen: the old button says so and counts for nothing."""
    await world.say(SAM, "pause all first")
    (first,) = await posts(world)
    await world.say(PRIYA, "pause all second, for another reason")
    first, second = await posts(world)
    assert (actions(first), actions(second)) == ([], ["pause_resume"])
    assert "not from the newest message" in await press(world, MAYA, first, "pause_resume", force=True)
    assert "second person" in await press(world, JONAS, second, "pause_resume")
    assert (await world.post_proposal(42)).status_code == 423
    assert [event.code for event in world.ledger().events(SwitchRefused)] == [Refusal.NOT_OUR_MESSAGE]


async def test_a_button_elsewhere_is_refused(world: World) -> None:
    """The same button on a copy of the message, or with the id of another pause, resumes nothing."""
    await world.say(SAM, "pause agent refund-bot")
    (original,) = await posts(world)
    copied = world.slack.world.conversations.post(
        AGENT_OPS, Content(original.text, json.loads(json.dumps(original.blocks)))
    )
    assert "not from the newest message" in await press(world, MAYA, copied, "pause_resume")
    assert world.ledger().events(Resumed) == []
    for block in copied.blocks:
        for element in block.get("elements", ()):
            element["value"] = "nonsense"
    assert "not one that Foureyes can read" in await press(world, MAYA, copied, "pause_resume")


@pytest.mark.parametrize("user", [SAM, MAYA])
async def test_the_keys_of_a_paused_agent_are_ended(world: World, user: str) -> None:
    """Its owner may, and who may resume; every key dies at once, none is posted, and the machine makes a new one."""
    proposal = await world.propose(42)
    await world.say(PRIYA, "pause agent refund-bot leaked")
    (message,) = await posts(world)
    assert "pause_end_keys" in actions(message)
    assert "Every key of refund-bot is dead" in await press(world, user, message, "pause_end_keys")
    assert (await world.claim(proposal)).status_code == 401
    assert len(world.ledger().events(AgentKeysEnded)) == 1
    told = (await posts(world))[-1].text
    assert "ended every key" in told
    assert "fe_" not in json.dumps([one.blocks for one in world.slack.messages(AGENT_OPS)])
    unit = RotateAgent("refund-bot", world.clock() - world.clock(), "root", new_token)
    new = await world.running.wiring.writer.run(unit)
    assert (await world.client(new.key).get("/v1/agent")).status_code == 200


async def test_who_is_neither_owner_nor_operator_ends_no_keys(world: World) -> None:
    """A guest and a member without any role are refused, and it is recorded."""
    world.write_roles({"users": [MAYA, JONAS]}, operator={"users": [JONAS]})
    await world.running.watch.look()
    await world.say(SAM, "pause agent refund-bot")
    message = (await posts(world))[-1]
    assert "you may not do this" in await press(world, MAYA, message, "pause_end_keys")
    assert "you are a guest" in await press(world, LENA, message, "pause_end_keys", force=True)
    assert (await world.http.get("/v1/agent")).status_code == 200
    codes = [event.code for event in world.ledger().events(SwitchRefused)]
    assert codes == [Refusal.NOT_OPERATOR, Refusal.GUEST]


async def test_the_message_says_when_the_switch_was_last_proved(world: World) -> None:
    """Whoever stopped something sees that stopping works; when the pause is over, the line has served."""
    await world.say(SAM, f"pause tool {TOOL}")
    (before,) = await posts(world)
    assert "Kill switch: no drill of the kill switch was held yet." in json.dumps(before.blocks)
    await world.say(MAYA, f"resume tool {TOOL}")
    held = await world.running.drills.hold(DRILL)
    assert isinstance(held, DrillHeld)
    await world.say(SAM, f"pause tool {TOOL}")
    told = f"Kill switch: proved on {held.at:%Y-%m-%d %H:%M} UTC: a claim was refused "
    message = (await posts(world))[-1]
    assert told in json.dumps(message.blocks)
    await world.say(MAYA, f"resume tool {TOOL}")
    await posts(world)
    assert told not in json.dumps(message.blocks)


async def test_a_pause_of_everything_has_no_button_for_keys(world: World) -> None:
    """Keys are ended where one agent is meant."""
    await world.say(SAM, "pause all")
    (message,) = await posts(world)
    assert "pause_end_keys" not in actions(message)


async def test_the_policy_is_rolled_back_from_the_message(world: World) -> None:
    """To the version that decided before, by one who may; the button of a version that changed since is refused."""
    first = world.running.wiring.policy.folder.version
    world.write_roles({"users": [MAYA, JONAS]}, auditor={"users": [PRIYA]})
    await world.running.watch.look()
    second = world.running.wiring.policy.folder.version
    assert first != second
    await world.say(SAM, f"pause tool {TOOL}")
    message = (await posts(world))[-1]
    assert "pause_roll_back" in actions(message)
    assert "you may not do this" in await press(world, SAM, message, "pause_roll_back")
    assert f"The policy version {first} decides again" in await press(world, MAYA, message, "pause_roll_back")
    await world.running.watch.look()
    assert world.running.wiring.policy.folder.version == first
    assert [one.text for one in await posts(world) if "rolled the policy back: version" in one.text]
    assert "not from the newest message" in await press(world, JONAS, message, "pause_roll_back", force=True)


async def test_the_same_signed_press_again_has_no_effect(world: World) -> None:
    """A replayed request neither asks a second time nor ends keys twice."""
    await world.say(SAM, "pause agent refund-bot")
    (message,) = await posts(world)
    await press(world, MAYA, message, "pause_end_keys")
    assert (await world.slack.replay(world.slack.deliveries[-1])).status != 500
    assert len(world.ledger().events(AgentKeysEnded)) == 1


async def test_somebody_deactivated_between_the_two_halves_resumes_nothing(world: World) -> None:
    """Whoever has left cannot be the second person, on whatever screen the button still stands."""
    await world.say(SAM, "pause all")
    (message,) = await posts(world)
    await press(world, MAYA, message, "pause_resume")
    world.slack.change_user(JONAS, deleted=True)
    world.clock.move(timedelta(minutes=2))
    assert "deactivated" in await press(world, JONAS, message, "pause_resume", force=True)
    assert (await world.post_proposal(42)).status_code == 423


async def test_two_people_press_twice_at_once(world: World) -> None:
    """One of them is the second person; the pause ends once, and everybody is told something."""
    await world.say(SAM, "pause all")
    (message,) = await posts(world)
    await press(world, MAYA, message, "pause_resume")
    told = await asyncio.gather(*(press(world, user, message, "pause_resume") for user in (JONAS, PRIYA, JONAS, PRIYA)))
    assert len(told) == 4
    assert len(world.ledger().events(Resumed)) == 1
    assert (await world.post_proposal(42)).status_code == 201


async def test_a_message_that_was_deleted_is_no_trouble(world: World) -> None:
    """Somebody tidied the channel: the resume is announced all the same, and nothing is a dead letter."""
    await world.say(SAM, "pause agent refund-bot")
    await posts(world)
    world.slack.fail("chat.update", Refuse("message_not_found"))
    await world.say(MAYA, "resume agent refund-bot")
    assert "resumed" in (await posts(world))[-1].text
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0] == 0


async def test_an_update_that_slack_refuses_for_now_is_tried_again(world: World) -> None:
    """The message becomes true as soon as Slack takes it."""
    await world.say(SAM, "pause agent refund-bot")
    await posts(world)
    world.slack.fail("chat.update", ServerError())
    await world.say(MAYA, "resume agent refund-bot")

    async def true() -> bool:
        world.clock.move(timedelta(seconds=5))
        await world.running.worker.start_due()
        return actions(world.slack.messages(AGENT_OPS)[0]) == []

    await world.until(true, "a message without buttons")
