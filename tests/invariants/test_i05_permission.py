"""I5: one permission a proposal at most, never late, never in a pause; and a stop of everything takes two to lift."""

from collections import Counter

from approval_rules.events import Claimed, Paused, ResumeAsked, Resumed
from approval_rules.people import ActorKind
from approval_rules.requirement import GRANT_LIFE
from approval_rules.switch import EVERYTHING, Scope
from tests.crash.laws import broken_promises
from tests.invariants.story import Story, payload_of


def test_no_proposal_is_claimed_twice(story: Story) -> None:
    """Four claims raced for each, under two keys: one entry, one grant and its replays, and refusals."""
    claims = Counter(event.proposal for event in story.ledger.events(Claimed))
    assert claims
    assert set(claims.values()) == {1}
    grants = story.grants()
    assert set(grants) <= set(claims)
    assert {len(found) for found in grants.values()} == {1}
    assert any(answer.status_code == 409 for ident in grants for answer in story.claims[ident])


def test_a_grant_is_what_the_log_says(story: Story) -> None:
    """Every permission that an agent holds names its claim, its voters, and a life of at most ten minutes."""
    claims = {
        event.proposal: (item.seq, event) for item in story.ledger.recorded if isinstance(event := item.event, Claimed)
    }
    for ident, (grant,) in story.grants().items():
        held = payload_of(grant)
        seq, claim = claims[ident]
        proposal = story.ledger.proposals[ident]
        assert (held["jti"], held["proposal"], held["aud"]) == (claim.grant_id, ident, proposal.agent.id)
        assert held["approvers"] == [vote.voter for vote in proposal.approved_by]
        assert held["log"]["index"] == seq
        assert held["log"]["head"] == story.ledger.recorded[seq].leaf_hash.hex()
        assert 0 < held["exp"] - held["iat"] <= GRANT_LIFE.total_seconds()


def test_nothing_is_permitted_in_a_pause_or_late(story: Story) -> None:
    """No claim stands in the log between a pause and its end, nor after its hour; agents tried both and were told."""
    stopped: dict[str, Scope] = {}
    for item in story.ledger.recorded:
        match item.event:
            case Paused(pause=pause, scope=scope):
                stopped[pause] = scope
            case Resumed(pauses=pauses):
                stopped = {pause: scope for pause, scope in stopped.items() if pause not in pauses}
            case Claimed(proposal=ident, at=at):
                proposal = story.ledger.proposals[ident]
                assert not any(scope.covers(proposal.agent.id, proposal.tool) for scope in stopped.values())
                assert proposal.claim_by is not None
                assert at < proposal.claim_by
    statuses = {answer.status_code for answers in story.claims.values() for answer in answers}
    assert {409, 410, 423} <= statuses
    assert broken_promises(story.ledger) == []


def test_everything_starts_again_by_two_people_only(story: Story) -> None:
    """The stop of everything ended by one who asked and another who agreed, after it began."""
    asked: set[str] = set()
    ended = 0
    for item in story.ledger.recorded:
        match item.event:
            case Paused(scope=scope) if scope == EVERYTHING:
                asked = set()
            case ResumeAsked(by=by):
                asked.add(by.ref)
            case Resumed(scope=scope, by=by) if scope == EVERYTHING:
                ended += 1
                assert by.kind is ActorKind.HUMAN
                assert len(asked | {by.ref}) >= 2
    assert ended == 1
