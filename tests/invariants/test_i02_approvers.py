"""I2: approved means enough votes by distinct people who might vote when they did and when it was decided.

Nobody decides on what they started or on what their own agent wants; a list of approvers that is empty means nobody.
"""

from datetime import datetime, timedelta
from pathlib import Path

from approval_rules.events import Approved, Decision, Refusal, Voted, VoteRefused
from approval_rules.requirement import Tier
from approval_rules.state import Proposal, Status
from bot.directory import FRESH_FOR
from bot.slack_standin.workspace import FORMER, JONAS, LENA, MAYA, OUTSIDER, PRIYA, SAM
from tests.invariants.story import EVERYBODY, Story
from tests.world import World


def may_vote(story: Story, proposal: Proposal, at: datetime) -> set[str]:
    """Name the accounts that could say yes then, from what the workspace was and not from what the log says."""
    able = {MAYA, JONAS, SAM} | ({PRIYA} if at <= story.left + FRESH_FOR else set())
    barred = {proposal.agent.owner, *([proposal.started_by] if proposal.started_by else [])}
    return able - {story.ledger.user(person) for person in barred}


def test_every_yes_is_by_enough_people_who_may(story: Story) -> None:
    """At every approval so many distinct accounts had said yes and could still say it."""
    by_people = 0
    for ident, proposal in story.ledger.proposals.items():
        yes: set[str] = set()
        for event in story.ledger.of(ident):
            if isinstance(event, Voted):
                voter = story.ledger.user(event.voter)
                assert voter in may_vote(story, proposal, event.at), (ident, voter)
                yes |= {voter} if event.decision is Decision.APPROVE else set()
            if isinstance(event, Approved) and proposal.requirement.tier is Tier.YELLOW:
                by_people += 1
                assert proposal.requirement.approvals >= 2
                assert len(yes & may_vote(story, proposal, event.at)) >= proposal.requirement.approvals, ident
            if isinstance(event, Approved) and proposal.requirement.tier is not Tier.YELLOW:
                assert yes == set()
    assert by_people >= 1


def test_whoever_may_not_tried_and_is_on_record(story: Story) -> None:
    """The guest, the outsider, the leaver, the owner and the initiator all clicked; each was refused by name."""
    refused = {(story.ledger.user(event.by.ref), event.code) for event in story.ledger.events(VoteRefused)}
    assert {(LENA, Refusal.GUEST), (OUTSIDER, Refusal.OTHER_WORKSPACE), (FORMER, Refusal.DEACTIVATED)} <= refused
    codes = {code for _, code in refused}
    assert {Refusal.AGENT_OWNER, Refusal.INITIATOR} <= codes


def test_agents_read_the_same_approvers(story: Story) -> None:
    """The votes that an agent reads are those of the log, by account, and never one account twice."""
    for one in story.heard:
        if one.method == "GET" and one.path.startswith("/v1/proposals/") and one.status == 200:
            body = one.json()
            voters = [vote["by"] for vote in body["votes"]]
            known = {story.ledger.user(vote.voter) for vote in story.ledger.proposals[body["id"]].votes}
            assert len(voters) == len(set(voters))
            assert set(voters) <= known


async def test_an_empty_list_of_approvers_is_nobody(tmp_path: Path) -> None:
    """Where nobody fills the role everybody is refused, until time runs out: never a yes."""
    async with World(tmp_path) as world:
        world.workspace.change_group("S0SUPPORTMG")
        world.write_roles({"usergroup": "support-managers"})
        await world.running.watch.look()
        proposal = await world.propose(180)
        packet = await world.packet_of(proposal)
        for user in EVERYBODY:
            await world.click(user, packet, force=True)
        await world.move(seconds=timedelta(hours=5).total_seconds())
        ledger = world.ledger()
        assert ledger.events(Voted) == []
        assert ledger.proposals[proposal["id"]].status is Status.EXPIRED
        assert (await world.claim(proposal)).status_code == 410
