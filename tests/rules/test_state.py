"""State: the fold of what happened, event by event, without judging."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from typing import get_args

import pytest

from approval_rules import (
    access_events,
    auditor_events,
    duty_events,
    erasure_events,
    factor_events,
    initiation_events,
    log_events,
    people_events,
    policy_events,
    question_events,
    reveal_events,
    review_events,
    stop_events,
)
from approval_rules import events as vocabulary
from approval_rules.commands import Command, RecordPosted
from approval_rules.decide import CLOCK, decide, decide_switch
from approval_rules.events import (
    Claimed,
    Event,
    Expired,
    OutcomeOverdue,
    OutcomeReported,
    ProposalEvent,
    SubmitRefused,
    Submitted,
    SwitchEvent,
)
from approval_rules.initiation_events import InitiationRefused
from approval_rules.react import react
from approval_rules.state import evolve, evolve_switch, fold
from approval_rules.switch import Pause, Switch
from approval_rules.text import AgentJson, AgentText
from tests.rules.amending import LOWERABLE, answer, ask, edit
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    GREEN,
    ID,
    POSTED,
    RED,
    RUNNING,
    approved,
    at,
    cancel,
    claim,
    deny,
    opened,
    outcome,
    pass_time,
    person,
    resume,
    start_pause,
    submit,
    switched,
    thaw,
    vote,
)
from tests.rules.starting import STARTABLE, initiate

STORIES: list[list[Command]] = [
    [submit(GREEN), claim(approvers=[]), claim(11, key="other"), pass_time(25), outcome(40)],
    [submit(RED)],
    [submit(STARTABLE), initiate()],
    [submit(), pass_time(120), thaw(130), pass_time(300)],
    [submit(), cancel(5)],
]
PEOPLE: list[list[Command]] = [
    [vote(ANN), vote(person("zoe")), vote(BEN, minutes=6, others=[ANN]), claim(approvers=[ANN])],
    [vote(ANN), vote(BEN, minutes=6, others=[ANN]), thaw(7), claim(), outcome()],
    [vote(ANN), deny(ANN, 6)],
    [pass_time(120), thaw(130), pass_time(999)],
]


AMENDING: list[Command] = [
    submit(LOWERABLE),
    RecordPosted(at(0), ID, POSTED),
    ask(stops=True),
    answer(),
    edit(field="order_id"),
    edit(),
]


def told(start: Iterable[ProposalEvent], commands: Iterable[Command]) -> list[ProposalEvent]:
    """Everything that happened in a story; an old pause makes its thaws move something."""
    switch = switched(RUNNING, start_pause(6.2), resume(6.5, ANN), resume(6.5, BEN))
    happened = list(start)
    for command in commands:
        for event in decide(fold(happened), command, switch):
            assert not isinstance(event, SubmitRefused | InitiationRefused)
            happened.append(event)
    return happened


def beginning() -> list[ProposalEvent]:
    """A proposal whose packet is posted."""
    return told([], [submit(), RecordPosted(at(0), ID, POSTED)])


def every_story() -> list[list[ProposalEvent]]:
    """Stories that together tell every event."""
    return [told([], story) for story in (*STORIES, AMENDING)] + [told(beginning(), story) for story in PEOPLE]


def test_fold_equals_stepwise_evolve_and_every_event_has_a_case() -> None:
    """Whatever `decide` gives out, `evolve` and `react` accept, in one go or one by one; no kind is left out."""
    seen: set[type] = set()
    for happened in every_story():
        proposal = None
        for event in happened:
            proposal = evolve(proposal, event)
            react(proposal, event)
            seen.add(type(event))
        assert proposal == fold(happened)
    assert seen == set(get_args(ProposalEvent))


def test_every_switch_event_has_a_case() -> None:
    """Each event of the kill switch is told by `decide_switch` and accepted by `evolve_switch`."""
    switch, seen = RUNNING, set()
    for command in (start_pause(0), resume(1, ANN), resume(2, ANN), resume(3, BEN)):
        for event in decide_switch(switch, command):
            switch = evolve_switch(switch, event)
            seen.add(type(event))
    assert seen == set(get_args(SwitchEvent))
    assert not switch.active


def test_the_vocabulary_is_closed() -> None:
    """Every class of these modules that has `at` and `by` is in the closed set, with time and actor first."""
    classes = {
        thing
        for module in (
            *(vocabulary, policy_events, people_events, initiation_events, duty_events, factor_events),
            *(question_events, stop_events, access_events, auditor_events, review_events, log_events, erasure_events),
            reveal_events,
        )
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__ == module.__name__ and "at" in getattr(thing, "__slots__", ())
    }
    assert classes == set(get_args(Event))
    assert all([field.name for field in fields(kind)][:2] == ["at", "by"] for kind in classes)


def test_a_log_begins_with_submitted() -> None:
    """Events of a proposal that was never submitted are an error of the store, never a state."""
    happened = beginning()
    assert isinstance(happened[0], Submitted)
    with pytest.raises(ValueError, match="does not begin with Submitted"):
        fold(happened[1:])


@pytest.mark.parametrize(
    "event",
    [
        OutcomeReported(at(1), AGENT.actor, ID, "succeeded", AgentJson({})),
        OutcomeOverdue(at(1), CLOCK, ID),
    ],
)
def test_an_outcome_without_a_claim_is_an_error(event: ProposalEvent) -> None:
    """An outcome of what was never claimed is an error of the store."""
    with pytest.raises(ValueError, match="no claim"):
        evolve(approved(), event)


def test_evolve_believes() -> None:
    """An event is a fact: it is applied without asking whether it should have happened."""
    expired = evolve(opened(), Expired(at(1), CLOCK, ID, "unanswered"))
    claimed = evolve(expired, Claimed(at(2), AGENT.actor, ID, "g", None, at(3), at(4)))
    assert claimed.execution is not None
    assert expired.deadline is None


def test_the_deadline_is_that_of_the_open_clock() -> None:
    """To decide, then to claim, then to report, then none."""
    assert opened().deadline == at(240)
    assert approved().deadline == at(66)
    assert opened().clock_from == at(0)
    assert approved().clock_from == at(6)
    assert opened().stood_still == timedelta()


def test_an_ended_pause_stays_ended() -> None:
    """Resuming twice does not move the moment when a pause ended."""
    pause = Pause("pause_1", start_pause(0).scope, at(0), AGENT.actor, AgentText(""), None, at(1))
    switch = Switch((pause,))
    again = evolve_switch(switch, vocabulary.Resumed(at(9), CLOCK, pause.scope, ("pause_1",), AgentText("")))
    assert again.pauses == (pause,)
