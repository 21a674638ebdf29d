"""What is said of the nearest rule is true: whoever changes the named values so finds the action allowed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from approval_rules.conditions import compile_condition
from approval_rules.counterfactual import Nearest, Obstacle, Want
from approval_rules.explanation import explain
from approval_rules.people import RoleName
from approval_rules.policy import PolicyFolder, classify
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.text import AgentJson, Json, unwrap_json
from approval_rules.verdicts import Allow, Ask, Verdict
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.policies import ALLOW, BLOCK, THREE, TWO, anything_named, draft, folder, well_typed
from tests.rules.policies import conditions as any_conditions

ASKS = Ask((Seat(RoleName("support_manager"), 2),))
HALF = Allow(Decimal(50), ASKS)


def nearest(policy: PolicyFolder, names: Mapping[str, Any], before: Mapping[str, Json] | None = None) -> Nearest | None:
    """What comes nearest to allowing this."""
    return explain(policy, draft(names), AGENT, START, before or {}).nearest


def fits(want: Want, value: object) -> bool:
    """Whether a value is what is wanted, read plainly."""
    among, none_of = [unwrap_json(each) for each in want.among], [unwrap_json(each) for each in want.none_of]
    low, high = (None if each is None else unwrap_json(each) for each in (want.low, want.high))
    if among:
        return any(type(each) is type(value) and each == value for each in among)
    kind = type(next(each for each in (*none_of, low, high) if each is not None))
    if type(value) is not kind:
        return False
    if none_of:
        return value not in none_of
    above = low is None or (low < value if want.open_low else low <= value)  # type: ignore[operator]
    return above and (high is None or (value < high if want.open_high else value <= high))  # type: ignore[operator]


def changed(names: Mapping[str, Any], label: str, value: object) -> dict[str, Any]:
    """The names with one of them changed."""
    first, _, rest = label.partition(".")
    if rest == "length":
        return {**names, first: ["z"] * int(str(value))}
    return {**names, first: changed(names[first], rest, value) if rest else value}


def plain(value: AgentJson | None) -> Json:
    """A value that tests may look at."""
    return None if value is None else unwrap_json(value)


def wants(found: Nearest | None) -> list[tuple[str, Json, object]]:
    """What would have to be, in plain values: the name, what it was, and what is wanted."""
    assert found is not None
    return [(want.name, plain(want.was), wanted(want)) for want in found.wants]


def wanted(want: Want) -> object:
    """One of a list, none of a set, or an interval as mathematicians write it."""
    if want.among:
        return [plain(each) for each in want.among]
    if want.none_of:
        return {plain(each) for each in want.none_of}
    return f"{'(' if want.open_low else '['}{plain(want.low)}, {plain(want.high)}{')' if want.open_high else ']'}"


# --- true whatever the rules and values are

_atoms = st.sampled_from(
    [
        *("n <= 50", "n > 50", "n == 7", "50 < n", "n != 5", "n in [1, 2]", "n not in [7, m]", "n + m <= 60", "-n < m"),
        *("n * 2 > 5", "m >= 10", "m == n", "s == 'pro'", "s in ['pro', 'standard']", "s != t", "s < 'q'"),
        *(
            "s.starts_with('p')",
            "f",
            "not f",
            "f == true",
            "tags.length <= 1",
            "'pro' in tags",
            "o.n < 3",
            "o.s == 'pro'",
        ),
        *("count(24h) < 3", "sum(n, 24h) + n <= 100", "count(1h by s) < 2"),
    ]
)
_conditions = st.lists(_atoms, min_size=1, max_size=3).map(" and ".join) | st.tuples(_atoms, _atoms).map(" or ".join)
_verdicts: st.SearchStrategy[Verdict] = st.sampled_from([ALLOW, ALLOW, ALLOW, HALF, TWO, THREE, BLOCK])
_rules = st.lists(st.tuples(st.none() | _conditions, _verdicts), min_size=1, max_size=4)
_counts = st.fixed_dictionaries(
    {}, optional={"count_24h": st.integers(0, 5), "sum_n_24h": st.integers(0, 150), "count_1h_by_s": st.integers(0, 3)}
)
_values: st.SearchStrategy[Any] = (
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-200, max_value=200, places=2)
    | st.integers(-10, 160).map(Decimal)
    | st.sampled_from(["", "\0", "p", "pro", "pro\0", "q", "standard", "zz", True, False])
    | st.text(max_size=3)
)


@settings(max_examples=200)
@given(_rules, well_typed, _counts, st.data())
def test_what_is_claimed_is_true(
    rules: list[tuple[str | None, Verdict]], names: dict[str, Any], counts: dict[str, int], data: st.DataObject
) -> None:
    """Any change of the named values to what is wanted makes the policy allow, with all else as it was."""
    policy = folder(*rules)
    found = nearest(policy, names, counts)
    event("claims something" if found is not None and found.wants else "claims nothing")
    if found is None or not found.wants:
        return
    before: dict[str, Json] = dict(counts)
    for want in found.wants:
        value = data.draw(_fitting(want), want.name)
        counter = next((each.name for each in policy.policies[REFUND].counters if each.written == want.name), "")
        if counter:
            before[counter] = value
        else:
            names = changed(names, want.name, value)
    # A share cannot be told, for another action has another place on the dial: here every place is below the share.
    shares = [
        (text, ALLOW if verdict is HALF and at == found.rule else verdict)
        for at, (text, verdict) in enumerate(rules, 1)
    ]
    result = classify(folder(*shares), draft(names), AGENT, START, before)
    assert isinstance(result, Requirement)
    assert result.tier is Tier.GREEN
    assert result.policy.rule == f"payments.refund#{found.rule}"


def _fitting(want: Want) -> st.SearchStrategy[Any]:
    ends = [unwrap_json(each) for each in (*want.among, want.low, want.high) if each is not None]
    near = [end for end in ends if fits(want, end)]
    near += [end + step for end in ends if type(end) is Decimal for step in (Decimal("0.01"), Decimal("-0.01"))]
    pool = [value for value in near if fits(want, value)]
    if want.name.endswith(".length"):
        return st.integers(0, 9).filter(lambda value: fits(want, Decimal(value)))
    drawn = _values.filter(lambda value: fits(want, value))
    return st.sampled_from(pool) | drawn if pool else drawn


@given(st.lists(st.tuples(st.none() | any_conditions, _verdicts), min_size=1, max_size=3), anything_named)
def test_explaining_never_raises(rules: list[tuple[str | None, Verdict]], names: dict[str, Any]) -> None:
    """Whatever the rules and the values are, there is an explanation, and its parts agree with its rules."""
    policy = folder(*rules)
    found = explain(policy, draft(names), AGENT, START)
    for (text, _), rule in zip(rules, found.rules, strict=True):
        holds = [part.holds for part in rule.parts]
        if rule.outcome == "matched":
            assert all(holds)
        elif rule.outcome == "not matched":
            assert False in holds
            assert all(holds[: holds.index(False)])
        if text is not None:
            again = " and ".join(f"({part.text})" for part in rule.parts)
            assert compile_condition(again).test(names) == compile_condition(text).test(names)


# --- what is said, case by case

HUGE, TINY = "1" + 300 * "0", f"0.{299 * '0'}1"
LOW = "n <= 50 and s in ['pro', 'standard']"


@pytest.mark.parametrize(
    ("rules", "names", "found"),
    [
        # the founding example
        ([(LOW, ALLOW), ("n > 50", TWO)], {"n": 180, "s": "pro"}, [("n", 180, "(None, 50]")]),
        ([(LOW, ALLOW), ("n > 50", TWO)], {"n": 20, "s": "x"}, [("s", "x", ["pro", "standard"])]),
        ([(LOW, ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "(None, 50]"), ("s", None, ["pro", "standard"])]),
        # the fewest failed parts, then the first
        ([(LOW, ALLOW), ("n < 10", ALLOW), (None, TWO)], {"n": 60, "s": "x"}, [("n", 60, "(None, 10)")]),
        ([("n < 5", ALLOW), ("n < 10", ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "(None, 5)")]),
        # what else reads the name narrows what is claimed
        ([("n < 0", BLOCK), ("n <= 50", ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "[0, 50]")]),
        ([("n == 7", TWO), ("n <= 50", ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "(7, 50]")]),
        ([("n > 0 and n <= 50", ALLOW), (None, TWO)], {"n": -3}, [("n", -3, "(0, 50]")]),
        # the same, however it is written
        ([("not (n > 50)", ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "(None, 50]")]),
        ([("50 >= n", ALLOW), (None, TWO)], {"n": 60}, [("n", 60, "(None, 50]")]),
        ([("n <= m", ALLOW), (None, TWO)], {"n": 60, "m": 50}, []),
        ([("s != 'x'", ALLOW), (None, TWO)], {"s": "x"}, [("s", "x", {"x"})]),
        ([("n != 5", ALLOW), (None, TWO)], {"n": 5}, [("n", 5, {5})]),
        ([("not f", ALLOW), (None, TWO)], {"f": True}, [("f", True, [False])]),
        ([("f == 1", ALLOW), (None, TWO)], {"f": True}, [("f", True, [1])]),
        ([("f == true", ALLOW), (None, TWO)], {}, [("f", None, [True])]),
        ([("o.n == 1", ALLOW), (None, TWO)], {"o": {"n": 2}}, [("o.n", 2, [1])]),
        ([("s < '2025-02'", ALLOW), (None, TWO)], {"s": "2025-03"}, [("s", "2025-03", "(None, 2025-02)")]),
        ([("tags.length <= 2", ALLOW), (None, TWO)], {"tags": [1, 2, 3]}, [("tags.length", 3, "(None, 2]")]),
        ([("now.hour < 9", ALLOW), (None, TWO)], {}, [("now.hour", 9, "(None, 9)")]),
        # several names, where each may be changed whatever the others are
        ([("n < 5 and m < 5", ALLOW), (None, TWO)], {"n": 9, "m": 9}, [("n", 9, "(None, 5)"), ("m", 9, "(None, 5)")]),
    ],
)
def test_what_would_have_been_allowed(rules: Any, names: dict[str, Any], found: object) -> None:  # noqa: ANN401
    """The nearest rule's missing parts, as bounds and lists."""
    assert wants(nearest(folder(*rules), names)) == found


