"""What a condition may say, what it answers, and what it refuses to compute."""

import warnings
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
import rule_engine  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.conditions import MAX_LENGTH, ConditionFaultError, Undetermined, compile_condition
from approval_rules.text import Json
from tests.rules.policies import anything_named, conditions, well_typed

NOW: Mapping[str, Json] = {"hour": 9, "time": "09:30", "date": "2026-02-01"}


def ask(text: str, **names: Json) -> bool | Undetermined:
    """Compile and test in one go."""
    return compile_condition(text).test(names)


def engine_says(text: str, names: Mapping[str, Any]) -> object:
    """What rule-engine's own evaluation gives, with the same exact arithmetic; an error is its own class."""
    context = rule_engine.Context(default_timezone="utc")
    context.decimal_context.prec = 200
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rule_engine.errors.MappingAttributeLookupDeprecation)
        try:
            return rule_engine.Rule(text, context).evaluate(names)
        except (rule_engine.errors.EngineError, ArithmeticError, TypeError) as error:
            return type(error)


@given(conditions, well_typed)
def test_equals_rule_engine(text: str, names: dict[str, Json]) -> None:
    """On values of the expected types, missing ones included, the compiled condition is rule-engine's own answer."""
    expected = engine_says(text, names)
    answer = compile_condition(text).test(names)
    assert isinstance(answer, Undetermined) if isinstance(expected, type) else answer is expected


