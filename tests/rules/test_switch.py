"""The kill switch: what stops what, who may start it again, and how long a clock stood still."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.commands import LiftTimedPauses
from approval_rules.decide import CLOCK, decide_switch
from approval_rules.events import Paused, Refusal, ResumeAsked, Resumed, SwitchRefused
from approval_rules.people import AgentId, Flaw, PersonId, ToolName, operator
from approval_rules.state import evolve_switch
from approval_rules.switch import EVERYTHING, Pause, Scope, ScopeKind, Switch
from approval_rules.text import AgentText, unwrap_text
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    CEM,
    REFUND,
    RUNNING,
    at,
    only,
    person,
    resume,
    start_pause,
    switched,
)

THIS_AGENT = Scope(ScopeKind.AGENT, AGENT.id)
THIS_TOOL = Scope(ScopeKind.TOOL, REFUND)
OTHER_TOOL = Scope(ScopeKind.TOOL, "mail.send")
SCOPES = [EVERYTHING, THIS_AGENT, THIS_TOOL, OTHER_TOOL]
OPERATOR = operator(PersonId("root"))


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (EVERYTHING, True),
        (THIS_AGENT, True),
        (THIS_TOOL, True),
        (OTHER_TOOL, False),
        (Scope(ScopeKind.AGENT, "agt_2"), False),
        (Scope(ScopeKind.AGENT, REFUND), False),
        (Scope(ScopeKind.TOOL, AGENT.id), False),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, *, covered: bool) -> None:
    """Everything covers all; an agent's or a tool's pause covers exactly this agent or this tool."""
    assert scope.covers(AGENT.id, REFUND) is covered


def test_the_widest_and_oldest_pause_is_named() -> None:
    """Of several pauses that stop an action, the answer names the one for everything, then the oldest."""
    switch = switched(
        RUNNING,
        start_pause(1, THIS_TOOL, pause="tool"),
        start_pause(2, THIS_AGENT, pause="agent"),
        start_pause(3, EVERYTHING, pause="late"),
    )
    assert only([switch.stops(AGENT.id, REFUND)], Pause).id == "late"
    rest = switched(switch, resume(4, ANN), resume(5, BEN))
    assert only([rest.stops(AGENT.id, REFUND)], Pause).id == "tool"
    assert rest.stops(AgentId("agt_2"), ToolName("mail.send")) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(SCOPES), st.integers(0, 40), st.integers(0, 40), st.booleans()),
        max_size=6,
    ),
    st.integers(0, 20),
    st.integers(20, 50),
)
def test_standing_still_is_the_union_of_the_pauses(
    pauses: list[tuple[Scope, int, int, bool]], since: int, now: int
) -> None:
    """Counted minute by minute: a minute stood still when any covering pause covers it, and it counts once."""
    switch = Switch(
        tuple(
            Pause(
                f"p{number}",
                scope,
                at(start),
                OPERATOR,
                AgentText(""),
                None,
                at(start + length) if over else None,
            )
            for number, (scope, start, length, over) in enumerate(pauses)
        )
    )
    expected = sum(
        any(
            scope is not OTHER_TOOL and start <= minute < (start + length if over else now)
            for scope, start, length, over in pauses
        )
        for minute in range(since, now)
    )
    assert switch.stood_still(AGENT.id, REFUND, at(since), at(now)) == timedelta(minutes=expected)


def test_everything_is_resumed_by_two_people() -> None:
    """The first is told that a second is needed, the same person again is refused, another one resumes."""
    switch = switched(RUNNING, start_pause(0))
    (asked,) = decide_switch(switch, resume(1, ANN))
    assert isinstance(asked, ResumeAsked)
    switch = evolve_switch(switch, asked)
    assert switch.of(EVERYTHING)
    refused = only(decide_switch(switch, resume(2, ANN)), SwitchRefused)
    assert refused.code is Refusal.SECOND_PERSON_NEEDED
    done = only(decide_switch(switch, resume(3, BEN)), Resumed)
    assert done.pauses == ("pause_1",)
    switch = evolve_switch(switch, done)
    assert (switch.active, switch.resume_asked_by) == ((), ())
    assert switch.pauses[0].ended_at == at(3)


def test_slack_and_the_machine_are_not_two_people() -> None:
    """A person in Slack and an account on the machine may be one human: two of the same kind are needed."""
    switch = switched(RUNNING, start_pause(0), resume(1, ANN), resume(2, None, by=OPERATOR))
    assert switch.of(EVERYTHING)
    second = operator(PersonId("second"))
    for last in (resume(3, BEN), resume(3, None, by=second)):
        assert not switched(switch, last).active


def test_an_account_on_the_machine_is_no_second_person_to_itself() -> None:
    """Whoever types the command twice has still said it once."""
    asked = switched(RUNNING, start_pause(0), resume(1, None, by=OPERATOR))
    refused = only(decide_switch(asked, resume(2, None, by=OPERATOR)), SwitchRefused)
    assert refused.code is Refusal.SECOND_PERSON_NEEDED


def test_one_person_resumes_a_narrower_scope() -> None:
    """An agent or a tool needs one person, also one who waits for a second for everything; other scopes stay paused."""
    pauses = start_pause(0, THIS_TOOL, pause="tool"), start_pause(0, THIS_AGENT, pause="agent"), start_pause(0)
    for before in (pauses[:2], (*pauses, resume(1, ANN))):
        switch = switched(RUNNING, *before)
        after = switched(switch, resume(2, ANN, THIS_TOOL))
        assert {pause.id for pause in switch.active} - {pause.id for pause in after.active} == {"tool"}


def test_a_new_pause_voids_a_half_done_resume() -> None:
    """Who asked before everything was paused again has to ask again; a narrower pause voids nothing."""
    half = switched(RUNNING, start_pause(0), resume(1, ANN))
    assert switched(half, start_pause(2, THIS_TOOL, pause="tool")).resume_asked_by == half.resume_asked_by
    again = switched(half, start_pause(2, pause="again"), resume(3, BEN))
    assert {pause.id for pause in again.of(EVERYTHING)} == {"pause_1", "again"}
    assert not switched(again, resume(4, ANN)).active


def test_a_half_done_resume_ends_with_the_last_pause() -> None:
    """When the announced time is over, a half-done resume is forgotten; the next pause starts from nothing."""
    switch = switched(RUNNING, start_pause(0, lasts=10), resume(1, ANN), LiftTimedPauses(at(10)))
    assert (switch.active, switch.resume_asked_by) == ((), ())
    assert switched(switch, start_pause(11, pause="p2"), resume(12, BEN)).of(EVERYTHING)


def test_a_timed_pause_never_shortens_an_indefinite_one() -> None:
    """Lifting ends exactly the pauses whose own time is over, at or after that time, and once."""
    switch = switched(
        RUNNING,
        start_pause(0, pause="for ever"),
        start_pause(1, pause="timed", lasts=10),
        start_pause(1, THIS_TOOL, pause="tool", lasts=10),
        start_pause(1, pause="longer", lasts=30),
        resume(2, ANN),
    )
    assert decide_switch(switch, LiftTimedPauses(at(10.99))) == ()
    lifted = decide_switch(switch, LiftTimedPauses(at(11)))
    assert [(event.scope, event.pauses) for event in lifted if isinstance(event, Resumed)] == [
        (EVERYTHING, ("timed",)),
        (THIS_TOOL, ("tool",)),
    ]
    assert all(event.by == CLOCK for event in lifted)
    after = switched(switch, LiftTimedPauses(at(11)))
    assert [pause.id for pause in after.active] == ["for ever", "longer"]
    assert after.resume_asked_by == switch.resume_asked_by
    assert decide_switch(after, LiftTimedPauses(at(11))) == ()


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.DIRECTORY_DOWN])
def test_flawed_accounts_neither_pause_nor_resume(flaw: Flaw) -> None:
    """A guest, a bot or a stranger is refused, and the refusal is recorded as what it is."""
    who = person("ann", flaw=flaw)
    switch = switched(RUNNING, start_pause(0, THIS_TOOL))
    for command in (start_pause(1, standing=who), resume(1, who, THIS_TOOL)):
        assert only(decide_switch(switch, command), SwitchRefused).code == Refusal(flaw.value)
    assert evolve_switch(switch, decide_switch(switch, resume(1, who, THIS_TOOL))[0]) == switch


def test_stopping_works_while_the_directory_is_down() -> None:
    """Stopping is safe, so it counts when nobody can say who somebody is; starting again waits."""
    who = person("ann", flaw=Flaw.DIRECTORY_DOWN)
    switch = switched(RUNNING, start_pause(0, standing=who))
    assert switch.active
    assert only(decide_switch(switch, resume(1, who)), SwitchRefused).code is Refusal.DIRECTORY_DOWN


def test_resuming_needs_the_right_and_a_pause() -> None:
    """Who may not resume is refused, and so is resuming what does not stand still."""
    switch = switched(RUNNING, start_pause(0, THIS_TOOL))
    refused = only(decide_switch(switch, resume(1, CEM, THIS_TOOL, may_resume=False)), SwitchRefused)
    assert refused.code is Refusal.NOT_OPERATOR
    for scope in (EVERYTHING, THIS_AGENT):
        assert only(decide_switch(switch, resume(1, CEM, scope)), SwitchRefused).code is Refusal.NOTHING_PAUSED


def test_a_pause_records_who_why_and_until() -> None:
    """A pause says when it is meant to end; without a time it is indefinite. The command line needs no standing."""
    timed = only(decide_switch(RUNNING, start_pause(2, standing=None, by=OPERATOR, lasts=30)), Paused)
    assert (timed.at, timed.by, timed.until, unwrap_text(timed.reason)) == (at(2), OPERATOR, at(32), "stop")
    assert only(decide_switch(RUNNING, start_pause(2)), Paused).until is None


def test_no_number_of_pauses_can_hinder_a_resume() -> None:
    """Anybody may pause, as often as he likes: a resume that would name too many says that it is all of them."""
    pauses = [start_pause(1, THIS_TOOL, pause=f"pause_{number}") for number in range(500)]
    switch = switched(RUNNING, start_pause(0, OTHER_TOOL, pause="other"), *pauses)
    (event,) = decide_switch(switch, resume(2, scope=THIS_TOOL))
    assert isinstance(event, Resumed)
    assert (event.pauses, event.every) == ((), True)
    assert [pause.id for pause in evolve_switch(switch, event).active] == ["other"]


def test_announced_times_that_are_over_are_lifted_some_at_a_time() -> None:
    """What one entry cannot name is lifted by the next tick; nothing is lifted that is not over."""
    pauses = [start_pause(1, THIS_TOOL, pause=f"pause_{number}", lasts=5) for number in range(450)]
    switch = switched(RUNNING, start_pause(0, THIS_TOOL, pause="for ever"), *pauses)
    left = []
    while lifted := decide_switch(switch, LiftTimedPauses(at(6))):
        switch = evolve_switch(switch, lifted[0])
        left.append(len(switch.active))
    assert left == [251, 51, 1]
