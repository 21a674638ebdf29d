"""A person counts once, whatever accounts and surfaces: two accounts of one person never fill two seats."""

from typing import Any

import pytest

from approval_rules.events import Approved, Refusal, VoteRefused
from approval_rules.people import Account
from approval_rules.people_events import PersonsJoined, PersonsParted
from bot.slack_standin.faults import Refuse
from bot.slack_standin.workspace import (
    AGENT_OPS,
    JONAS,
    MAYA,
    OTHER_TEAM,
    OUTSIDER,
    PRIYA,
    REFUND_APPROVALS,
    TEAM,
    User,
)
from tests.world import World

MAYA_AGAIN = "U0MAYATWICE"
SAM_AGAIN = "U0SAMTWICE1"
FIRST_ADMIN, SECOND_ADMIN = "U0ADMINONE1", "U0ADMINTWO1"


def refusals(world: World) -> list[tuple[str, Refusal]]:
    """List who was refused and why, as the log has it."""
    ledger = world.ledger()
    return [(ledger.user(event.by.ref), event.code) for event in ledger.events(VoteRefused)]


async def staffed(world: World, *others: User) -> None:
    """Let these accounts decide too, and let two admins look after people."""
    admins = [User(FIRST_ADMIN, "ada", "Ada Admin"), User(SECOND_ADMIN, "bo", "Bo Admin")]
    for user in (*others, *admins):
        world.workspace.add_user(user, REFUND_APPROVALS, AGENT_OPS)
    managers = [MAYA, JONAS, PRIYA, *(user.id for user in others)]
    world.write_roles({"users": managers}, admin={"users": [FIRST_ADMIN, SECOND_ADMIN]})
    await world.running.watch.look()


SECOND_ACCOUNTS = [
    pytest.param({"email": "Maya+shop@Example.COM"}, {}, id="one e-mail address"),
    pytest.param({"email": "m.chen@example.com", "identity": "W0MAYA"}, {"identity": "W0MAYA"}, id="one identity"),
]


@pytest.mark.parametrize(("second", "first"), SECOND_ACCOUNTS)
async def test_the_same_person_from_two_accounts_is_one_vote(
    world: World, second: dict[str, Any], first: dict[str, Any]
) -> None:
    """Two accounts with one address, or with one identity, are one person: the second click counts nothing."""
    world.slack.change_user(MAYA, **first)
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya C.", **second))
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert "One more person" in await world.click(MAYA, packet)
    assert "decided already" in await world.click(MAYA_AGAIN, packet)
    assert refusals(world) == [(MAYA_AGAIN, Refusal.ALREADY_VOTED)]
    assert len(world.ledger().events(PersonsJoined)) == 1
    await world.click(JONAS, packet)
    assert (await world.read(proposal))["state"] == "approved"


async def test_the_owner_cannot_approve_from_another_account(world: World) -> None:
    """The agent's owner has never been seen in Slack, and his second account is known all the same."""
    await staffed(world, User(SAM_AGAIN, "sam2", "S. Okafor", email="sam@example.com"))
    packet = await world.packet_of(await world.propose())
    assert "you own the agent" in await world.click(SAM_AGAIN, packet)
    assert refusals(world) == [(SAM_AGAIN, Refusal.AGENT_OWNER)]


async def test_whoever_started_the_run_cannot_approve_from_another_account(world: World) -> None:
    """The initiator is a person too, not an account."""
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya C.", email="maya@example.com"))
    packet = await world.packet_of(await world.propose(run={"started_by": MAYA}))
    assert "you proposed this" in await world.click(MAYA_AGAIN, packet)
    assert refusals(world) == [(MAYA_AGAIN, Refusal.INITIATOR)]


async def test_while_the_owner_cannot_be_looked_up_nobody_can_be_told_from_him(world: World) -> None:
    """Slack says nothing of the owner: any voter might be him by another account, so no vote counts."""
    await staffed(world)
    packet = await world.packet_of(await world.propose())
    await world.settled()
    await world.move(minutes=2)
    await world.running.wiring.directory.look_up(Account(TEAM, JONAS))
    world.slack.faults.order("users.info", Refuse("internal_error"), 5)
    assert "could not be asked" in await world.click(JONAS, packet)
    assert refusals(world) == [(JONAS, Refusal.DIRECTORY_DOWN)]


