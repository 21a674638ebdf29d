"""Counters in conditions: how they are written, what they are named, and that nothing else becomes one."""

from datetime import timedelta
from decimal import Decimal

import pytest

from approval_rules.conditions import ConditionFaultError, compile_condition
from approval_rules.counters import HOW, Counter, named
from approval_rules.names import noted, recalled

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "counter"),
    [
        ("count(24h)", Counter("count_24h", DAY)),
        ("count( 30m )", Counter("count_30m", timedelta(minutes=30))),
        ("count(7d by agent)", Counter("count_7d_by_agent", 7 * DAY, None, "agent")),
        ("sum(amount_usd, 24h)", Counter("sum_amount_usd_24h", DAY, "amount_usd")),
        ("sum(n,1d by customer_id)", Counter("sum_n_1d_by_customer_id", DAY, "n", "customer_id")),
        ("count(31d)", Counter("count_31d", 31 * DAY)),
    ],
)
def test_a_counter_is_read_as_a_name(text: str, counter: Counter) -> None:
    """The name takes the place of the call and no more room than it had, so that faults keep their places."""
    read, found = named(f"a and {text} < 5")
    assert found == {counter.name: counter}
    assert len(read) == len(f"a and {text} < 5")
    again = counter.written
    assert named(again)[1] == found
    condition = compile_condition(f"{text} < 5")
    assert condition.counters == (counter,)
    assert condition.names == {counter.name}
    assert condition.text == f"{text} < 5"
    assert condition.test({counter.name: 4}) is True
    assert condition.test({counter.name: 5}) is False


def test_a_counter_is_written_as_its_author_writes_it() -> None:
    """Whatever its field and its group are called."""
    for text in ("sum(a_b, 90m by c_by_d)", "count(24h by by)", "sum(count, 1d)", "count(1h)"):
        (counter,) = named(text)[1].values()
        assert counter.written == text


def test_what_was_counted_is_noted_exactly() -> None:
    """A sum of any length comes back as it was; what could not be told is told apart from what was not counted."""
    before = {"a": Decimal(10) ** 300 + Decimal("1e-300"), "b": None, "c": Decimal("0.10"), "d": True, "e": "staging"}
    assert recalled(noted(before)) == before
    assert recalled(None) == {}


def test_text_in_quotes_is_no_counter() -> None:
    """What stands between quotes is compared as it is written."""
    text = "x == 'count(24h)' or y == \"sum(n, 1d)\""
    assert named(text) == (text, {})


@pytest.mark.parametrize(
    "wrong",
    ["count()", "count(24)", "count(x, 24h)", "sum(24h)", "sum(a.b, 24h)", "count(32d)", "count(0h)", "sum(n, 24h by)"],
)
def test_a_counter_that_is_written_wrong_is_explained(wrong: str) -> None:
    """The fault stands at the bracket and says how it is done."""
    with pytest.raises(ConditionFaultError) as refused:
        compile_condition(f"a > 1 and {wrong} < 5")
    assert (refused.value.offset, refused.value.detail) == (10 + wrong.index("("), HOW)


def test_a_method_of_that_name_is_no_counter() -> None:
    """`x.count(24h)` calls something that does not exist."""
    with pytest.raises(ConditionFaultError):
        compile_condition("x.count(24h) > 1")
