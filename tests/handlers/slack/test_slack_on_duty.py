"""Who has the turn, as a packet says it: by name, a few of many, and only while somebody can decide."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval_rules.people import PersonId, RoleName
from approval_rules.roles import OnDuty
from approval_rules.state import Status
from handlers.desk import Seen
from handlers.slack.packet import MAX_CHARACTERS, packet
from handlers.slack.standing import on_duty_words
from tests.handlers.slack.made import ADA, GRACE, NOW, OWNER, STARTER, pause, proposal, seen, states

LEAD = RoleName("incident_lead")
TURN = OnDuty(LEAD, (ADA,), NOW + timedelta(hours=3))


def on_duty(*shifts: OnDuty) -> Seen:
    """A proposal that waits, and who has the turn."""
    return seen(proposal(on_duty=shifts))


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (TURN, "☎ On call now in the role incident_lead, until 2026-11-21 12:00 UTC: Maya Chen (U0MAYACHEN1)"),
        (OnDuty(LEAD, (ADA,), None), "☎ On call now in the role incident_lead: Maya Chen (U0MAYACHEN1)"),
        (OnDuty(LEAD, (), None), "⚠ Nobody is on call in the role incident_lead now"),
        (
            OnDuty(LEAD, (PersonId("per_gone"),), None),
            "incident_lead: a person whose name is no longer kept",
        ),
        (OnDuty(LEAD, (ADA, GRACE, OWNER, STARTER), None), "Sam Okafor (U0SAMOKAFO1) and 1 more"),
    ],
)
def test_it_names_whoever_has_the_turn(shift: OnDuty, said: str) -> None:
    """Until when, where that is soon; nobody, somebody who was erased, and a few of many."""
    shown = packet(on_duty(shift), NOW)
    assert [said in line for line in on_duty_words(on_duty(shift))] == [True]
    assert said in shown.text


def test_many_roles_are_not_all_told() -> None:
    """A line for each of the first three; what is shown stays far below Slack's limit."""
    made = on_duty(*[OnDuty(RoleName(f"role_{number}"), (ADA, GRACE, OWNER), NOW) for number in range(12)])
    assert len(on_duty_words(made)) == 3
    assert len(str(packet(made, NOW).blocks)) < MAX_CHARACTERS


def test_only_while_somebody_can_decide() -> None:
    """Frozen or decided, it names nobody."""
    assert on_duty_words(seen(proposal(on_duty=(TURN,)), pause())) == []
    over = [made for made in states().values() if made.proposal.status is not Status.PENDING]
    assert over
    assert [on_duty_words(replace(made, proposal=replace(made.proposal, on_duty=(TURN,)))) for made in over] == [
        [] for _ in over
    ]
