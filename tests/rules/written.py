"""Policies as people write them: real YAML through the real loader, and cases that fit their fields. Never asserts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from approval_rules.canonical import sha256_name
from approval_rules.commands import Draft
from approval_rules.explanation import Explanation, explain
from approval_rules.people import ToolName
from approval_rules.policy import PolicyFolder, classify
from approval_rules.text import AgentJson, AgentText, Json
from bot.policy_files import PolicyFolderError, load
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.strictness import Outcome

ROLES = "roles: {manager: {usergroup: m}, finance: {usergroup: f}, director: {usergroup: d}}\n"
KEY = b"k" * 32

Line = tuple[str | None, str]
"""One rule: its condition, and its verdict as it stands in the file."""

ALLOW = "allow: true"
BLOCK = "block: true"
_DIAL = "allow: {{share: {} %, else: {}}}"
SHARES = (0, 5, 50, 100)
_THREE = "{role: director, approvals: 3}"
_ASKS = ("manager", "{role: finance, approvals: 1}", _THREE, "{roles: [manager, finance]}", "finance")
_CONDITIONS = (
    *("amount <= 50", "amount > 50", "amount > 500", "amount * 2 <= order.total", "amount + order.total > 100"),
    *("tier == 'pro'", "tier in ['pro', 'standard']", "tier not in ['pro']", "tier.starts_with('p')", "tier < 'q'"),
    *("flag", "not flag", "flag == false or amount > 100", "flag and tier != 'pro'", "order.total >= 20"),
    *("'vip' in tags", "tags.length <= 1", "not ('vip' in tags and flag)", "tags.length > 0 and order.total < 60"),
    *("now.hour >= 9", "now.weekday == 'monday' and amount < 300", "run.tool_calls <= 8", "agent.name == 'refund-bot'"),
    *("count(1h) < 3", "sum(amount, 24h) + amount <= 500", "count(7d by agent) > 5 or flag"),
)

conditions = st.sampled_from(_CONDITIONS)
asks = st.sampled_from([f"require_approval: {ask}" for ask in _ASKS])
dials = st.builds(_DIAL.format, st.sampled_from(SHARES), st.sampled_from(_ASKS))
verdicts = st.just(ALLOW) | asks | dials | st.just(BLOCK)
_lines = st.lists(st.tuples(conditions, verdicts), min_size=1, max_size=4, unique_by=lambda line: line[0])
policies: st.SearchStrategy[list[Line]] = st.builds(
    lambda lines, last: [*lines, *last],
    _lines,
    st.lists(st.tuples(st.none(), st.just(ALLOW) | asks | dials), max_size=1),
)


def dialled(share: int, ask: str) -> str:
    """Write a dial."""
    return _DIAL.format(share, ask)


def page(lines: Sequence[Line], tool: str = REFUND) -> str:
    """Write the file of a tool."""
    rules = [f"    - {{{'' if text is None else f'if: {json.dumps(text)}, '}{then}}}\n" for text, then in lines]
    return f"policy:\n  tool: {tool}\n  rules:\n{''.join(rules)}"


@lru_cache(maxsize=4096)
def _loaded(text: str) -> PolicyFolder | None:
    with TemporaryDirectory() as name:
        (Path(name) / f"{REFUND}.yml").write_text(text, "utf-8")
        (Path(name) / "roles.yml").write_text(ROLES, "utf-8")
        try:
            return replace(load(Path(name)), dial_key=KEY)
        except PolicyFolderError:
            return None


def loaded(lines: Sequence[Line]) -> PolicyFolder | None:
    """Load a folder with this one tool, on a server with a dial; None where the loader has something against it."""
    return _loaded(page(lines))


# --- cases


@dataclass(frozen=True)
class Case:
    """What an agent sends, and what the server knows of before; `counted` is the value of each counter."""

    arguments: Mapping[str, Any]
    facts: Mapping[str, Any]
    run: Mapping[str, Any]
    counted: Mapping[str, Json] = field(default_factory=dict)
    seed: int = 0

    def judged(self, folder: PolicyFolder, tool: ToolName = REFUND) -> Outcome:
        """Say what a folder makes of it."""
        return classify(folder, self._draft(tool), AGENT, START, self.counted)

    def explained(self, folder: PolicyFolder) -> Explanation:
        """Say what each rule makes of it."""
        return explain(folder, self._draft(REFUND), AGENT, START, self.counted)

    def _draft(self, tool: ToolName) -> Draft:
        """Write the draft; its digest depends on the seed alone, so that the dial sees the same case."""
        arguments, context = AgentJson(self.arguments), AgentJson({"facts": self.facts})
        digest = sha256_name(str(self.seed).encode())
        return Draft(tool, arguments, digest, AgentText("x"), context, AgentJson(self.run))


_numbers = st.sampled_from([Decimal(each) for each in ("0", "10", "49.99", "50", "50.01", "99", "120", "501")])
_values: Mapping[str, st.SearchStrategy[Any]] = {
    "amount": _numbers,
    "tier": st.sampled_from(["pro", "standard", "enterprise", "p", ""]),
    "flag": st.booleans(),
    "tags": st.lists(st.sampled_from(["vip", "new", ""]), max_size=3),
    "order": st.fixed_dictionaries({"total": _numbers}),
}
_counters = st.fixed_dictionaries(
    {name: st.sampled_from([0, 2, 4, 450]) for name in ("count_1h", "sum_amount_24h", "count_7d_by_agent")}
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case that has every field that a condition reads, as arguments or as facts, each of its kind."""
    values = {name: draw(strategy) for name, strategy in _values.items()}
    as_facts = draw(st.sets(st.sampled_from(sorted(values))))
    return Case(
        {name: value for name, value in values.items() if name not in as_facts},
        {name: value for name, value in values.items() if name in as_facts},
        {"tool_calls": draw(st.integers(0, 12))},
        draw(_counters),
        draw(st.integers(0, 50)),
    )


_WRONG: Mapping[str, Sequence[Any]] = {
    "amount": ["10", "", True, [10], {"usd": 10}, Decimal("nan"), Decimal("-inf")],
    "tier": [5, True, ["pro"], {"name": "pro"}],
    "flag": ["false", "", 0, 1, []],
    "tags": [
        5,
        {"vip": 1},
        False,
    ],  # a text has a length too, and so has a list of anything: both are of the right kind
    "order": [{}, {"total": None}, {"total": "20"}, {"Total": 20}, [20], "20", 20],
    "tool_calls": ["3", True, [3]],
    **dict.fromkeys(("count_1h", "sum_amount_24h", "count_7d_by_agent"), ()),  # the server counts, or cannot tell
}
_GONE = object()


@st.composite
def spoiled(draw: st.DrawFn, whole: Case) -> Case:
    """Draw the same case with fields missing, null or of another kind."""
    arguments, facts, run, counted = (dict(part) for part in (whole.arguments, whole.facts, whole.run, whole.counted))
    fields = [(part, name) for part in (arguments, facts, run, counted) for name in part]
    for part, name in draw(st.lists(st.sampled_from(fields), min_size=1, max_size=3, unique_by=lambda each: each[1])):
        value = draw(st.sampled_from([_GONE, None, *_WRONG[name]]))
        if value is _GONE:
            del part[name]
        else:
            part[name] = value
    return Case(arguments, facts, run, counted, whole.seed)
