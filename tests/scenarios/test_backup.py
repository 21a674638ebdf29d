"""A backup role from the file to the vote: shown from the start, called at half time, counted from then on."""

from approval_rules.events import Refusal, Voted, VoteRefused
from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import (
    FORMER,
    JONAS,
    LENA,
    MAYA,
    OTHER_TEAM,
    OUTSIDER,
    PRIYA,
    REFUND_APPROVALS,
    SAM,
    SUPPORT_MANAGERS,
    User,
)
from tests.world import MANAGER, TOOL, World

LEAD = "finance_lead"


async def in_force(world: World, lead: dict[str, object]) -> None:
    """Put a rule with a backup in force."""
    world.write_roles({"users": [MAYA, JONAS]}, **{LEAD: lead})
    (world.policy / f"{TOOL}.yml").write_text(
        f"policy:\n  tool: {TOOL}\n  tier: 3\n  rules:\n"
        f"    - require_approval: {{role: {MANAGER}, expires_in: 4h, backup: {LEAD}}}\n",
        encoding="utf-8",
    )
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def test_the_backup_is_shown_called_and_counted(world: World) -> None:
    """Nobody's vote before half time; then the packet says so, the thread names the people, and one of them decides."""
    await in_force(world, {"users": [PRIYA]})
    proposal = await world.propose(180)
    assert proposal["requirement"]["backup"] == LEAD
    assert proposal["requirement"]["action_tier"] == 3
    packet = await world.packet_of(proposal)
    assert "the role finance_lead is asked too." in packet.text
    assert "Unanswered by " in packet.text
    assert "not in a role" in await world.click(PRIYA, packet)
    await world.move(hours=2, minutes=1)
    await world.settled()
    assert "the role finance_lead may decide too" in packet.text
    (reply,) = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert "the role finance_lead may decide too" in reply.text
    assert sorted(reply.pings) == sorted([f"<@{MAYA}>", f"<@{JONAS}>", f"<@{PRIYA}>"])
    assert "One more person must approve" in await world.click(MAYA, packet)
    assert "the last one needed" in await world.click(PRIYA, packet)
    assert (await world.claim(proposal)).status_code == 200
    ledger = world.ledger()
    assert [event.code for event in ledger.events(VoteRefused)] == [Refusal.NOT_IN_ROLE]
    assert [event.roles for event in ledger.events(Voted)] == [(MANAGER,), (LEAD,)]


async def test_a_group_is_called_by_its_id(world: World) -> None:
    """A handle alone notifies nobody in Slack, and a group may have more people than can be named."""
    many = [f"U0LEAD{number:03}" for number in range(11)]
    for user in many:
        world.workspace.add_user(User(user, user.lower(), user), REFUND_APPROVALS)
    world.workspace.change_group(SUPPORT_MANAGERS, *many)
    await in_force(world, {"usergroup": "support-managers"})
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=2, minutes=1)
    await world.settled()
    replies = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    (pings,) = [each.pings for each in replies]
    assert "<!subteam^S0SUPPORTMG>" in pings
    assert len(pings) == 10 + 1


async def test_a_group_that_slack_does_not_know_calls_nobody(world: World) -> None:
    """The reminder is sent all the same, and calls the others."""
    await in_force(world, {"usergroup": "no-such-group"})
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=2, minutes=1)
    await world.settled()
    replies = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert [sorted(each.pings) for each in replies] == [sorted([f"<@{MAYA}>", f"<@{JONAS}>"])]


async def test_who_can_decide_nothing_is_not_called(world: World) -> None:
    """A leaver, a guest, the owner's second account, all in the role; one of another workspace by name is called."""
    world.workspace.add_user(User("U0SAMTWICE1", "sam2", "Sam O.", email="sam@example.com"), REFUND_APPROVALS)
    world.workspace.channels[REFUND_APPROVALS].members.add(OUTSIDER)
    listed = [MAYA, FORMER, LENA, SAM, "U0SAMTWICE1", f"{OTHER_TEAM}/{OUTSIDER}"]
    world.write_roles({"users": listed})
    await world.running.watch.look()
    assert world.running.watch.fault is None
    packet = await world.packet_of(await world.propose(180))
    await world.move(hours=2, minutes=1)
    await world.settled()
    (reply,) = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert sorted(reply.pings) == sorted([f"<@{MAYA}>", f"<@{OUTSIDER}>"])


async def test_while_slack_says_nothing_everybody_of_the_role_is_called(world: World) -> None:
    """Nobody can be told from anybody, and a reminder that calls nobody would be worse than one too many."""
    await in_force(world, {"users": [PRIYA]})
    packet = await world.packet_of(await world.propose(180))
    await world.settled()
    world.slack.fail("users.info", ServerError(), times=99)
    await world.move(hours=2, minutes=1)
    await world.settled()
    world.slack.faults.clear()
    (reply,) = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert sorted(reply.pings) == sorted([f"<@{MAYA}>", f"<@{JONAS}>", f"<@{PRIYA}>"])


async def test_without_a_backup_its_role_is_called(world: World) -> None:
    """Those who can act, whom the rule asks from the beginning; nobody else may act later."""
    proposal = await world.propose(180)
    assert "backup" not in proposal["requirement"]
    packet = await world.packet_of(proposal)
    await world.move(hours=2, minutes=1)
    await world.settled()
    (reply,) = [each for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert sorted(reply.pings) == sorted([f"<@{MAYA}>", f"<@{JONAS}>", f"<@{PRIYA}>"])
    assert "not in a role" in await world.click(SAM, packet) or "own the agent" in await world.click(SAM, packet)