@pytest.mark.parametrize(
    ("rules", "names", "lacks", "obstacles"),
    [
        # a block, an earlier ask, a rule that could not be decided: they stand in the way whatever the values
        ([("f", BLOCK), ("n <= 50", ALLOW)], {"f": True, "n": 60}, ["n <= 50"], [Obstacle(1, "blocks")]),
        ([("f", BLOCK), ("n <= 50", ALLOW)], {"n": 60}, ["n <= 50"], [Obstacle(1, "cannot be decided")]),
        ([("f", TWO), ("n <= 50", ALLOW)], {"f": True, "n": 5}, [], [Obstacle(1, "asks")]),
        ([("n <= 50", ALLOW), ("f", BLOCK)], {"f": True, "n": 5}, [], [Obstacle(2, "blocks")]),
        # read in a way that cannot be tried: nothing is claimed
        ([("s.starts_with('a')", ALLOW), (None, TWO)], {"s": "x"}, ["s.starts_with('a')"], []),
        ([("'a' in tags", ALLOW), (None, TWO)], {"tags": []}, ["'a' in tags"], []),
        ([("n + m <= 50", ALLOW), (None, TWO)], {"n": 50, "m": 1}, ["n + m <= 50"], []),
        ([("s and n.m + 1 in [2]", ALLOW), (None, TWO)], {"s": True, "n": 9}, ["n.m + 1 in [2]"], []),
        ([("n * 2 <= 50", ALLOW), (None, TWO)], {"n": 50}, ["n * 2 <= 50"], []),
        ([("n - n <= -1", ALLOW), (None, TWO)], {"n": 50}, ["n - n <= -1"], []),
        ([("n in [5, m]", ALLOW), ("m > 3", BLOCK)], {"n": 50, "m": 9}, ["n in [5, m]"], [Obstacle(2, "blocks")]),
        ([("o.n < 5", ALLOW), (None, TWO)], {"o": 3}, ["o.n < 5"], []),
        ([("o.n < 5", ALLOW), ("o == 'x'", TWO)], {"o": {"n": 9}}, ["o.n < 5"], []),
        ([("now.hour < 5", ALLOW), ("now.time < '10:00'", TWO)], {}, ["now.hour < 5"], []),
        ([("tags.length < 2000 and tags.length > 1500", ALLOW)], {"tags": []}, ["tags.length > 1500"], []),
        ([("n > 5 and n < 1", ALLOW)], {"n": 3}, ["n > 5", "n < 1"], []),
        ([(f"n + {HUGE} < {TINY}", ALLOW)], {"n": 3}, [f"n + {HUGE} < 1E-300"], []),
        ([(f"n < {HUGE} and n > {TINY}", ALLOW)], {"n": 0}, ["n > 1E-300"], []),
        (
            [(" and ".join(f"{name} in ['a', 'b', 'c', 'd']" for name in "nms"), ALLOW)],
            {},
            [f"{name} in ['a', 'b', 'c', 'd']" for name in "nms"],
            [],
        ),
    ],
)  # fmt: skip
def test_where_nothing_true_can_be_said(rules: Any, names: Any, lacks: list[str], obstacles: object) -> None:  # noqa: ANN401
    """Then it is said what did not hold and what stands in the way, and no more."""
    found = nearest(folder(*rules), names)
    assert found is not None
    assert (found.wants, list(found.lacks), list(found.obstacles)) == ((), lacks, obstacles)


