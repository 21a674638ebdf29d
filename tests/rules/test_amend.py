"""Questions, edits and taking back as rules: who may, when, what comes of it, and what it does to the clock."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.amend import MOST_OPEN, STANDS, TAKES_BACK
from approval_rules.amendments import lowered, stood_for
from approval_rules.commands import Answer, Ask, Edit, TakeBack
from approval_rules.decide import decide
from approval_rules.events import Approved, Blocked, Refusal, Revoked
from approval_rules.people import Flaw, PersonId, RoleName, Standing, human
from approval_rules.question_events import Answered, Asked, Edited, RequestRefused
from approval_rules.react import Note, TellAgent, TellThread, react
from approval_rules.state import Proposal, Status, evolve
from approval_rules.text import AgentJson
from approval_rules.versions import CHANGE_TOOL
from tests.rules.amending import LESS_DIGEST, LOWERABLE, SHOWN, answer, ask, edit, paused, take_back
from tests.rules.builders import (
    ANN,
    ARGUMENTS,
    BEN,
    CEM,
    DIGEST,
    GREEN,
    OWNER,
    RED,
    RUNNING,
    TRIAL,
    TWO_MANAGERS,
    after,
    approved,
    at,
    cancel,
    claim,
    opened,
    pass_time,
    person,
    thaw,
    vote,
)


def refusal(proposal: Proposal, command: Ask | Edit | TakeBack, *, pause: bool = False) -> Refusal | None:
    """Give why it did not count; None where it did."""
    events = decide(proposal, command, paused() if pause else RUNNING)
    return next((event.code for event in events if isinstance(event, RequestRefused)), None)


@pytest.mark.parametrize("command", [ask(), edit()])
def test_only_an_open_proposal_can_be_asked_about_or_edited(command: Ask | Edit) -> None:
    """Decided, expired, in the hundredth of a second of the deadline, in a pause, from another screen: refused."""
    open_one = opened(LOWERABLE)
    assert refusal(open_one, command) is None
    assert refusal(after(open_one, cancel(1)), command) is Refusal.NOT_PENDING
    assert refusal(after(open_one, pass_time(60 * 24)), command) is Refusal.EXPIRED
    assert refusal(open_one, replace(command, at=open_one.expires_at)) is Refusal.EXPIRED
    assert refusal(open_one, command, pause=True) is Refusal.PAUSED
    assert refusal(open_one, replace(command, shown=replace(SHOWN, digest="other"))) is Refusal.DIGEST_MISMATCH
    for elsewhere in (replace(SHOWN, ts="1"), replace(SHOWN, channel="C2")):
        assert refusal(open_one, replace(command, shown=elsewhere)) is Refusal.NOT_OUR_MESSAGE
    assert refusal(replace(open_one, packet=None), command) is Refusal.NOT_OUR_MESSAGE


@pytest.mark.parametrize("who", [person(OWNER, *ANN.roles), person("dan"), replace(ANN, flaw=Flaw.DIRECTORY_DOWN)])
def test_who_may_not_vote_may_not_ask_or_edit(who: Standing) -> None:
    """The owner, somebody in no role, and whoever cannot be known are refused."""
    assert refusal(opened(LOWERABLE), ask(who)) is not None
    assert refusal(opened(LOWERABLE), edit(who)) is not None


def test_an_answer_is_taken_once_and_only_from_whom_was_asked() -> None:
    """The agent answers what it was asked, a person what he was asked, once, while somebody waits."""
    mine, theirs = after(opened(), ask()), after(opened(), ask(to="dan"))
    dan = human(PersonId("dan"))
    assert [type(event) for event in decide(mine, answer(), RUNNING)] == [Answered]
    assert [type(event) for event in decide(theirs, answer(by=dan), RUNNING)] == [Answered]
    assert decide(mine, answer(by=dan), RUNNING) == ()
    assert decide(theirs, answer(), RUNNING) == ()
    assert decide(mine, answer(question="q2"), RUNNING) == ()
    assert decide(after(mine, answer()), answer(11), RUNNING) == ()
    assert decide(after(mine, cancel(6)), answer(), RUNNING) == ()
    assert decide(mine, replace(answer(), at=mine.expires_at), RUNNING) == ()


def test_votes_stay_when_something_is_asked_and_answered() -> None:
    """Question and answer change neither the digest nor a vote; each finds its own question."""
    proposal = after(opened(), vote(BEN), ask(question="q1"), ask(question="q2"), answer(question="q2"))
    assert [each.voter for each in proposal.votes] == [BEN.person]
    assert (proposal.digest, proposal.expires_at) == (DIGEST, opened().expires_at)
    assert [each.open for each in proposal.questions] == [True, False]


def test_five_questions_wait_at_most() -> None:
    """A sixth is refused until one is answered."""
    proposal = after(opened(), *(ask(question=f"q{number}") for number in range(MOST_OPEN)))
    assert refusal(proposal, ask(question="q9")) is Refusal.TOO_MANY_QUESTIONS
    assert refusal(after(proposal, answer(question="q0")), ask(minutes=11, question="q9")) is None


def test_some_cannot_be_asked() -> None:
    """Somebody that the directory finds fault with, and the server itself about a change of the policy."""
    assert refusal(opened(), ask(to="dan", flawed=True)) is Refusal.CANNOT_BE_ASKED
    change = replace(opened(), tool=CHANGE_TOOL)
    assert refusal(change, ask()) is Refusal.CANNOT_BE_ASKED
    assert refusal(change, ask(to="dan")) is None


def test_the_clock_stands_until_answered() -> None:
    """The deadline moves by a day at once, and comes back to the time that it really stood."""
    proposal = opened()
    stopped = after(proposal, ask(stops=True))
    assert stopped.expires_at == proposal.expires_at + STANDS
    assert after(stopped, answer(65)).expires_at == proposal.expires_at + timedelta(hours=1)
    assert after(stopped, answer(65)).stood_still == timedelta(hours=1)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100)), min_size=1, max_size=4))
def test_what_overlaps_counts_once(spans: list[tuple[int, int]]) -> None:
    """However questions overlap, the deadline moves by the time in which at least one of them was open."""
    steps: list[tuple[float, Ask | Answer]] = []
    for number, (start, length) in enumerate(spans):
        steps.append((start, ask(minutes=start, question=f"q{number}", stops=True)))
        steps.append((start + length, answer(start + length, question=f"q{number}")))
    proposal = after(opened(), *(command for _, command in sorted(steps, key=lambda step: step[0])))
    minutes = {minute for start, length in spans for minute in range(start, start + length)}
    assert proposal.expires_at - opened().expires_at == timedelta(minutes=len(minutes))
    assert stood_for(proposal.questions) == proposal.stood_still


def test_a_pause_at_the_same_time_counts_once() -> None:
    """What a question gave already, the end of a pause does not give again."""
    proposal = after(opened(), ask(minutes=10, stops=True), answer(40))
    resumed = after(proposal, thaw(60), switch=paused(since=20, until=60))
    assert resumed.expires_at - opened().expires_at == timedelta(minutes=50)


def test_an_edit_makes_another_action() -> None:
    """The earlier votes are void and named, the editor cannot vote, and two others decide about the new digest."""
    proposal = after(opened(LOWERABLE), vote(BEN), edit())
    assert (proposal.digest, proposal.votes, proposal.version) == (LESS_DIGEST, (), 2)
    assert (proposal.edits[0].editor, proposal.edits[0].voided) == (ANN.person, (BEN.person,))
    assert (proposal.edits[0].digest, proposal.judged_at) == (DIGEST, at(5))
    assert proposal.expires_at == opened().expires_at
    refused = decide(proposal, vote(ANN, seen=LESS_DIGEST), RUNNING)[0]
    assert getattr(refused, "code", None) is Refusal.EDITOR
    done = after(proposal, vote(BEN, seen=LESS_DIGEST), vote(CEM, seen=LESS_DIGEST, others=[BEN]))
    assert done.status is Status.APPROVED
    old = decide(done, claim(approvers=(BEN, CEM)), RUNNING)[0]
    assert getattr(old, "code", None) is Refusal.DIGEST_MISMATCH


def test_policy_decides_about_the_edited_action() -> None:
    """Green is approved, also where it is in shadow by now; red is blocked."""
    before = opened(LOWERABLE)
    assert [type(event) for event in decide(before, edit(requirement=GREEN), RUNNING)] == [Edited, Approved]
    assert [type(event) for event in decide(before, edit(requirement=RED), RUNNING)] == [Edited, Blocked]
    trial = replace(GREEN, shadow=TRIAL.shadow)
    assert after(before, edit(requirement=trial)).claim_by is None


def test_what_cannot_be_edited() -> None:
    """Another field, no field at all, a trial, and a value that is wrong are refused; nothing changes."""
    assert refusal(opened(LOWERABLE), edit(field="order_id")) is Refusal.NOT_EDITABLE
    assert refusal(opened(TWO_MANAGERS), edit()) is Refusal.NOT_EDITABLE
    assert refusal(opened(replace(TRIAL, editable=("amount",))), edit()) is Refusal.SHADOW
    assert refusal(opened(LOWERABLE), edit(wrong=Refusal.NOT_LOWER)) is Refusal.NOT_LOWER


@pytest.mark.parametrize("wish", ["180", "180.01", "0", "-5", "NaN", "Infinity"])
def test_only_lower_and_above_zero(wish: str) -> None:
    """Nothing else makes new arguments."""
    assert lowered(ARGUMENTS, "amount", Decimal(wish)) is None


def test_only_numbers_are_lowered() -> None:
    """A text, true and what is not there cannot be lowered; the rest stays as it was."""
    arguments = AgentJson({"amount": 5, "name": "5", "yes": True})
    assert lowered(arguments, "amount", Decimal(2)) == AgentJson({"amount": 2, "name": "5", "yes": True})
    assert all(lowered(arguments, field, Decimal("0.5")) is None for field in ("name", "yes", "none"))


def test_who_approved_or_runs_things_takes_back() -> None:
    """One of the approvers, an admin or an operator; also in a pause; with the reason in the record."""
    assert refusal(approved(), take_back(), pause=True) is None
    for role in TAKES_BACK:
        assert refusal(approved(), take_back(person("dan", role))) is None
    assert refusal(approved(), take_back(replace(ANN, flaw=Flaw.DIRECTORY_DOWN))) is None
    assert refusal(approved(), take_back(replace(ANN, flaw=Flaw.DEACTIVATED))) is Refusal.DEACTIVATED
    down = person("dan", RoleName("admin"), flaw=Flaw.DIRECTORY_DOWN)
    assert refusal(approved(), take_back(down)) is Refusal.DIRECTORY_DOWN
    assert refusal(approved(), take_back(CEM)) is Refusal.NOT_APPROVER
    back = after(approved(), take_back())
    assert (back.status, back.revoked_why) == (Status.REVOKED, Refusal.TAKEN_BACK)
    assert back.taken_back is not None
    assert back.taken_back.by == human(ANN.person)


def test_only_an_unused_permission_can_be_taken_back() -> None:
    """Pending, claimed, revoked, lapsed, in a trial, or from another screen: refused, each in its own words."""
    assert refusal(opened(), take_back()) is Refusal.NOT_APPROVED
    assert refusal(after(approved(), claim()), take_back()) is Refusal.ALREADY_CLAIMED
    assert refusal(after(approved(), take_back()), take_back()) is Refusal.REVOKED
    assert refusal(after(approved(), pass_time(120)), take_back()) is Refusal.EXPIRED
    assert refusal(approved(), take_back(minutes=66)) is Refusal.EXPIRED
    assert refusal(replace(approved(), claim_by=None), take_back()) is Refusal.EXPIRED
    assert refusal(approved(), take_back(shown=replace(SHOWN, digest="x"))) is Refusal.DIGEST_MISMATCH
    trial = after(opened(TRIAL), vote(ANN), vote(BEN, minutes=6, others=[ANN]))
    assert refusal(trial, take_back()) is Refusal.SHADOW


def test_who_is_told() -> None:
    """An agent is called back for its question and for an edit; a person's question only calls that person."""
    proposal = opened(LOWERABLE, callback_url="https://x.example/")
    for command, told in (
        (ask(), {TellThread(Note.ASKED, "q1"), TellAgent("proposal.question")}),
        (ask(to="dan"), {TellThread(Note.ASKED, "q1")}),
        (edit(), {TellThread(Note.EDITED), TellAgent("proposal.edited")}),
        (edit(field="x"), set()),
    ):
        event = decide(proposal, command, RUNNING)[0]
        assert isinstance(event, Asked | Edited | RequestRefused)
        assert told <= set(react(evolve(proposal, event), event))
    asked = after(proposal, ask())
    event = decide(asked, answer(), RUNNING)[0]
    assert isinstance(event, Answered)
    assert TellThread(Note.ANSWERED, "q1") in react(evolve(asked, event), event)


def test_a_taking_back_is_no_revocation_by_the_system() -> None:
    """What the claim itself revokes has no person and no reason."""
    events = decide(approved(), claim(approvers=(ANN,)), RUNNING)
    revoked = next(event for event in events if isinstance(event, Revoked))
    assert revoked.reason is None
    assert evolve(approved(), revoked).taken_back is None