@given(conditions, anything_named)
def test_never_more_lenient_than_rule_engine(text: str, names: dict[str, Json]) -> None:
    """On values of any type there is rule-engine's answer or none; nothing raises."""
    answer = compile_condition(text).test(names)
    assert isinstance(answer, Undetermined) or answer is engine_says(text, names)


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("9**9**9 > x", 1, "write the number out"),
        ("x > 1 ** 2", 6, "write the number out"),
        ("name =~ '(a+)+$'", 5, "regular expressions"),
        ("name =~~ 'a'", 5, "regular expressions"),
        ("name !~ 'a'", 5, "regular expressions"),
        ("name !~~ 'a'", 5, "regular expressions"),
        ("x > $now", 4, "the clock"),
        ("$today == x", 0, "the clock"),
        ("x > $re_groups", 4, "the engine's own"),
        ("x << 9 > 5", 2, "bits"),
        ("x >> 9 > 5", 2, "bits"),
        ("a && b", 2, "write 'and'"),
        ("a | b", 2, "write 'and', 'or'"),
        ("a ^ b", 2, "bits"),
        ("x / 3 > 1", 2, "multiply"),
        ("x // 3 > 1", 2, "multiply"),
        ("x % 3 == 1", 2, "multiply"),
        ("[y for y in x] == 1", 3, "loop"),
        ("tier ?? 'pro' == 'pro'", 5, "missing value must ask"),
        ("order&.total > 1", 5, "missing value must ask"),
        ("order&['total'] > 1", 5, "missing value must ask"),
        ("tier == null", 8, "null counts as missing"),
        ("big ? a : b", 4, "two rules"),
        ("at > d'2025-01-01'", 5, "dates"),
        ("at > t'P1D'", 5, "dates"),
        ("x < inf", 4, "write a number"),
        ("x < nan", 4, "write a number"),
        ("x == b'a'", 5, "leave the 'b'"),
        ("x == 'a\\\\b'", 5, "without backslashes"),
        ("x == 1 \\r", 7, "not understood"),
        ("x == {}", 5, "write a list"),
        ("x > 1 # why", 6, "line of its own"),
        ("tier in 'standard'", 8, "['standard']"),
        ("items[0] == 1", 5, "field's name in quotes"),
        ("order['a':] == 1", 5, "field's name in quotes"),
        ("order.keys == 1", 6, "write ['keys']"),
        ("order.is_empty", 6, "write ['is_empty']"),
        ("to.decode('x') == 'a'", 9, "can be called"),
        ("f(x)", 1, "can be called"),
        ("to.starts_with", 3, "call it with a text"),
        ("to.starts_with()", 0, "one text in quotes"),
        ("to.ends_with(other)", 0, "one text in quotes"),
        ("to.ends_with('')", 0, "one text in quotes"),
        ("to.ends_with('a', 'b')", 0, "one text in quotes"),
        ("tier == 'a' or 'b'", 0, "each comparison in full"),
        ("not (x + 1)", 0, "each comparison in full"),
        ("x - 1", 0, "each comparison in full"),
        ("[x].length == 1", 0, "only a field has fields"),
        ("(x == 1).length == 1", 0, "different kinds"),
        ("(-x).length == 1", 0, "only a field has fields"),
        ("x > 1 and 'a' < 1", 0, "different kinds"),
        (f"x > {150 * '9'} * {150 * '9'}", 0, "too long or too large"),
        ("x = 5", 2, "write '=='"),
        ("x == 1 AND y == 2", 7, "small letters"),
        ("x == 1 2", 7, "not understood"),
        ("x ==", 4, "ends too early"),
        ("", 0, "ends too early"),
        ("x == 'open", 5, "not understood"),
        ("1 < 2", 0, "reads no field"),
        ("a and b or c", 8, "side by side"),
        ("x > 1 or (a and b) or c and d", 24, "side by side"),
        ("(a or b and c)", 8, "side by side"),
        ("s in [a, b] and not (f and (a or b) or c)", 36, "side by side"),
        ("x <= 1e2", 5, "plain digits"),
        ("x <= 5e10", 5, "plain digits"),
        ("x <= 0x64", 5, "plain digits"),
        ("x <= 0b11", 5, "plain digits"),
        ("x <= 0o17", 5, "plain digits"),
        ("x <= 050", 5, "plain digits"),
        ("x <= 50.", 5, "plain digits"),
        ("x <= .5", 5, "plain digits"),
        ("x in []", 5, "empty list"),
        ("x not in []", 9, "empty list"),
        ("x <= 5 or true", 0, "always true"),
        ("x <= 5 or 1 == 1", 0, "always true"),
        ("not (x == 1 and false)", 0, "always true"),
        ("x <= '50'", 5, "take its quotes away"),
        ("'1,000.00' > x", 0, "take its quotes away"),
        ("x < '-5'", 4, "take its quotes away"),
        ("now.hour < 25", 0, "from 0 to 23"),
        ("now.hour >= 8.5", 0, "from 0 to 23"),
        ("24 > now.hour", 5, "from 0 to 23"),
        ("now.time < '9:00'", 11, "such as '09:30'"),
        ("now.time < '24:00'", 11, "such as '09:30'"),
        ("now.date < '31.12.2026'", 11, "such as '2026-01-31'"),
        ("now.date < '2026-1-5'", 11, "such as '2026-01-31'"),
        ("true", 0, "reads no field"),
        ("not " * 40 + "x", 0, "nested deeper"),
        ("not " * 240 + "x", 0, "nested deeper"),
        (" and ".join(["x == 1"] * 40), 0, "nested deeper"),
        ("x" * (MAX_LENGTH + 1), MAX_LENGTH, "longer than"),
    ],
)
def test_refused_with_place_and_remedy(text: str, offset: int, advice: str) -> None:
    """What could run for long, read a clock, stand in for a missing value or is a slip is refused, at its place."""
    with pytest.raises(ConditionFaultError) as refused:
        compile_condition(text)
    assert refused.value.offset == offset
    assert advice in refused.value.detail
    assert str(refused.value) == f"at {offset}: {refused.value.detail}"


def test_a_condition_may_be_as_long_as_is_said() -> None:
    """A thousand characters, to the last one."""
    text = "x == ''"
    longest = text[:-1] + "y" * (1000 - len(text)) + "'"
    assert (len(longest), MAX_LENGTH) == (1000, 1000)
    assert compile_condition(longest).test({"x": "y"}) is False


def test_a_condition_may_be_as_deep_as_is_said() -> None:
    """Thirty-two levels, and not one more."""
    assert compile_condition("not " * 32 + "x").test({"x": True}) is True
    with pytest.raises(ConditionFaultError, match="deeper than 32 levels"):
        compile_condition("not " * 33 + "x")


