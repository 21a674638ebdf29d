"""Small policies and drafts for the tests of the policy. Builds only; never asserts."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.conditions import compile_condition
from approval_rules.people import RoleName, ToolName
from approval_rules.policy import Contradiction, Policy, PolicyFolder, Rule, classify
from approval_rules.requirement import Requirement, Seat
from approval_rules.text import AgentJson, AgentText
from approval_rules.verdicts import Allow, Ask, Block, Verdict
from tests.rules.builders import AGENT, REFUND, START

ALLOW = Allow()
BLOCK = Block("not this one")
TWO = Ask((Seat(RoleName("support_manager"), 2),))
THREE = Ask((Seat(RoleName("director"), 3),))


def draft(arguments: object, facts: object = None, tool: ToolName = REFUND) -> Draft:
    """What an agent sent; nothing about it is checked."""
    context: Any = {} if facts is None else {"facts": facts}
    sent: Any = arguments
    return Draft(tool, AgentJson(sent), Digest("sha256:x"), AgentText("x"), AgentJson(context), AgentJson({}))


def folder(*rules: tuple[str | None, Verdict], channels: Mapping[str, str] | None = None) -> PolicyFolder:
    """A folder with one policy, for refunds."""
    built = [
        Rule(index, None if text is None else compile_condition(text), verdict, "")
        for index, (text, verdict) in enumerate(rules, start=1)
    ]
    return PolicyFolder("sha256:v", {REFUND: Policy(REFUND, tuple(built))}, {}, channels or {})


def judged(policy: PolicyFolder, arguments: object, facts: object = None) -> Requirement:
    """What must happen before a refund with these arguments."""
    result = classify(policy, draft(arguments, facts), AGENT, START)
    assert not isinstance(result, Contradiction)
    return result


# --- conditions and values of one type per name, so that rule-engine itself is a fair judge

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=3)
texts = st.sampled_from(["", "pro", "standard", "standard-plus", "é"])
well_typed = st.fixed_dictionaries(
    {},
    optional={
        "n": numbers,
        "m": st.integers(-1000, 1000),
        "s": texts,
        "t": texts,
        "f": st.booleans(),
        "tags": st.lists(texts, max_size=3),
        "o": st.fixed_dictionaries({}, optional={"n": numbers, "s": texts}),
    },
)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.sampled_from(["50", "__class__"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["n", "s", "length"]), inner),
    max_leaves=8,
)
anything_named = st.dictionaries(st.sampled_from(["n", "m", "s", "t", "f", "tags", "o"]), anything)

_number = st.recursive(
    st.sampled_from(["n", "m", "o.n", "o['n']", "s.length", "tags.length", "0", "50", "50.00", "-1", "0.1", "1000"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda it: f"({it[0]} {it[1]} {it[2]})")
        | inner.map(lambda it: f"(-{it})")
    ),
    max_leaves=3,
)
_text = st.sampled_from(["s", "t", "o.s", "'pro'", "''", "'standard'"])
_list = st.lists(_text, min_size=1, max_size=3).map(lambda them: f"[{', '.join(them)}]") | st.just("tags")
_ordered = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_edge = st.sampled_from(["s.starts_with('stand')", "o.s.ends_with('plus')", "t.ends_with('o')"])
_simple = (
    st.tuples(_number, _ordered, _number).map(" ".join)
    | st.tuples(_text, _ordered, _text).map(" ".join)
    | st.tuples(_text, st.sampled_from(["in", "not in"]), _list).map(" ".join)
    | st.sampled_from(["f", "f == true", "f != false"])
    | _edge
).filter(lambda text: re.search(r"\b(?!in\b|not\b)[a-z]", re.sub("'.*?'", "", text)) is not None)  # reads a field
conditions = st.recursive(
    _simple,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda it: f"({it[0]}) {it[1]} ({it[2]})")
        | inner.map(lambda it: f"not ({it})")
    ),
    max_leaves=5,
).map(lambda text: f"({text}) and (n == n or not (n == n))")  # n, whatever was drawn
