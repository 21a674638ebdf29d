"""Nobody becomes one person with somebody else, or two again, without being told and told what to do about it."""

import json
from datetime import timedelta

from approval_rules.people_events import PersonsJoined
from bot.slack_standin.faults import Refuse, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, REFUND_APPROVALS, User
from tests.world import World

MAYA_AGAIN = "U0MAYATWICE"
ADMINS = ("U0ADMINONE1", "U0ADMINTWO1")


def told(world: World, channel: str) -> list[str]:
    """List what a channel or a person was told about persons."""
    place = channel if channel.startswith("C") else world.workspace.direct(channel).id
    return [message.text for message in world.slack.messages(place) if "👥" in message.text]


def unsent(world: World) -> list[tuple[str, str]]:
    """List what is still to be sent about persons."""
    with world.db() as db:
        return db.execute("SELECT name, state FROM outbox WHERE state <> 'done' AND subject = 'people'").fetchall()


async def staffed(world: World, *others: User) -> None:
    """Let these accounts decide too, with two admins."""
    for user in (*others, User(ADMINS[0], "ada", "Ada Admin"), User(ADMINS[1], "bo", "Bo Admin")):
        world.workspace.add_user(user, REFUND_APPROVALS, AGENT_OPS)
    managers = {"users": [MAYA, JONAS, PRIYA, *(user.id for user in others)]}
    world.write_roles(managers, admin={"users": list(ADMINS)})
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def test_both_accounts_and_the_operators_are_told_why_and_what_to_do(world: World) -> None:
    """One address on two accounts: each account hears it by direct message, the operators in their channel, once."""
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya *C.* <!channel>", email="maya@example.com"))
    packet = await world.packet_of(await world.propose())
    await world.click(MAYA, packet)
    await world.click(MAYA_AGAIN, packet)
    await world.click(MAYA_AGAIN, packet)
    await world.settled()
    assert len(world.ledger().events(PersonsJoined)) == 1
    for account in (MAYA, MAYA_AGAIN):
        [said] = told(world, account)
        assert "count as one person from now on, because both accounts have the same e-mail address" in said
        assert "If this is wrong, tell whoever runs Foureyes: two admins set it right with /agent people." in said
        assert "<!channel>" not in said
    [said] = told(world, AGENT_OPS)
    assert MAYA in said
    assert MAYA_AGAIN in said
    assert "two admins type /agent people apart" in said
    assert told(world, REFUND_APPROVALS) == []


async def test_what_two_admins_say_is_told_too(world: World) -> None:
    """Two admins who join, and then part, act on somebody's vote: that person hears it, and so do the operators."""
    await staffed(world, User(MAYA_AGAIN, "shift-lead", "Shift Lead"))
    for word in ("join", "apart"):
        for admin in ADMINS:
            await world.say(admin, f"people {word} <@{MAYA}> <@{MAYA_AGAIN}>")
    await world.settled()
    for place in (MAYA, MAYA_AGAIN, AGENT_OPS):
        joined, parted = told(world, place)
        assert "one person from now on, as two admins said. Together they have one vote." in joined
        assert "two persons from now on, as two admins said. Each has a vote." in parted
    assert "type /agent people join" in told(world, AGENT_OPS)[1]
    assert told(world, ADMINS[0]) == []


async def test_an_account_without_direct_messages_keeps_nobody_else_from_hearing(world: World) -> None:
    """The old account of somebody who has a new one is deactivated: nothing waits for ever to reach it."""
    await staffed(world, User(MAYA_AGAIN, "maya-old", "Maya C.", deleted=True))
    for admin in ADMINS:
        await world.say(admin, f"people join <@{MAYA}> <@{MAYA_AGAIN}>")
    await world.settled()
    assert [len(told(world, place)) for place in (MAYA, MAYA_AGAIN, AGENT_OPS)] == [1, 0, 1]
    assert unsent(world) == []


async def test_trouble_in_slack_only_delays_it(world: World) -> None:
    """Slack fails three times: it is sent again until everybody was told."""
    await staffed(world, User(MAYA_AGAIN, "shift-lead", "Shift Lead"))
    world.slack.faults.order("chat.postMessage", Refuse("internal_error"), 3)
    for admin in ADMINS:
        await world.say(admin, f"people join <@{MAYA}> <@{MAYA_AGAIN}>")
    for _ in range(3):
        await world.settled()
        await world.move(minutes=5)
    await world.settled()
    assert [len(told(world, place)) for place in (MAYA, MAYA_AGAIN, AGENT_OPS)] == [1, 1, 1]
    assert unsent(world) == []


async def erase(world: World, user: str) -> None:
    """Take somebody out of the table of people, while Slack takes no message; then let it take them."""

    async def tried() -> bool:
        left = [row for row in world.ledger().outbox if row["state"] != "done"]
        return bool(left) and all(row["state"] == "queued" and row["last_error"] for row in left)

    await world.until(tried, "the first tries")
    await world.take_out(user)
    world.slack.faults.clear()


async def test_of_somebody_who_was_erased_the_others_still_hear(world: World) -> None:
    """Whoever is gone gets no message, which is a dead letter; the others hear of an account without a name."""
    await staffed(world, User(MAYA_AGAIN, "shift-lead", "Shift Lead"))
    world.slack.faults.order("chat.postMessage", ServerError(), 99)
    for admin in ADMINS:
        await world.say(admin, f"people join <@{MAYA}> <@{MAYA_AGAIN}>")
    await erase(world, MAYA)

    async def over() -> bool:
        world.clock.move(timedelta(minutes=5))
        return sorted(state for _, state in unsent(world)) == ["dead"]

    await world.until(over, "one dead letter")
    assert told(world, MAYA) == []
    for place in (MAYA_AGAIN, AGENT_OPS):
        [said] = told(world, place)
        assert "an account that is no longer kept" in said


async def test_nobody_is_told_that_a_delegate_declined_who_was_erased(world: World) -> None:
    """Whoever was away is gone; the channel is told without a name."""
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.settled()
    world.slack.faults.order("chat.postMessage", ServerError(), 99)
    await world.say(JONAS, "away decline")
    await erase(world, MAYA)

    async def over() -> bool:
        world.clock.move(timedelta(minutes=5))
        rows = world.ledger().outbox
        return {row["state"] for row in rows if row["kind"] == "tell"} == {"dead"} and all(
            row["state"] in ("done", "dead") for row in rows
        )

    await world.until(over, "a dead letter")
    [said] = [one.text for one in world.slack.messages(AGENT_OPS) if "cannot stand in" in one.text]
    assert "cannot stand in for A person whose name is no longer kept" in said


async def test_without_a_channel_the_operators_hear_later(world: World) -> None:
    """The people are told at once; the operators as soon as the policy has a channel for them."""
    await staffed(world, User(MAYA_AGAIN, "shift-lead", "Shift Lead"))
    page = world.policy / "roles.yml"
    known = json.loads(page.read_text("utf-8"))
    page.write_text(json.dumps({"roles": known["roles"]}), "utf-8")
    await world.running.watch.look()
    for admin in ADMINS:
        await world.say(admin, f"people join <@{MAYA}> <@{MAYA_AGAIN}>")

    async def waits() -> bool:
        return len(told(world, MAYA)) == 1 and [state for _, state in unsent(world)] == ["queued"]

    await world.until(waits, "the message to Maya")
    page.write_text(json.dumps(known), "utf-8")
    await world.running.watch.look()

    async def heard() -> bool:
        world.clock.move(timedelta(minutes=5))
        return len(told(world, AGENT_OPS)) == 1

    await world.until(heard, "the operators' message")