def test_depth_that_exhausts_the_parser_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rule-engine runs out of stack, the condition is refused like any that is too deep."""

    def exhausted(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(rule_engine.Rule.parser, "parse", exhausted)
    with pytest.raises(ConditionFaultError, match="nested deeper"):
        compile_condition("x == 1")


def test_unknown_node_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of node that is not on the list is refused, even where its words were let through."""
    monkeypatch.setattr("approval_rules.conditions._KINDS", {})
    with pytest.raises(ConditionFaultError, match="do not have"):
        compile_condition("x == 1")


@pytest.mark.parametrize(
    ("text", "names", "answer"),
    [
        ("n <= 50", {"n": Decimal(50)}, True),
        ("(a and b) or (a and not c)", {"a": True, "b": False, "c": False}, True),
        ("a or b or not (a and b and c)", {"a": False, "b": False, "c": False}, True),
        ("now.hour < 23 and now.time <= '23:59' and now.date >= '2026-01-31'", {"now": NOW}, True),
        ("day < '1. 2. 2026'", {"day": "1. 1. 2026"}, True),
        ("n <= 50", {"n": Decimal("50.00")}, True),
        ("n == 50.00", {"n": 50}, True),
        ("n > 50", {"n": Decimal("50.000000000000001")}, True),
        ("n <= 50", {"n": Decimal("50.000000000000001")}, False),
        ("n <= 50", {"n": Decimal("50." + "0" * 90 + "1")}, False),
        ("n + m == 0.3", {"n": Decimal("0.1"), "m": Decimal("0.2")}, True),
        ("n + 1 > 51", {"n": Decimal("50." + "0" * 60 + "1")}, True),
        ("-n < -49", {"n": 50}, True),
        ("2 * n - 1 >= 99", {"n": 50}, True),
        ("tier in ['pro', 'standard']", {"tier": "pro"}, True),
        ("tier not in ['pro', other]", {"tier": "x", "other": "y"}, True),
        ("2 in sizes", {"sizes": [1, Decimal("2.0")]}, True),
        ("order.customer.tier == 'pro'", {"order": {"customer": {"tier": "pro"}}}, True),
        ("order['keys'] == 1", {"order": {"keys": 1}}, True),
        ("order['length'] == 7", {"order": {"length": 7}}, True),
        ("to.ends_with('@acme.com')", {"to": "ann@acme.com"}, True),
        ("to.starts_with('a') and to.length == 3", {"to": "abc"}, True),
        ("to.length <= 5", {"to": ["a"] * 6}, False),
        ("f", {"f": True}, True),
        ("not f", {"f": True}, False),
        ("n > 1 or missing == 2", {"n": 2}, True),
        ("n > 1 and missing == 2", {"n": 0}, False),
        ("__class__ == 'x'", {"__class__": "x"}, True),
        ("when < '2025-02-01'", {"when": "2025-01-31"}, True),
    ],
)
def test_answers(text: str, names: Mapping[str, Json], *, answer: bool) -> None:
    """Numbers are exact decimals, names reach into objects, and what is not needed need not be there."""
    assert compile_condition(text).test(names) is answer


