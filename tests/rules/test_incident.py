"""Incidents: who may declare one and end it, and what of the kill switch it leaves alone."""

from typing import get_args

import pytest

from approval_rules.commands import ClearIncident, DeclareIncident
from approval_rules.events import IncidentChanged, IncidentEvent, IncidentRefused, Refusal
from approval_rules.incident import decide_incident
from approval_rules.people import Flaw, Standing, human, operator
from approval_rules.state import evolve_switch
from approval_rules.switch import Switch
from approval_rules.text import AgentText
from tests.rules.builders import ANN, BEN, MANAGER, RUNNING, at, person, resume, start_pause, switched

WHY = AgentText("the provider is down")


def declare(minutes: float = 0, standing: Standing | None = ANN) -> DeclareIncident:
    """Somebody says that something is wrong; None is the machine's own command line."""
    by = operator(ANN.person) if standing is None else human(standing.person)
    return DeclareIncident(at(minutes), by, WHY, standing)


def clear(minutes: float = 5, standing: Standing | None = BEN, *, may_resume: bool = True) -> ClearIncident:
    """Somebody says that it is over."""
    by = operator(BEN.person) if standing is None else human(standing.person)
    return ClearIncident(at(minutes), by, AgentText("fixed"), standing, may_resume)


def told(switch: Switch, *commands: DeclareIncident | ClearIncident) -> tuple[Switch, list[IncidentEvent]]:
    """Give the switch after these commands, and what happened."""
    events = []
    for command in commands:
        events.append(decide_incident(switch, command))
        switch = evolve_switch(switch, events[-1])
    return switch, events


def test_an_incident_is_on_until_it_is_cleared() -> None:
    """It says since when and by whom; every kind of event has its case."""
    on, _ = told(RUNNING, declare(2))
    assert on.incident is not None
    assert (on.incident.since, on.incident.by, on.incident.reason) == (at(2), human(ANN.person), WHY)
    off, events = told(on, clear(), clear(6))
    assert off == RUNNING
    assert [type(event) for event in events] == [IncidentChanged, IncidentRefused]
    assert {IncidentChanged, IncidentRefused} == set(get_args(IncidentEvent))


@pytest.mark.parametrize(
    ("flaw", "refused"),
    [
        (None, None),
        (Flaw.DIRECTORY_DOWN, None),
        (Flaw.GUEST, Refusal.GUEST),
        (Flaw.BOT, Refusal.BOT),
        (Flaw.UNKNOWN, Refusal.UNKNOWN_USER),
    ],
)
def test_any_member_may_declare_one(flaw: Flaw | None, refused: Refusal | None) -> None:
    """Who may pause may: no role is needed, and Slack's silence does not stop a warning. Others are told why not."""
    switch, (event,) = told(RUNNING, declare(standing=person("nobody", flaw=flaw)))
    assert getattr(event, "code", None) is refused
    assert (switch.incident is None) is (refused is not None)


@pytest.mark.parametrize("flaw", list(Flaw))
def test_ending_one_needs_a_person_who_is_known(flaw: Flaw) -> None:
    """Whoever Slack cannot vouch for ends nothing, whatever else is said of them."""
    on, _ = told(RUNNING, declare())
    switch, (event,) = told(on, clear(standing=person("ann", MANAGER, flaw=flaw)))
    assert isinstance(event, IncidentRefused)
    assert (event.code.value, switch.incident) == (flaw.value, on.incident)


def test_ending_one_needs_who_may_resume() -> None:
    """A member without a role can warn and cannot say that all is well; the machine's own people can."""
    on, _ = told(RUNNING, declare())
    still, (event,) = told(on, clear(may_resume=False))
    assert isinstance(event, IncidentRefused)
    assert (event.code, still.incident) == (Refusal.NOT_OPERATOR, on.incident)
    assert told(on, clear(standing=None))[0].incident is None


def test_saying_it_again_changes_nothing_and_says_so() -> None:
    """The first declaration stands, with its time and its author; what is not on cannot be ended."""
    on, _ = told(RUNNING, declare(1))
    again, (event,) = told(on, declare(2, standing=BEN))
    assert isinstance(event, IncidentRefused)
    assert (event.code, again) == (Refusal.INCIDENT_ON, on)
    _, (none,) = told(RUNNING, clear())
    assert isinstance(none, IncidentRefused)
    assert none.code is Refusal.NO_INCIDENT


def test_pauses_and_incidents_leave_each_other_alone() -> None:
    """A pause, the half of a resume and its end keep the incident; declaring one keeps the pauses and the half."""
    on, _ = told(RUNNING, declare())
    paused = switched(on, start_pause(1), resume(2, ANN))
    assert paused.incident == on.incident
    cleared, _ = told(paused, clear())
    assert (cleared.active, cleared.resume_asked_by) == (paused.active, (human(ANN.person),))
    redeclared, _ = told(cleared, declare(6))
    assert redeclared.resume_asked_by == (human(ANN.person),)
    running = switched(redeclared, resume(7, BEN))
    assert running.active == ()
    assert running.incident is not None
