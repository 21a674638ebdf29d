"""What is written about a proposal: the contract's fields, exact numbers, and nothing that must not leave."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import canonical_text
from approval_rules.events import Refusal
from approval_rules.people import PersonId, human
from approval_rules.switch import EVERYTHING, Pause
from approval_rules.text import AgentJson, AgentText
from approval_rules.times import format_time
from handlers.desk import Face, Seen
from handlers.http.examples import proposals
from handlers.http.render import proposal_json

SEEN = proposals()
EARLY = {"decided_at", "claim_by", "execution", "expired_why", "revoked_why", "grant", "callback_url"}


def shown(name: str) -> dict[str, Any]:
    """The named proposal as an agent gets it."""
    document: dict[str, Any] = json.loads(proposal_json(SEEN[name]))
    return document


@pytest.mark.parametrize(
    ("name", "state", "further"),
    [
        ("pending", "pending", set()),
        ("approved", "approved", {"decided_at", "claim_by"}),
        ("claimed", "approved", {"decided_at", "claim_by", "execution"}),
        ("denied", "denied", {"decided_at"}),
        ("expired-unanswered", "expired", {"decided_at", "expired_why"}),
        ("expired-unclaimed", "expired", {"decided_at", "claim_by", "expired_why"}),
        ("cancelled", "cancelled", {"decided_at"}),
        ("blocked", "blocked", {"decided_at"}),
        ("revoked", "revoked", {"decided_at", "claim_by", "revoked_why"}),
    ],
)
def test_a_field_is_there_once_it_is_known(name: str, state: str, further: set[str]) -> None:
    """Five ways to get no yes look different, and a field that does not apply is left out."""
    document = shown(name)
    assert document["state"] == state
    assert EARLY & document.keys() == further


def test_why_there_was_no_yes() -> None:
    """Denied by a person, expired, and revoked each say why."""
    denied = shown("denied")["votes"][1]
    assert (denied["by"], denied["name"], denied["decision"]) == ("U045EF6GH", "Ana", "deny")
    assert denied["reason"] == "The order was refunded yesterday."
    assert shown("expired-unanswered")["expired_why"] == "unanswered"
    assert shown("expired-unclaimed")["expired_why"] == "unclaimed"
    assert shown("revoked")["revoked_why"] == Refusal.PAUSED
    assert shown("blocked")["requirement"] is None
    assert shown("blocked")["tier"] == "red"


def test_execution() -> None:
    """The execution says what became of the permission, and what the agent reported."""
    assert shown("claimed")["execution"]["status"] == "claimed"
    assert "outcome_at" not in shown("claimed")["execution"]
    assert shown("succeeded")["execution"]["report"] == {
        "detail": "refund re_88 created",
        "post_conditions": {"refund_visible": True},
    }
    assert shown("outcome-unknown")["execution"]["overdue"] is True


def test_a_pause_is_shown_without_its_words() -> None:
    """An agent learns that a pause holds it, not what people said about it."""
    pause = Pause("p", EVERYTHING, SEEN["pending"].proposal.created_at, human(PersonId("x")), AgentText("Bob erred"))
    text = proposal_json(replace(SEEN["pending"], frozen_by=pause))
    assert json.loads(text)["frozen"] == {"scope": "all", "since": "2026-11-21T09:30:00.000000Z", "until": None}
    assert "Bob" not in text


def test_an_erased_person_is_null() -> None:
    """After erasure a vote still stands, without a person."""
    vote = json.loads(proposal_json(replace(SEEN["approved"], faces={})))["votes"][0]
    assert (vote["by"], vote["name"], vote["decision"]) == (None, None, "approve")


def test_neither_keys_nor_pseudonyms_leave() -> None:
    """A claim's key and the log's pseudonyms of people stay inside."""
    claimed = SEEN["claimed"]
    assert claimed.proposal.execution is not None
    keyed = replace(claimed.proposal, execution=replace(claimed.proposal.execution, key="c-1"))
    text = proposal_json(replace(claimed, proposal=keyed))
    assert "c-1" not in text
    assert "p_kim" not in text
    assert "p_own" not in text


HOSTILE = st.text(st.characters(), max_size=20)


@given(HOSTILE, st.text(st.characters(exclude_categories=["Cs"])), st.decimals(allow_nan=False, allow_infinity=False))
def test_hostile_text_stays_text(name: str, summary: str, number: Decimal) -> None:
    """Whatever Slack or an agent calls things, the answer is UTF-8, parses, and says exactly that."""
    given_number = number if abs(number) < 1000 and number == round(number, 6) else Decimal("0.1")
    proposal = SEEN["approved"].proposal
    faces = {vote.voter: Face("U1", name) for vote in proposal.votes}
    data = AgentJson({summary: [summary, given_number]})
    written = replace(proposal, summary=AgentText(summary), arguments=data, context=data)
    text = proposal_json(Seen(written, faces, None, 1)).encode().decode()
    document = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert document["summary"] == summary
    assert document["votes"][0]["name"] == name
    assert document["arguments"] == {summary: [summary, given_number]}
    assert f'"context":{canonical_text({summary: [summary, given_number]})}' in text


def test_a_report_may_be_as_deep_as_a_body() -> None:
    """What was accepted can always be shown: the depth of a report counts from its own root."""
    deep: Any = 1
    for _ in range(31):
        deep = [deep]
    claimed = SEEN["succeeded"].proposal
    assert claimed.execution is not None
    execution = replace(claimed.execution, report=AgentJson({"post_conditions": deep}))
    assert "[[[" in proposal_json(Seen(replace(claimed, execution=execution), {}, None, 1))


def test_times_are_utc_with_six_digits() -> None:
    """A time is always RFC 3339 in UTC with Z and six digits, whatever zone it came in."""
    at = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(at) == "2025-12-31T23:00:00.000000Z"
    assert format_time(at + timedelta(microseconds=1)) == "2025-12-31T23:00:00.000001Z"
