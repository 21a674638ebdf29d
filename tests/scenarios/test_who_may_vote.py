"""Who may decide: whoever may not is told why, and the attempt is on record."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest

from approval_rules.events import Approved, Refusal, Voted, VoteRefused
from bot.slack_standin.workspace import (
    AGENT_OPS,
    FORMER,
    JONAS,
    LENA,
    MAYA,
    OUTSIDER,
    PRIYA,
    REFUND_APPROVALS,
    SAM,
    User,
)
from tests.world import World, targets_of

NOBODY = "U0NOBODY001"
ROBOT = "U0ROBOT0001"


def refusals(world: World) -> list[tuple[str, Refusal]]:
    """List who was refused and why, as the log has it."""
    ledger = world.ledger()
    return [(ledger.user(event.by.ref), event.code) for event in ledger.events(VoteRefused)]


async def test_the_owner_of_the_agent_cannot_approve(world: World) -> None:
    """Self-approval by the agent's owner is refused, told and recorded, even for an owner in the right role."""
    world.write_roles({"users": [MAYA, JONAS, SAM]})
    await world.running.watch.look()
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert "you own the agent" in await world.click(SAM, packet)
    assert "you own the agent" in await world.click(SAM, packet, "deny")
    assert refusals(world) == [(SAM, Refusal.AGENT_OWNER)] * 2
    assert (await world.read(proposal))["votes"] == []


async def test_whoever_started_the_run_cannot_approve(world: World) -> None:
    """Self-approval by the human who started the run is refused, told and recorded; the others decide."""
    proposal = await world.propose(run={"started_by": MAYA})
    packet = await world.packet_of(proposal)
    assert "you proposed this" in await world.click(MAYA, packet)
    assert refusals(world) == [(MAYA, Refusal.INITIATOR)]
    await world.approve(proposal, JONAS, PRIYA)
    assert (await world.read(proposal))["state"] == "approved"


@pytest.mark.parametrize(
    ("user", "code", "words"),
    [
        (SAM, Refusal.AGENT_OWNER, "you own the agent"),
        (LENA, Refusal.GUEST, "you are a guest"),
        (OUTSIDER, Refusal.OTHER_WORKSPACE, "another workspace"),
        (FORMER, Refusal.DEACTIVATED, "deactivated"),
        (ROBOT, Refusal.BOT, "is a bot"),
        (NOBODY, Refusal.NOT_IN_ROLE, "not in a role"),
    ],
)
async def test_a_click_that_does_not_count_says_why(world: World, user: str, code: Refusal, words: str) -> None:
    """Wrong person, wrong account: never a vote; the clicker alone is told why; the log has it."""
    world.workspace.add_user(User(ROBOT, "robot", "Robot", is_bot=True), REFUND_APPROVALS)
    world.workspace.add_user(User(NOBODY, "nobody", "No Body"), REFUND_APPROVALS)
    world.write_roles({"users": [MAYA, JONAS, LENA, OUTSIDER, FORMER, ROBOT]})
    await world.running.watch.look()
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert words in await world.click(user, packet, force=True)
    assert refusals(world) == [(user, code)]
    await world.settled()
    assert words not in "".join(message.text for message in world.slack.messages(REFUND_APPROVALS))
    assert (await world.read(proposal))["votes"] == []


async def test_an_account_that_slack_does_not_know_cannot_vote(world: World) -> None:
    """A verified click by an account that Slack has forgotten counts nothing."""
    ghost = User("U0GHOST0001", "ghost", "Ghost")
    world.workspace.add_user(ghost, REFUND_APPROVALS)
    world.write_roles({"users": [MAYA, ghost.id]})
    await world.running.watch.look()
    packet = await world.packet_of(await world.propose())
    press = await world.slack.click(ghost.id, packet.channel, packet.ts, "details")
    assert press.delivery is not None
    del world.workspace.users[ghost.id]
    await world.move(minutes=2)  # what Slack said of the account a moment ago must not be remembered for ever
    await world.slack.send_signed(press.delivery.body.replace(b"%22details%22", b"%22approve%22"))
    assert refusals(world) == [(ghost.id, Refusal.UNKNOWN_USER)]


async def test_one_person_counts_once(world: World) -> None:
    """A second click of one person is answered and adds nothing: two people means two."""
    packet = await world.packet_of(await world.propose())
    assert "One more person" in await world.click(MAYA, packet)
    assert "first decision stands" in await world.click(MAYA, packet)
    assert refusals(world) == [(MAYA, Refusal.ALREADY_VOTED)]
    assert len(world.ledger().events(Voted)) == 1


async def test_a_user_group_fills_a_role(world: World) -> None:
    """A member of the role's user group counts, together with one who is named."""
    proposal = await world.propose()
    await world.approve(proposal, PRIYA, MAYA)
    assert [vote["by"] for vote in (await world.read(proposal))["votes"]] == [PRIYA, MAYA]


