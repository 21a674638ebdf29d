"""Why, in Slack: the packet's one line and the rules in Details. Short, true, and nothing hidden in them."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from approval_rules.explanation import explain
from approval_rules.requirement import Requirement
from bot.slack_standin.blocks import find_faults
from handlers.desk import Seen
from handlers.slack.details import PAGE_CHARACTERS
from handlers.slack.packet import packet
from handlers.slack.views import details_view
from tests.handlers.slack.made import NOW, proposal, seen, states
from tests.handlers.slack.reading import text_of
from tests.rules.builders import AGENT, START
from tests.rules.policies import ALLOW, TWO, draft, folder

HOSTILE = "\u202e<!channel> *bold* \x1b[2J"
LINE = "Would run by itself if amount_usd were at most 50."


def explained(rules: Any, names: Any, **changes: Any) -> Seen:  # noqa: ANN401 - rules and JSON of all kinds
    """A proposal with its explanation; `changes` replace fields of what it needs."""
    found = explain(folder(*rules), draft(names), AGENT, START)
    assert isinstance(found.result, Requirement)
    made = proposal(names, requirement=replace(found.result, **changes))
    return replace(seen(made), explained=found)


RULES = [("amount_usd <= 50 and s in ['pro']", ALLOW), ("amount_usd > 50", TWO)]


def test_the_packet_says_what_was_missing() -> None:
    """One line beside the reason, while it can still be decided; the same packet without it where nothing is known."""
    shown = explained(RULES, {"amount_usd": 180, "s": "pro"})
    assert LINE in text_of(packet(shown, NOW).blocks)
    assert LINE not in text_of(packet(replace(shown, explained=None), NOW).blocks)
    over = replace(states()["denied"], explained=shown.explained)
    assert "Would run" not in text_of(packet(over, NOW).blocks)
    nothing = explained([("s.starts_with('a')", ALLOW), (None, TWO)], {"s": "b"})
    assert "Would run" not in text_of(packet(nothing, NOW).blocks)
    long = explained([(f"s == '{'x' * 300}'", ALLOW), (None, TWO)], {"s": "b"})
    assert len(text_of(packet(long, NOW).blocks)) < 2000


def test_details_show_each_rule() -> None:
    """The nearest rule in a sentence, then each rule with its parts and what it saw."""
    told = text_of(details_view(explained(RULES, {"amount_usd": 180, "s": "pro"}), NOW)["blocks"])
    for part in (
        "Rule 1 would have allowed it if amount_usd were at most 50; it is 180.",
        "Rule 1 not matched: ✗ amount_usd <= 50, ✓ s in ['pro']; saw amount_usd 180, s \"pro\"",
        "Rule 2 matched: so two people in the role support_manager must approve; ✓ amount_usd > 50; saw amount_usd 180",
    ):
        assert part in told
    told = text_of(details_view(explained([("o.n > 5", ALLOW), (None, TWO)], {"o": 5}), NOW)["blocks"])
    assert "Rule 1 could not be decided: ? o.n > 5; saw o.n missing" in told
    assert "Rule 2 matched: so two people in the role support_manager must approve; always matches" in told


def test_without_an_explanation_details_are_as_before() -> None:
    """Where the policy of then cannot be had, the recorded reason stands alone."""
    told = text_of(details_view(seen(), NOW)["blocks"])
    assert "Why: each rule" not in told
    assert "rule 3 of payments.refund" in told


@pytest.mark.parametrize("way", ["mask", "hash", "drop"])
def test_what_policy_hides_is_hidden_here_too(way: str) -> None:
    """A hidden field, one inside a hidden one, and one inside a list of objects: no value of theirs is shown."""
    names = {"card": "4111111111111111", "o": {"iban": "DE4711", "n": 5}, "tags": [{"card": "42424242"}]}
    rules = [("card == 'x' and o.n == 77 and tags.length > 9 and 'y' in tags and o.iban == 'z'", ALLOW), (None, TWO)]
    fields = {"mask": {}, "hash": {"hashed": ("card", "o", "iban")}, "drop": {"dropped": ("card", "o", "iban")}}[way]
    shown = explained(rules, names, redact=("card", "o", "iban"), **fields)
    for blocks in (packet(shown, NOW).blocks, details_view(shown, NOW)):
        told = json.dumps(blocks)
        assert not [value for value in ("4111111111111111", "DE4711", "42424242", "o.n 5") if value in told]


def test_nothing_hostile_is_markup_or_invisible() -> None:
    """Names and values that an agent chose stand as text, every character visible, and long ones are cut visibly."""
    names = {"s": HOSTILE, "t": "y" * 5000, "m": HOSTILE}
    shown = explained([("s == 'x' and t == 'y' and s != m", ALLOW), (None, TWO)], names)
    view = details_view(shown, NOW)
    told = text_of(view["blocks"])
    assert "\u202e" not in told
    assert "\x1b" not in told
    assert "y" * 200 not in told.partition("Why: each rule")[2].partition("Facts")[0].partition("Identity")[0]
    assert find_faults(view["blocks"], "modal") == []


def test_a_long_policy_fits_and_is_counted() -> None:
    """Of two hundred rules those that decided are shown and the rest is counted; every page is within limits."""
    many = " and ".join(f"n{number} <= {number}" for number in range(30))
    rules = [(f"{many if number < 40 else 'n0 <= 0'} and amount_usd > {number}", ALLOW) for number in range(199)]
    shown = explained([*rules, (None, TWO)], {"amount_usd": Decimal(-1)})
    told = ""
    for page in range(9):
        view = details_view(shown, NOW, page)
        assert find_faults(view["blocks"], "modal") == []
        assert len(text_of(view["blocks"])) <= PAGE_CHARACTERS + 500
        told += text_of(view["blocks"])
    assert "25 more parts" in told
    assert "25 more values" in told
    assert "Rule 200 matched" in told
    assert "180 more rules, which did not decide, are left out." in told
