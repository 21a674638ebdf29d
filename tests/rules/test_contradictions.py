"""What a condition wants that no value is: never claimed wrongly, and found in the usual forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.conditions import compile_condition
from approval_rules.implied import impossible_in

_leaves = st.sampled_from(
    [
        *("s == 'a'", "s == 'b'", "s != 'a'", "'b' == s", "s in ['a', 'b']", "s not in ['b', 'c']", "s in ['c']"),
        *("f", "not f", "f == true", "f != false", "n == 1", "n != 1", "n in [1, 2]", "n > 1", "n + 1 == 2"),
        *("o.s == 'a'", "o['s'] != 'a'", "o.f", "not o.f", "s == t", "'a' in l", "s.starts_with('a')", "s.length == 1"),
    ]
)
CONDITIONS = st.recursive(
    _leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda it: f"({it[0]}) {it[1]} ({it[2]})")
        | inner.map(lambda it: f"not ({it})")
    ),
    max_leaves=5,
)
_text = st.sampled_from(["a", "b", "c", "d"])
NAMES = st.fixed_dictionaries(
    {"s": _text, "t": _text, "f": st.booleans(), "n": st.integers(0, 3), "l": st.lists(_text, max_size=2)}
    | {"o": st.fixed_dictionaries({"s": _text, "f": st.booleans()})}
)


def contradicted(text: str) -> str | None:
    """Name the field of a condition that can be nothing."""
    return impossible_in(compile_condition(text).wanted)


@given(CONDITIONS, NAMES)
def test_what_is_called_impossible_never_holds(text: str, names: dict[str, object]) -> None:
    """Whatever the fields are: where a contradiction is claimed, the condition is never true."""
    if contradicted(text) is not None:
        assert compile_condition(text).test(names) is not True  # type: ignore[arg-type]  # JSON, all of it


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tier == 'a' and tier == 'b'", "tier"),
        ("tier == 'a' and x and tier != 'a'", "tier"),
        ("'a' == tier and not (tier in ['a', 'b'])", "tier"),
        ("tier in ['a', 'b'] and tier in ['c']", "tier"),
        ("tier in ['a', 'b'] and tier not in ['a', 'b', 'c']", "tier"),
        ("tier in ['a', 'b'] and tier != 'a' and tier != 'b'", "tier"),
        ("flag and not flag", "flag"),
        ("flag == true and flag == false", "flag"),
        ("not (flag or not flag)", "flag"),
        ("n == 1 and n != 1", "n"),
        ("now.weekday == 'monday' and now.weekday == 'tuesday'", "now.weekday"),
        ("order['tier'] == 'a' and order.tier == 'b'", "order.tier"),
        ("(tier == 'a' and tier == 'b') or (flag and not flag)", "flag"),
        ("(tier == 'a' or tier == 'b') and tier == 'c'", "tier"),
        ("incident and not incident and n <= 5", "incident"),
        ("tier != tier", "tier"),
        ("n < n", "n"),
        ("n + 1 < n", None),
        ("n <= n and m == n", None),
        ("tier == 'a'", None),
        ("tier == 'a' or tier == 'b'", None),
        ("tier == 'a' and other == 'b'", None),
        ("tier == 'a' and tier == other", None),
        ("tier != 'a' and tier != 'b'", None),
        ("tier not in ['a'] and tier == 'b'", None),
        ("(tier == 'a' and tier == 'b') or flag", None),
        ("flag or (tier == 'a' and tier == 'b')", None),
        ("(tier == 'a' or flag) and tier == 'b'", None),
        ("(tier != 'a' or tier == 'a') and tier == 'b'", None),
        ("tier in ['a', other] and tier == 'b'", None),
        ("'a' in tags and 'b' in tags", None),
        ("'a' in ['a', tier] and tier == 'b'", None),
        ("n > 1 and n < 1 + 1", None),
        ("to.ends_with('a') and not to.ends_with('a')", None),
    ],
)
def test_what_is_found(text: str, name: str | None) -> None:
    """A field that should be two texts, both true and false, or in two lists without a common entry."""
    assert contradicted(text) == name


@given(CONDITIONS, NAMES)
def test_what_is_said_to_hold_always_never_fails(text: str, names: dict[str, object]) -> None:
    """Whatever the fields are: a condition of which that is said is true, or cannot be decided."""
    if compile_condition(text).always is not None:
        assert compile_condition(text).test(names) is not False  # type: ignore[arg-type]  # JSON, all of it


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("flag or not flag", "flag"),
        ("tier != 'a' or tier != 'b'", "tier"),
        ("tier in ['a', 'b'] or tier not in ['a']", "tier"),
        ("n > 50 or n <= 50", "n"),
        ("n > 5 or n < 9", "n"),
        ("not (n > 9 and n < 5)", "n"),
        ("tier == tier", "tier"),
        ("o.s >= o.s and n <= n", "n"),
        ("(n > 50 or n <= 50) and tier == 'a'", None),
        ("tier == 'a' or tier != 'b'", None),
        ("n > 50 or n < 50", None),
        ("n == m", None),
    ],
)
def test_what_always_holds(text: str, name: str | None) -> None:
    """Two halves that are the whole, and a field beside itself."""
    assert compile_condition(text).always == name
