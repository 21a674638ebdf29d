"""Effects: who is told what about each event."""

from dataclasses import replace

import pytest

from approval_rules.events import OutcomeOverdue, ProposalEvent
from approval_rules.people import system
from approval_rules.react import Effect, Note, ShowPacket, TellAgent, TellThread, react
from approval_rules.requirement import Requirement
from approval_rules.state import evolve
from tests.rules.builders import GREEN, ID, POSTED, RED, TWO_MANAGERS, at, claimed, opened
from tests.rules.test_state import every_story

URL = "https://agent.example/hook"
EXPECTED: dict[str, tuple[Effect, ...]] = {
    "Submitted": (ShowPacket(),),
    "Voted": (ShowPacket(),),
    "Thawed": (ShowPacket(),),
    "Claimed": (ShowPacket(),),
    "OutcomeReported": (ShowPacket(),),
    "Approved": (ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.approved")),
    "Denied": (ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.denied")),
    "Expired": (ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.expired")),
    "Cancelled": (ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.cancelled")),
    "Revoked": (ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.revoked")),
    "Blocked": (ShowPacket(), TellAgent("proposal.blocked")),
    "Initiated": (ShowPacket(),),
    "OutcomeOverdue": (ShowPacket(), TellThread(Note.OVERDUE)),
    "Reminded": (TellThread(Note.HALF_TIME),),
    "VoteRefused": (),
    "ClaimRefused": (),
    "PacketPosted": (),
    "Asked": (ShowPacket(), TellThread(Note.ASKED, "q1"), TellAgent("proposal.question")),
    "Answered": (ShowPacket(), TellThread(Note.ANSWERED, "q1")),
    "Edited": (ShowPacket(), TellThread(Note.EDITED), TellAgent("proposal.edited")),
    "RequestRefused": (),
}
SAMPLES: dict[str, ProposalEvent] = {type(event).__name__: event for story in every_story() for event in story}


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("requirement", [GREEN, TWO_MANAGERS, RED], ids=["green", "yellow", "red"])
@pytest.mark.parametrize("url", [None, URL], ids=["silent", "callback"])
def test_who_is_told(name: str, requirement: Requirement, url: str | None) -> None:
    """People see what asks people, and what nobody knows; the agent hears each decision where it gave an address."""
    proposal = replace(opened(requirement, callback_url=url), packet=POSTED if requirement is TWO_MANAGERS else None)
    people = requirement is TWO_MANAGERS or name == "OutcomeOverdue"
    expected = [effect for effect in EXPECTED[name] if (url is not None if isinstance(effect, TellAgent) else people)]
    assert list(react(proposal, SAMPLES[name])) == expected


def test_a_packet_that_stands_is_kept_true() -> None:
    """A green proposal that got a packet because its outcome was overdue shows the late report too."""
    proposal = replace(opened(GREEN), packet=POSTED)
    assert react(proposal, SAMPLES["OutcomeReported"]) == (ShowPacket(),)


def test_every_event_has_its_effects() -> None:
    """No kind of event is left out of the table."""
    assert set(EXPECTED) == set(SAMPLES)


def test_effects_follow_the_state_after_the_event() -> None:
    """An overdue report changes the packet and calls for people."""
    event = OutcomeOverdue(at(25), system("clock"), ID)
    assert react(evolve(claimed(), event), event) == (ShowPacket(), TellThread(Note.OVERDUE))
