"""Deadlines: expiry, lapse, reminders, overdue reports, and clocks that stand still during a pause."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.commands import LiftTimedPauses
from approval_rules.decide import CLOCK, as_resumed, decide
from approval_rules.events import Expired, OutcomeOverdue, Reminded, Thawed
from approval_rules.state import Proposal, Status
from approval_rules.switch import EVERYTHING, Scope, ScopeKind, Switch
from approval_rules.text import AgentJson
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    FINANCE,
    ID,
    REFUND,
    RUNNING,
    TWO_MANAGERS,
    after,
    approved,
    at,
    claimed,
    opened,
    outcome,
    pass_time,
    resume,
    start_pause,
    switched,
    thaw,
    vote,
)

SCOPES = [EVERYTHING, Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, REFUND)]
TTL = 240


def test_nobody_answered() -> None:
    """At its deadline a pending proposal expires as unanswered, once."""
    assert decide(opened(), pass_time(TTL), RUNNING) == (Expired(at(TTL), CLOCK, ID, "unanswered"),)
    expired = after(opened(), pass_time(TTL))
    assert (expired.status, expired.expired_why, expired.decided_at) == (Status.EXPIRED, "unanswered", at(TTL))
    assert decide(expired, pass_time(TTL + 1), RUNNING) == ()
    assert (expired.deadline, expired.remind_at) == (None, None)


def test_nobody_used_the_permission() -> None:
    """An approval that is not claimed in an hour lapses as unclaimed; it stays decided when it was decided."""
    lapsed = after(approved(), pass_time(66))
    assert (lapsed.status, lapsed.expired_why, lapsed.decided_at) == (Status.EXPIRED, "unclaimed", at(6))
    assert decide(approved(), pass_time(65.99), RUNNING) == ()


def test_people_are_reminded_twice() -> None:
    """At half time and after four fifths of it people are reminded, once each, and never again."""
    assert decide(opened(), pass_time(119.99), RUNNING) == ()
    assert decide(opened(), pass_time(120), RUNNING) == (Reminded(at(120), CLOCK, ID),)
    once = after(opened(), pass_time(120))
    assert decide(once, pass_time(191.99), RUNNING) == ()
    assert (once.remind_at, approved().remind_at) == (at(192), None)
    assert decide(once, pass_time(192), RUNNING) == (Reminded(at(192), CLOCK, ID, last=True),)
    twice = after(once, pass_time(192))
    assert decide(twice, pass_time(239), RUNNING) == ()
    assert twice.remind_at is None


def test_a_late_sweep_reminds_once() -> None:
    """A server that was down past both reminders sends one; the backup role is asked from it on as from the first."""
    late = opened(replace(TWO_MANAGERS, backup=FINANCE))
    assert decide(late, pass_time(200), RUNNING) == (Reminded(at(200), CLOCK, ID, last=True),)
    reminded = after(late, pass_time(200))
    assert (reminded.backup, reminded.remind_at) == (FINANCE, None)


def test_the_last_reminder_does_not_count_a_pause_either() -> None:
    """With four of eight hours paused, the last reminder is when four fifths of the other four are over."""
    switch = switched(RUNNING, start_pause(130), resume(370, ANN), resume(370, BEN))
    thawed = after(opened(), pass_time(120), thaw(370), switch=switch)
    assert (thawed.expires_at, thawed.remind_at) == (at(480), at(432))


def test_half_time_does_not_count_a_pause() -> None:
    """After a pause of 4 hours in a life of 4, half time is when 2 hours of open time are over, not at once."""
    switch = switched(RUNNING, start_pause(60), resume(300, ANN), resume(300, BEN))
    thawed = after(opened(), thaw(300), switch=switch)
    assert (thawed.expires_at, thawed.remind_at) == (at(480), at(360))
    assert decide(thawed, pass_time(300), switch) == ()


def test_an_outcome_is_overdue_once_and_may_come_late() -> None:
    """Without a report in fifteen minutes nobody knows; a late report is still accepted, once."""
    assert decide(claimed(), pass_time(24.99), RUNNING) == ()
    assert decide(claimed(), pass_time(25), RUNNING) == (OutcomeOverdue(at(25), CLOCK, ID),)
    overdue = after(claimed(), pass_time(25))
    assert overdue.execution is not None
    assert (overdue.execution.status, overdue.execution.overdue, overdue.deadline) == ("unknown", True, None)
    assert decide(overdue, pass_time(26), RUNNING) == ()
    late = after(overdue, outcome(60))
    assert late.execution is not None
    assert (late.execution.status, late.execution.overdue) == ("succeeded", False)
    assert late.execution.outcome_at == at(60)
    assert late.execution.report == AgentJson({"status": "succeeded"})
    assert decide(late, outcome(61), RUNNING) == ()
    assert decide(late, pass_time(99), RUNNING) == ()
    assert late.status is Status.APPROVED


def test_a_report_needs_a_claim() -> None:
    """What was never permitted has no outcome."""
    assert decide(approved(), outcome(), RUNNING) == ()
    assert claimed().deadline == at(25)


def test_an_agent_that_does_not_know_is_not_overdue() -> None:
    """A report of `unknown` is a report: it ends the wait."""
    unknown = after(claimed(), replace(outcome(), status="unknown"))
    assert unknown.execution is not None
    assert (unknown.execution.status, unknown.execution.overdue) == ("unknown", False)
    assert decide(unknown, outcome(13), RUNNING) == ()


def test_nothing_expires_and_nobody_is_reminded_during_a_pause() -> None:
    """A clock that stands still runs out for nobody; a report that is owed stays owed."""
    paused = switched(RUNNING, start_pause(1))
    assert decide(opened(), pass_time(999), paused) == ()
    assert decide(approved(), pass_time(999), paused) == ()
    assert decide(claimed(), pass_time(999), paused) == (OutcomeOverdue(at(999), CLOCK, ID),)


def test_thaw_moves_the_deadline_once() -> None:
    """After 30 minutes of standing still the deadline is 30 minutes later; a second sweep changes nothing."""
    switch = switched(RUNNING, start_pause(10), resume(40, ANN), resume(40, BEN))
    assert decide(opened(), thaw(41), switch) == (Thawed(at(41), CLOCK, ID, at(TTL + 30)),)
    thawed = after(opened(), thaw(41), switch=switch)
    assert (thawed.expires_at, thawed.clock_from) == (at(TTL + 30), at(41))
    assert decide(thawed, thaw(42), switch) == ()


def test_what_is_not_thawed_yet_reads_as_if_it_were() -> None:
    """Whoever looks between the resume and the thaw sees the deadline that will be; of an active pause nothing yet."""
    over = switched(RUNNING, start_pause(10), resume(40, ANN), resume(40, BEN))
    assert as_resumed(opened(), over).expires_at == at(TTL + 30)
    assert as_resumed(after(opened(), thaw(50), switch=over), over).expires_at == at(TTL + 30)
    twice = switched(over, start_pause(50), resume(55, ANN), resume(55, BEN))
    assert as_resumed(opened(), twice).expires_at == at(TTL + 35)
    again = switched(over, start_pause(60))
    for switch in (RUNNING, switched(RUNNING, start_pause(10)), again):
        assert as_resumed(opened(), switch) == opened()


def test_thaw_moves_the_claim_window_too() -> None:
    """An approval that nobody could claim during a pause keeps the rest of its hour."""
    switch = switched(RUNNING, start_pause(16), resume(46, ANN), resume(46, BEN))
    thawed = after(approved(), thaw(46), switch=switch)
    assert (thawed.claim_by, thawed.expires_at) == (at(96), at(TTL))
    assert decide(thawed, thaw(47), switch) == ()


def test_thaw_concerns_open_clocks_only() -> None:
    """A claimed or a final proposal has no clock that a pause could stop."""
    switch = switched(RUNNING, start_pause(10), resume(40, ANN), resume(40, BEN))
    for proposal in (claimed(), after(opened(), pass_time(TTL))):
        assert decide(proposal, thaw(41), switch) == ()


def test_a_pause_before_the_clock_began_gives_no_time() -> None:
    """Time that stood still before the proposal, or before its approval, is not added."""
    before = switched(RUNNING, start_pause(-30), resume(-10, ANN), resume(-10, BEN))
    assert decide(opened(), thaw(1), before) == ()
    while_pending = switched(RUNNING, start_pause(2), resume(4, ANN), resume(4, BEN))
    assert decide(approved(), thaw(7), while_pending) == ()


def remaining(proposal: Proposal, minutes: float) -> timedelta:
    """The open time that is left at this moment."""
    assert proposal.deadline is not None
    return proposal.deadline - at(minutes)


@given(st.lists(st.tuples(st.sampled_from(SCOPES), st.integers(1, 200), st.integers(1, 300)), min_size=1, max_size=5))
def test_remaining_time_survives_overlapping_pauses(pauses: list[tuple[Scope, int, int]]) -> None:
    """When the last covering pause ends, as much open time is left as when the first began, whatever overlapped."""
    first = min(start for _, start, _ in pauses)
    proposal, switch = opened(), RUNNING
    stopped_for = 0
    moments = sorted({minute for _, start, length in pauses for minute in (start, start + length)})
    for minute, following in pairwise([*moments, moments[-1] + 1]):
        for number, (scope, start, length) in enumerate(pauses):
            if start == minute:
                lasts = float(length)
                switch = switched(switch, start_pause(minute, scope, pause=f"p{number}", lasts=lasts))
        before = len(switch.active)
        switch = lifted(switch, minute)
        if len(switch.active) < before:
            proposal = after(proposal, thaw(minute), switch=switch)
        if switch.active:
            stopped_for += following - minute
        else:
            ran = minute - first - stopped_for
            assert remaining(proposal, minute) == timedelta(minutes=TTL - first - ran)


def lifted(switch: Switch, minutes: float) -> Switch:
    """The switch after the sweep that ends each pause whose announced time is over."""
    return switched(switch, LiftTimedPauses(at(minutes)))


def test_voting_goes_on_after_a_thaw() -> None:
    """A vote after the old deadline and before the moved one counts."""
    switch = switched(RUNNING, start_pause(10), resume(70, ANN), resume(70, BEN))
    thawed = after(opened(), thaw(70), switch=switch)
    assert after(thawed, vote(ANN, minutes=TTL + 30), switch=switch).votes
    assert not after(thawed, vote(ANN, minutes=TTL + 60), switch=switch).votes


@pytest.mark.parametrize("minutes", [0, 1, 119])
def test_before_half_time_nothing_happens(minutes: int) -> None:
    """A sweep before anything is due changes nothing."""
    assert decide(opened(), pass_time(minutes), RUNNING) == ()