async def test_leaving_the_group_ends_the_right_to_vote(world: World) -> None:
    """Membership is asked anew: whoever left the group a minute ago does not count, not even with an earlier vote."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(PRIYA, packet)
    world.workspace.change_group("S0SUPPORTMG")
    await world.move(minutes=2)
    await world.click(MAYA, packet)
    assert (await world.read(proposal))["state"] == "pending"
    await world.click(JONAS, packet)
    assert (await world.read(proposal))["state"] == "approved"


async def test_an_approver_who_lost_the_right_takes_the_approval_along(world: World) -> None:
    """The claim asks about the approvers again: one who was deactivated since takes the permission back."""
    proposal = await world.propose()
    await world.approve(proposal)
    world.slack.change_user(MAYA, deleted=True)
    await world.move(minutes=2)
    refused = await world.claim(proposal)
    assert (refused.status_code, refused.json()["code"]) == (409, "approvers-changed")
    assert (await world.read(proposal))["state"] == "revoked"
    assert (await world.claim(proposal)).json()["code"] == "revoked"


async def test_an_empty_list_of_approvers_means_nobody(world: World) -> None:
    """A role that nobody fills lets nobody decide."""
    world.write_roles({"usergroup": "support-managers"})
    world.workspace.change_group("S0SUPPORTMG")
    await world.running.watch.look()
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    assert "not in a role" in await world.click(MAYA, packet)
    assert (await world.read(proposal))["votes"] == []


async def test_a_button_with_another_digest_does_not_count(world: World) -> None:
    """A button that carries another digest than the recorded action's is refused."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    other = await world.propose(190)
    press = await world.slack.click(MAYA, packet.channel, packet.ts, "details")
    assert press.delivery is not None
    body = press.delivery.body.replace(b"%22details%22", b"%22approve%22")
    assert proposal["digest"].removeprefix("sha256:").encode() in body
    await world.slack.send_signed(body.replace(proposal["digest"][7:].encode(), other["digest"][7:].encode()))
    assert refusals(world) == [(MAYA, Refusal.DIGEST_MISMATCH)]


async def test_a_click_on_a_copy_of_the_message_does_not_count(world: World) -> None:
    """The same blocks in another channel, or another message of this one, have no power."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    for channel in (AGENT_OPS, REFUND_APPROVALS):
        copied = world.slack.world.conversations.post(channel, packet.content)
        assert targets_of(copied) == {proposal["id"]}
        assert "not the message" in await world.click(MAYA, copied)
    assert refusals(world) == [(MAYA, Refusal.NOT_OUR_MESSAGE)] * 2
    assert (await world.read(proposal))["votes"] == []


async def test_a_click_on_a_proposal_of_another_packet_does_not_count(world: World) -> None:
    """One packet's button value sent from another packet's message is refused."""
    first, second = await world.propose(180), await world.propose(190)
    packets = [await world.packet_of(first), await world.packet_of(second)]
    press = await world.slack.click(MAYA, packets[0].channel, packets[0].ts, "details")
    assert press.delivery is not None
    payload = json.loads(parse_qs(press.delivery.body.decode())["payload"][0])
    payload["actions"][0] |= {"action_id": "approve", "value": f"{second['id']}|{second['digest']}"}
    await world.slack.send_signed(urlencode({"payload": json.dumps(payload)}).encode())
    assert refusals(world) == [(MAYA, Refusal.NOT_OUR_MESSAGE)]
    assert world.ledger().events(Approved) == []


async def test_a_click_in_another_app_does_not_count(world: World) -> None:
    """A request that names another app is turned away, whatever secret signed it."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    press = await world.slack.click(MAYA, packet.channel, packet.ts, "details")
    assert press.delivery is not None
    payload = json.loads(parse_qs(press.delivery.body.decode())["payload"][0])
    payload["actions"][0]["action_id"] = "approve"
    for app in ("A0OTHERAPP", None, ""):
        forged = urlencode({"payload": json.dumps(payload | {"api_app_id": app})}).encode()
        assert (await world.slack.send_signed(forged)).status == 403
    assert (await world.read(proposal))["votes"] == []


async def test_the_packet_of_a_person_who_is_named_differently(world: World) -> None:
    """A vote is shown under the name that Slack gives, not the one in the click."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.workspace.users[MAYA] = replace(world.workspace.users[MAYA], name="mm", real_name="Maya M. Chen")
    await world.click(MAYA, packet)
    await world.settled()
    name = (await world.read(proposal))["votes"][0]["name"]
    assert name == "Maya M. Chen"
    assert f"{name} ({MAYA})" in str(packet.blocks)
