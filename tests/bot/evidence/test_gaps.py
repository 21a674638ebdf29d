"""A gap is told where something was erased, and only there: what was empty from the beginning stays empty."""

import json
from dataclasses import replace

import pytest

from approval_rules.canonical import Digest
from approval_rules.events import Decision, Event, Paused, Voted
from approval_rules.people import PersonId, ProposalId, human
from approval_rules.switch import EVERYTHING
from approval_rules.text import AgentJson, AgentText
from bot.evidence.gaps import GONE, gone_of, with_gaps
from bot.store.codec import Recorded
from bot.store.decisions import Disclosure, Written
from tests.rules.builders import START
from tests.rules.starting import proof

ANN = human(PersonId("ann"))


def entry(kind: str, promised: int, *living: str, personal: list[str] | None = None) -> Written:
    """Make an entry that promised so many values, of which these still live."""
    body = {"_sd": ["x"] * promised, "type": kind, "data": {"requirement": {"personal": personal}}}
    return Written(7, json.dumps(body).encode(), b"", tuple(Disclosure("salt", name, "1") for name in living))


def told(event: Event, each: Written) -> Event:
    """Give an event as it is told."""
    (found,) = with_gaps([Recorded(7, b"", event)], [each])
    return found.event


VOTED = Voted(
    START,
    ANN,
    ProposalId("prop_1"),
    PersonId("ann"),
    Decision.APPROVE,
    (),
    Digest("sha256:a"),
    Digest("sha256:b"),
    None,
)
BARE = replace(VOTED, digest=Digest(""), shown=None)
PROVED = replace(BARE, proof=proof())


@pytest.mark.parametrize(
    ("event", "erased", "reason"),
    [
        (VOTED, 0, None),
        (VOTED, 1, GONE),
        (BARE, 2, None),
        (BARE, 3, GONE),
        (PROVED, 3, None),
        (PROVED, 4, GONE),
        (replace(PROVED, evidence=AgentJson({})), 3, GONE),
        (replace(BARE, reason=AgentText("late")), 2, AgentText("late")),
    ],
)
def test_a_votes_reason_is_missed_only_where_there_was_one(event: Voted, erased: int, reason: AgentText | None) -> None:
    """Digests and signatures that went explain what is missing first; what is left over was the reason."""
    found = told(event, entry("vote.counted", erased))
    assert isinstance(found, Voted)
    assert found.reason == reason


def test_what_was_empty_stays_empty() -> None:
    """A text that somebody left empty is no gap, and one that was erased is."""
    paused = Paused(START, ANN, "pause_1", EVERYTHING, None, AgentText(""))
    assert told(paused, entry("switch.paused", 1, "reason")) == paused
    found = told(paused, entry("switch.paused", 1))
    assert isinstance(found, Paused)
    assert found.reason == GONE


def test_what_is_gone_has_its_name_as_far_as_it_can_be_told() -> None:
    """Always-there values by name, others by their number, and nothing where nothing is gone."""
    named = "arguments", "context", "digest", "run", "summary"
    assert gone_of(entry("proposal.submitted", 5, *named)) == []
    assert gone_of(entry("proposal.submitted", 5, "arguments", "digest", "run")) == ["context", "summary"]
    assert gone_of(entry("proposal.submitted", 7, "arguments", "digest", "run")) == ["context", "summary", "2 more"]
    assert gone_of(entry("proposal.submitted", 6, *named, personal=["iban"])) == ["personal"]
    assert gone_of(entry("vote.counted", 2)) == ["2 of its values"]