async def test_votes_from_before_two_accounts_were_joined_count_as_one(world: World) -> None:
    """Both had voted, then they turned out to be one: what was approved is taken back at the claim."""
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya C."))
    proposal = await world.propose()
    await world.approve(proposal, MAYA, MAYA_AGAIN)
    assert (await world.read(proposal))["state"] == "approved"
    world.slack.change_user(MAYA_AGAIN, email="maya@example.com")
    await world.move(minutes=2)
    refused = await world.claim(proposal)
    assert (refused.status_code, refused.json()["code"]) == (409, "approvers-changed")
    assert (await world.read(proposal))["state"] == "revoked"


async def test_two_admins_say_that_two_accounts_are_two_persons(world: World) -> None:
    """One admin is not enough, nor twice; two part them for good: the address that both have joins them no more."""
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya C.", email="maya@example.com"))
    packet = await world.packet_of(await world.propose())
    await world.click(MAYA, packet)
    await world.click(MAYA_AGAIN, packet)
    apart = f"people apart <@{MAYA}|maya> <@{MAYA_AGAIN}|maya2>"
    assert "second admin" in await world.say(FIRST_ADMIN, apart)
    assert "second admin" in await world.say(FIRST_ADMIN, apart)
    assert len(world.ledger().events(PersonsParted)) == 0
    assert "two persons" in await world.say(SECOND_ADMIN, apart)
    assert len(world.ledger().events(PersonsParted)) == 1
    assert "last one needed" in await world.click(MAYA_AGAIN, packet)
    assert len(world.ledger().events(Approved)) == 1


async def test_only_an_admin_joins_and_parts_and_never_his_own_accounts(world: World) -> None:
    """An approver is no admin; an admin whose own account it is may not; a refusal is recorded."""
    await staffed(world)
    assert "role admin" in await world.say(MAYA, f"people join <@{JONAS}> <@{PRIYA}>")
    assert "your own" in await world.say(FIRST_ADMIN, f"people join <@{FIRST_ADMIN}> <@{PRIYA}>")
    assert len(world.ledger().events(PersonsJoined)) == 0


async def test_two_admins_join_two_accounts_by_hand(world: World) -> None:
    """Nothing in Slack says that these are one person; two admins do, and it counts at once."""
    await staffed(world, User(MAYA_AGAIN, "shift-lead", "Shift Lead"))
    packet = await world.packet_of(await world.propose())
    await world.click(MAYA, packet)
    join = f"people join <@{MAYA}> <@{MAYA_AGAIN}>"
    await world.say(FIRST_ADMIN, join)
    assert "one person" in await world.say(SECOND_ADMIN, join)
    assert "Shift Lead" in await world.say(SECOND_ADMIN, "people")
    assert "decided already" in await world.click(MAYA_AGAIN, packet)


async def test_one_person_cannot_resume_everything_by_two_accounts(world: World) -> None:
    """Two people means two: the second account of the first is told that a second person is needed."""
    await staffed(world, User(MAYA_AGAIN, "maya2", "Maya C.", email="maya@example.com"))
    await world.say(MAYA, "pause all")
    await world.say(MAYA, "resume all")
    assert "second person" in await world.say(MAYA_AGAIN, "resume all")
    assert "Paused" in await world.say(JONAS, "status")
    assert "Resumed" in await world.say(JONAS, "resume all")


async def test_a_guest_counts_only_where_the_role_admits_guests(world: World) -> None:
    """`admits: [guest]` lets a guest who is named in the role vote; anybody else's flaw stays."""
    guest = "U0GUESTOK01"
    world.workspace.add_user(User(guest, "gus", "Gus Guest", is_restricted=True), REFUND_APPROVALS)
    world.write_roles({"users": [MAYA, JONAS, guest], "admits": ["guest"]})
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose())
    assert "One more person" in await world.click(guest, packet)


async def test_a_stranger_from_a_shared_channel_counts_only_by_name(world: World) -> None:
    """Somebody of another workspace is refused; named with his workspace in the role, he counts."""
    packet = await world.packet_of(await world.propose())
    assert "another workspace" in await world.click(OUTSIDER, packet, force=True)
    world.write_roles({"users": [MAYA, JONAS, f"{OTHER_TEAM}/{OUTSIDER}"]})
    await world.running.watch.look()
    assert "One more person" in await world.click(OUTSIDER, packet, force=True)
    assert refusals(world) == [(OUTSIDER, Refusal.OTHER_WORKSPACE)]
