"""What an agent is told of what the server looked up: where, when, and the value unless policy hides it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from approval_rules.facts import LookedUp
from approval_rules.text import AgentJson, Json
from handlers.http.answers import ProposalOut
from handlers.http.examples import proposals
from handlers.http.render import proposal_json

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SEEN = proposals()["pending"]


def told(values: Mapping[str, Json] | None, *redact: str, failed: str | None = None) -> dict[str, Any]:
    """What the API says of one lookup."""
    hiding = replace(SEEN.proposal.requirement, redact=redact)
    found = None if values is None else AgentJson(values)
    lookups = (LookedUp("tier", "crm.example", AT, failed),)
    text = proposal_json(
        replace(SEEN, proposal=replace(SEEN.proposal, requirement=hiding, lookups=lookups, looked_up=found))
    )
    ProposalOut.model_validate(json.loads(text))
    shown: dict[str, Any] = json.loads(text, parse_float=Decimal)["looked_up"]["tier"]
    assert (shown.pop("at"), shown.pop("source")) == ("2026-01-31T12:00:00.000000Z", "crm.example")
    return shown


def test_without_lookups_nothing_is_told() -> None:
    """An answer is as it was before there were any."""
    assert "looked_up" not in json.loads(proposal_json(SEEN))


@pytest.mark.parametrize(
    ("value", "hidden", "shown"),
    [
        ("pro", (), "pro"),
        (Decimal("0.10"), (), Decimal("0.1")),
        ("pro", ("tier",), None),
        ({"card": {"number": "4111", "type": "visa"}}, ("number",), {"card": {"number": None, "type": "visa"}}),
        ([{"iban": "DE02"}, "x"], ("iban",), [{"iban": None}, "x"]),
        ({"a": {"b": 1}, "b": 2}, ("tier.a.b",), {"a": {"b": None}, "b": 2}),
    ],
)
def test_a_value_is_told_unless_policy_hides_it(value: Json, hidden: tuple[str, ...], shown: object) -> None:
    """The agent did not send it, so what people may not see it does not get either."""
    assert told({"tier": value}, *hidden) == {"value": shown}


def test_a_failure_and_an_erased_value_are_told_apart() -> None:
    """One has a reason, the other has nothing any more."""
    assert told({"tier": None}, failed="timed out") == {"failed": "timed out"}
    assert told(None) == {"value": None}
