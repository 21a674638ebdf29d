"""A hand-over between two votes, or before the claim: it takes no honest vote back, and gives nobody a second one."""

from dataclasses import replace

from approval_rules.decide import decide
from approval_rules.events import Approved, Refusal, Voted, VoteRefused
from approval_rules.people import PersonId, RoleName, Standing
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.state import Status
from tests.rules.builders import ANN, BECAUSE, ID, MANAGER, RUNNING, after, claim, only, opened, vote

ON_CALL = RoleName("on_call")
BOTH = Requirement(Tier.YELLOW, (Seat(ON_CALL, 1), Seat(MANAGER, 1)), BECAUSE)
TWO_ON_CALL = Requirement(Tier.YELLOW, (Seat(ON_CALL, 2),), BECAUSE)


def on_duty(name: str, *more: RoleName) -> Standing:
    """Somebody whose turn it is."""
    return Standing(PersonId(name), frozenset({ON_CALL, *more}))


def off_duty(name: str, *more: RoleName) -> Standing:
    """The same, when it is another's turn."""
    return Standing(PersonId(name), frozenset(more), off_duty=frozenset({ON_CALL}))


def test_off_duty_nobody_decides() -> None:
    """Being in the rota is not being on call."""
    refused = only(decide(opened(BOTH), vote(off_duty("lia")), RUNNING), VoteRefused)
    assert refused.code is Refusal.NOT_IN_ROLE


def test_a_hand_over_between_two_votes_takes_nothing_back() -> None:
    """Lia was on call when she approved; after the hand-over Ann's yes is the last one needed, and the claim holds."""
    half = after(opened(BOTH), vote(on_duty("lia")))
    events = decide(half, vote(ANN, minutes=6, others=[off_duty("lia")]), RUNNING)
    assert only(events, Approved).proposal == ID
    done = after(half, vote(ANN, minutes=6, others=[off_duty("lia")]))
    assert after(done, claim(7, approvers=[off_duty("lia"), ANN])).execution is not None


def test_who_left_the_rota_does_not_count_any_more() -> None:
    """A hand-over is no leaving: taken out of the rota, the vote is void at the claim."""
    done = after(opened(BOTH), vote(on_duty("lia")), vote(ANN, minutes=6, others=[on_duty("lia")]))
    lost = after(done, claim(7, approvers=[Standing(PersonId("lia")), ANN]))
    assert (lost.status, lost.revoked_why) == (Status.REVOKED, Refusal.APPROVERS_CHANGED)


def test_two_turns_are_two_people_and_one_person_is_one() -> None:
    """The next one on call is a second person; the same one in a later turn is not."""
    half = after(opened(TWO_ON_CALL), vote(on_duty("lia")))
    assert after(half, vote(on_duty("leo"), minutes=6, others=[off_duty("lia")])).status is Status.APPROVED
    again = decide(half, vote(on_duty("lia"), minutes=6), RUNNING)
    assert only(again, VoteRefused).code is Refusal.ALREADY_VOTED


def test_a_role_that_is_held_only_off_duty_fills_no_seat_of_an_earlier_vote() -> None:
    """Ann approved as a manager; that she also takes turns gives her vote no second role."""
    also = replace(ANN, off_duty=frozenset({ON_CALL}))
    half = after(opened(BOTH), vote(also))
    assert only(decide(half, vote(on_duty("lia"), minutes=6, others=[also]), RUNNING), Approved).proposal == ID
    alone = Requirement(Tier.YELLOW, (Seat(ON_CALL, 1), Seat(ON_CALL, 1)), BECAUSE)
    assert only(decide(opened(alone), vote(also), RUNNING), VoteRefused).code is Refusal.NOT_IN_ROLE
    assert only(decide(opened(BOTH), vote(also), RUNNING), Voted).roles == (MANAGER,)
