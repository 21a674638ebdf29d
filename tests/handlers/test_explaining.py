"""The sentence about the rule that nearly allowed an action: what it says, and what it leaves unsaid."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from approval_rules.explanation import explain
from approval_rules.people import RoleName
from approval_rules.requirement import Seat
from approval_rules.verdicts import Allow, Ask
from handlers.explaining import Showing, condition_words, nearest_sentence, share_words
from handlers.slack.text import is_covered, seen_words
from tests.rules.builders import AGENT, START
from tests.rules.policies import ALLOW, BLOCK, TWO, draft, folder

UNKNOWN = ", ".join(f"rule {one} cannot be decided" for one in (1, 2, 3))
HALF = Allow(Decimal(50), Ask((Seat(RoleName("support_manager"), 2),)))


def showing(**hidden: Any) -> Showing:  # noqa: ANN401 - the ways of hiding
    """How Slack shows values."""
    return Showing(lambda value, of: seen_words(value, of, hidden), str, lambda of: is_covered(of, hidden) is not None)


def said(rules: Any, names: Mapping[str, Any], before: Any = None, **hidden: Any) -> str:  # noqa: ANN401
    """The sentence about these rules and values."""
    found = explain(folder(*rules), draft(names), AGENT, START, before or {}).nearest
    assert found is not None
    return nearest_sentence(found, showing(**hidden))


@pytest.mark.parametrize(
    ("rules", "names", "sentence"),
    [
        (
            [("n <= 50", ALLOW), (None, TWO)],
            {"n": Decimal("180.50")},
            "Rule 1 would have allowed it if n were at most 50; it is 180.50.",
        ),
        (
            [("n < 0", BLOCK), ("n < 50", ALLOW), (None, TWO)],
            {},
            "Rule 2 would have allowed it if n were at least 0 and less than 50; it is missing.",
        ),
        (
            [("n <= 50 and s in ['a', 'b']", ALLOW), (None, TWO)],
            {"n": 60, "s": "x' or"},
            'Rule 1 would have allowed it if n were at most 50 and s were one of "a", "b"; n is 60 and s is "x\' or".',
        ),
        (
            [("s != 'a' and s != 'b'", HALF), (None, TWO)],
            {"s": "a"},
            'Rule 1 would have let 50 % of such cases run by themselves if s were anything but "a" or "b"; it is "a".',
        ),
        ([("f", ALLOW), (None, TWO)], {"f": False}, "Rule 1 would have allowed it if f were true; it is false."),
        ([("n > 5", ALLOW), (None, TWO)], {"n": 1}, "Rule 1 would have allowed it if n were more than 5; it is 1."),
        ([(None, HALF)], {}, "Rule 1 matches, and its dial of 50 % keeps this one for people."),
        ([("f", TWO), ("n <= 5", ALLOW)], {"f": True, "n": 1}, "Rule 2 allows it, but rule 1 asks people before it."),
        (
            [("f", BLOCK), ("n + m <= 5", ALLOW)],
            {"n": 3, "m": 4},
            "Rule 2 comes nearest to allowing it: n + m <= 5 does not hold, and rule 1 cannot be decided.",
        ),
        (
            [("a + b > c and d + e > f and g + h > i and j + k > l", ALLOW), (None, TWO)],
            {},
            "Rule 1 comes nearest to allowing it: a + b > c, d + e > f, g + h > i and more do not hold.",
        ),
        (
            [*[("f", TWO)] * 4, (None, ALLOW)],
            {},
            f"Rule 5 allows it, but {UNKNOWN} and others stand in its way too.",
        ),
    ],
)
def test_what_is_said(rules: Any, names: Mapping[str, Any], sentence: str) -> None:  # noqa: ANN401
    """One sentence, with the policy's bounds and the values as they were."""
    assert said(rules, names) == sentence


@pytest.mark.parametrize("way", ["mask", "hash", "drop"])
def test_a_hidden_value_is_not_said(way: str) -> None:
    """What policy hides is not shown, and neither is a bound that it could be worked out from."""
    rules = [("n <= 5000", ALLOW), (None, TWO)]
    assert "7777" not in said(rules, {"n": 7777}, n=way)
    summed = [("sum(n, 24h) + n <= 5000", ALLOW), (None, TWO)]
    sentence = said(summed, {"n": 4321}, {"sum_n_24h": Decimal(900)}, n=way)
    assert sentence == "Rule 1 comes nearest to allowing it: sum(n, 24h) + n <= 5000 does not hold."
    told = "Rule 1 would have allowed it if sum(n, 24h) were at most 679; it is 900."
    assert said(summed, {"n": 4321}, {"sum_n_24h": Decimal(900)}) == told


def test_nothing_stands_after_an_if_that_is_not_known() -> None:
    """Without anything true to say there is no condition; a share is said where there is one."""
    found = explain(folder(("s.starts_with('a')", ALLOW), (None, TWO)), draft({"s": "b"}), AGENT, START).nearest
    assert found is not None
    assert condition_words(found, showing()) is None
    assert (share_words(None), share_words(Decimal(5))) == ("", " in 5 % of such cases")
