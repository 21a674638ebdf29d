"""What must be true of a number where a condition holds: never claimed wrongly, and found in the usual forms."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.conditions import compile_condition
from approval_rules.ranges import Range

D = Decimal
_side = st.tuples(st.sampled_from(["n", "m"]), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-2, 2))
_compared = _side.map(lambda it: f"{it[0]} {it[1]} {it[2]}") | _side.map(lambda it: f"{it[2]} {it[1]} {it[0]}")
CONDITIONS = st.recursive(
    _compared,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda it: f"({it[0]}) {it[1]} ({it[2]})")
        | inner.map(lambda it: f"not ({it})")
    ),
    max_leaves=6,
)
HALVES = st.integers(-6, 6).map(lambda number: D(number) / 2)


def holds(found: Range, value: Decimal) -> bool:
    """Whether a value lies in a range."""
    low = found.low is None or value > found.low or (value == found.low and not found.open_low)
    high = found.high is None or value < found.high or (value == found.high and not found.open_high)
    return low and high


@given(CONDITIONS, HALVES, HALVES)
def test_where_a_condition_holds_its_numbers_lie_in_their_ranges(text: str, n: Decimal, m: Decimal) -> None:
    """A bound that is claimed is one; and a range that holds no number means that the condition never holds."""
    condition = compile_condition(text)
    if condition.test({"n": n, "m": m}) is True:
        assert holds(condition.ranges.get("n", Range()), n)
        assert holds(condition.ranges.get("m", Range()), m)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n <= 50", {"n": Range(high=D(50))}),
        ("50 > n", {"n": Range(high=D(50), open_high=True)}),
        ("n > 5 and n <= 50 and s == 'x'", {"n": Range(D(5), D(50), open_low=True)}),
        ("n <= 50 or n <= 70", {"n": Range(high=D(70))}),
        ("n <= 50 or s == 'x'", {}),
        ("not (n > 50)", {"n": Range(high=D(50))}),
        ("not (n > 50 or m < 1)", {"n": Range(high=D(50)), "m": Range(low=D(1))}),
        ("n == 7", {"n": Range(D(7), D(7))}),
        ("n != 7", {}),
        ("n + 1 <= 50", {}),
        ("(n < 1 and n > 2) or n <= 9", {"n": Range(high=D(9))}),
        ("n <= 9 or (n < 1 and n > 2)", {"n": Range(high=D(9))}),
        ("n < 5 or n <= 5", {"n": Range(high=D(5))}),
        ("(n >= 1 and n < 3) or (n > 1 and n <= 3)", {"n": Range(D(1), D(3))}),
        ("(n > 1 and n < 5) or (n > 2 and n < 9)", {"n": Range(D(1), D(9), open_low=True, open_high=True)}),
        ("(n >= 2 and n <= 9) or (n >= 1 and n <= 5)", {"n": Range(D(1), D(9))}),
        ("n <= 50 or n > 3", {"n": Range()}),
    ],
)
def test_bounds_are_found(text: str, expected: dict[str, Range]) -> None:
    """The usual ways to write a limit."""
    assert compile_condition(text).ranges == expected


@pytest.mark.parametrize("text", ["n > 5 and n < 5", "n >= 5 and n < 5", "n == 1 and n == 2", "n <= 1 and not (n < 2)"])
def test_what_can_never_hold_has_an_empty_range(text: str) -> None:
    """A condition that contradicts itself shows."""
    assert compile_condition(text).ranges["n"].empty


def test_an_empty_range_adds_nothing_to_another() -> None:
    """The smallest range around nothing and something is something."""
    nothing, some = Range(D(2), D(1)), Range(D(1), D(2))
    assert nothing.either(some) == some.either(nothing) == some


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("n <= 5", True),
        ("5 >= n and m > 3 and n > 1", True),
        ("n == 5", True),
        ("n != 5", False),
        ("n <= 5 or n > 9", False),
        ("not (n > 5)", False),
        ("n <= 5 and s == 'x'", False),
        ("n <= 5 and f", False),
        ("n <= m", False),
    ],
)
def test_conditions_that_are_only_ranges(text: str, only: bool) -> None:  # noqa: FBT001 - the expected answer
    """Such a condition holds for every number within its ranges; one part more, and it may not."""
    assert compile_condition(text).only_ranges is only


def test_a_range_within_another() -> None:
    """Bounds count, open ones too; an empty range is within everything."""
    five, ten = Decimal(5), Decimal(10)
    assert Range(high=five).within(Range(high=ten))
    assert Range(high=five, open_high=True).within(Range(high=Decimal("5.0")))
    assert not Range(high=five).within(Range(high=five, open_high=True))
    assert not Range(high=ten).within(Range(high=five))
    assert not Range().within(Range(low=five))
    assert Range(ten, five).within(Range(low=ten, high=ten))