@pytest.mark.parametrize(
    ("text", "names", "why"),
    [
        ("tier == 'pro'", {}, "tier is missing"),
        ("tier == 'pro'", {"tier": None}, "tier is missing"),
        ("order.total > 1", {"order": {}}, "order.total is missing"),
        ("order.total > 1", {"order": {"total": None}}, "order.total is missing"),
        ("order.total > 1", {"order": "x"}, "order is not an object, so order.total is missing"),
        ("order['a'].b > 1", {"order": {"a": []}}, "order.a is not an object, so order.a.b is missing"),
        ("order.__class__ == 'x'", {"order": {}}, "order.__class__ is missing"),
        ("n <= 50", {"n": "50"}, "n is text, which cannot be compared with a number"),
        ("50 >= n", {"n": "50"}, "n is text, which cannot be compared with a number"),
        ("n <= 50", {"n": True}, "n is true or false, which cannot be compared with a number"),
        ("n == 1", {"n": True}, "n is true or false, which cannot be compared with a number"),
        ("n != 50", {"n": "50"}, "n is text, which cannot be compared with a number"),
        ("n <= 50", {"n": {}}, "n is an object, which cannot be compared with a number"),
        ("n == m", {"n": [1], "m": [1]}, "n is a list, which cannot be compared with a list"),
        ("f < g", {"f": True, "g": False}, "f is true or false, which cannot be compared with true or false"),
        ("-n == (f or g)", {"n": 1, "f": True}, "a part of the condition is true or false, which cannot be"),
        ("n <= 50", {"n": Decimal("nan")}, "n is not a finite number"),
        ("n <= 50", {"n": Decimal("-Infinity")}, "n is not a finite number"),
        ("n + 1 <= 50", {"n": Decimal("1e-300")}, "too long or too large"),
        ("n * n <= 50", {"n": Decimal("1e999999")}, "too long or too large"),
        ("n + 1 <= 50", {"n": "49"}, "n is not a number"),
        ("-n <= 50", {"n": True}, "n is not a number"),
        ("f", {"f": "false"}, "f is neither true nor false"),
        ("f and f", {"f": 1}, "f is neither true nor false"),
        ("not f", {"f": []}, "f is neither true nor false"),
        ("'admin' in roles", {"roles": "not-admin"}, "roles is not a list"),
        ("'admin' in roles", {"roles": {"admin": 1}}, "roles is not a list"),
        ("'a' in tags", {"tags": ["a", 1]}, "an entry of tags is a number, which cannot be compared with text"),
        ("'a' in tags", {"tags": [None]}, "an entry of tags is missing"),
        ("1 in tags", {"tags": [True]}, "an entry of tags is true or false, which cannot be compared with a number"),
        ("tier in ['a']", {"tier": 5}, "tier is a number, which cannot be compared with text"),
        ("to.length > 5", {"to": 123456}, "to is neither text nor a list"),
        ("to.length > 0", {"to": {"length": 1}}, "to is neither text nor a list"),
        ("to.ends_with('a')", {"to": ["a"]}, "to is not text"),
        ("n <= 50", {"n": object()}, "n is not JSON"),
        ("n <= 50", {"n": 49.5}, "n is not JSON"),
    ],
)
def test_no_answer_says_why_without_the_value(text: str, names: Any, why: str) -> None:  # noqa: ANN401 - also not JSON
    """Missing, mistyped and inexact values have no answer; the reason names the field."""
    answer = compile_condition(text).test(names)
    assert isinstance(answer, Undetermined)
    assert why in answer.why


def test_hostile_values_do_not_raise() -> None:
    """A megabyte of text, a deep object and a huge number are only values."""
    deep: Json = 1
    for _ in range(100_000):
        deep = [deep]
    huge: Sequence[Json] = ["x" * 1_000_000, deep, {"a": deep}, 10**4000, Decimal("1e999999"), Decimal("sNaN")]
    for value in huge:
        for text in ("v == 'x'", "v > 50", "v + 1 > 50", "v in ['x']", "'x' in v", "v.a == 1", "v.length > 1", "not v"):
            ask(text, v=value)


def test_names_are_known() -> None:
    """A condition says which names it reads."""
    assert compile_condition("amount_usd <= 50 and order.tier in [a, 'b']").names == {"amount_usd", "order", "a"}


_SCRAPS = (
    r"n 'a' '\d' '\x' '\N{x}' r'\d' == < in [ ] ( ) , . and not - + * 1 0x1f 012 1e9 length starts_with $ = & { : \ é"
)
_scraps = st.sampled_from(_SCRAPS.split())


@given(st.lists(_scraps | st.text(max_size=2), max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_compiles_or_is_a_fault(text: str) -> None:
    """Whatever an author types is a condition or a fault inside its text; nothing else is raised."""
    try:
        compile_condition(text)
    except ConditionFaultError as fault:
        assert 0 <= fault.offset <= len(text)  # noqa: PT017 - most texts are faults, some are not