def test_counters_change_and_the_action_stays() -> None:
    """Where a part counts what went before, it is that which would have to be less, by exactly what it is too much."""
    policy = folder(("n <= 50 and sum(n, 24h) + n <= 100", ALLOW), (None, TWO))
    found = nearest(policy, {"n": 30}, {"sum_n_24h": Decimal(90)})
    assert wants(found) == [("sum(n, 24h)", 90, "(None, 70]")]
    assert found is not None
    assert (found.wants[0].of, found.wants[0].rests_on) == ("n", ("n",))


def test_what_is_counted_apart_is_not_changed() -> None:
    """Another customer has other counters, which nobody knows: nothing is claimed."""
    policy = folder(("s == 'a' and count(24h by s) < 3", ALLOW), (None, TWO))
    found = nearest(policy, {"s": "b"}, {"count_24h_by_s": 1})
    assert found is not None
    assert (found.wants, found.lacks) == ((), ("s == 'a'",))


def test_a_share_is_told() -> None:
    """Under a dial nobody can say that this action would run; the share is said instead."""
    found = nearest(folder(("n <= 50", HALF), (None, TWO)), {"n": 60})
    assert wants(found) == [("n", 60, "(None, 50]")]
    assert found is not None
    assert found.share == 50
    never = Allow(Decimal(0), ASKS)
    none = nearest(folder(("n <= 50", never), (None, TWO)), {"n": 60})
    assert none is not None
    assert none.wants == ()


def test_nothing_is_nearest_where_nothing_allows() -> None:
    """A file without an allow, an allowed action and a contradiction have no nearest rule."""
    assert nearest(folder((None, TWO)), {}) is None
    assert nearest(folder((None, ALLOW)), {}) is None
    contradiction = draft({"n": 1}, {"n": 2})
    assert explain(folder(("n < 0", ALLOW)), contradiction, AGENT, START).nearest is None


def test_a_part_that_is_neither_true_nor_false_cannot_be_decided() -> None:
    """A text where true or false is expected: the part says so as its rule does, and what is wanted is known."""
    found = explain(folder(("s and n > 5", ALLOW), (None, TWO)), draft({"s": "x", "n": 9}), AGENT, START)
    assert [(part.holds, part.why) for part in found.rules[0].parts] == [
        (None, "s is neither true nor false"),
        (True, ""),
    ]
    assert found.rules[0].why == "s is neither true nor false"
    assert wants(found.nearest) == [("s", "x", [True])]
