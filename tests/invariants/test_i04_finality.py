"""I4: nothing counts after the end or during a pause, a click counts at most once, and an end is an end."""

from collections import Counter, defaultdict

from approval_rules.events import Approved, Paused, Refusal, Resumed, SubmitRefused, Voted, VoteRefused
from approval_rules.requirement import Tier
from tests.crash.laws import broken_promises
from tests.invariants.story import Story, path_id
from tests.world import votable

FINAL = {"denied", "expired", "cancelled", "blocked", "revoked"}


def test_the_log_breaks_no_law(story: Story) -> None:
    """A second, naive reading of the whole log finds no late vote, no vote in a pause, and no second end."""
    assert len(story.ledger.events(Paused)) == len(story.ledger.events(Resumed)) == 3
    assert "paused" in {event.code for event in story.ledger.events(SubmitRefused)}
    assert broken_promises(story.ledger) == []


def test_no_vote_is_between_a_pause_and_its_end(story: Story) -> None:
    """In the order of the log no vote and no person's yes stands where its agent or tool was stopped."""
    stopped = {}
    for item in story.ledger.recorded:
        match item.event:
            case Paused(pause=pause, scope=scope):
                stopped[pause] = scope
            case Resumed(pauses=pauses):
                stopped = {pause: scope for pause, scope in stopped.items() if pause not in pauses}
            case Voted(proposal=ident) | Approved(proposal=ident):
                proposal = story.ledger.proposals[ident]
                assert not any(scope.covers(proposal.agent.id, proposal.tool) for scope in stopped.values()), item.seq


def test_a_person_counts_once(story: Story) -> None:
    """Everybody clicked again and again, and Slack delivered some clicks twice: one vote each at most."""
    votes = Counter((vote.proposal, vote.voter) for vote in story.ledger.events(Voted))
    assert set(votes.values()) == {1}
    assert story.clicks > len(votes)
    codes = {event.code for event in story.ledger.events(VoteRefused)}
    assert {Refusal.ALREADY_VOTED, Refusal.NOT_PENDING} & codes


def test_an_end_that_somebody_saw_is_the_end(story: Story) -> None:
    """Whatever end an agent ever read is the state at the end; what was permitted stays approved."""
    seen: dict[str, set[str]] = defaultdict(set)
    for one in story.heard:
        if path_id(one) in story.ledger.proposals and one.status == 200 and "state" in one.json():
            seen[one.json()["id"]].add(one.json()["state"])
    granted = story.grants()
    for ident, proposal in story.ledger.proposals.items():
        last = proposal.status.value
        assert seen[ident] & FINAL <= {last}, ident
        assert "approved" not in seen[ident] or last in {"approved", "expired", "revoked"}
        assert ident not in granted or last == "approved"


def test_no_packet_can_be_voted_on_at_the_end(story: Story) -> None:
    """When all is over no message in Slack has a button that votes."""
    asked = [ident for ident, one in story.ledger.proposals.items() if one.requirement.tier is Tier.YELLOW]
    assert asked
    assert [ident for ident in asked for packet in story.packets(ident) if votable(packet)] == []
