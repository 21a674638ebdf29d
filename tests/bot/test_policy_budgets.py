"""`budgets.yml` and `budgets:` in a tool's file: what they say, and every way to write them wrongly."""

from decimal import Decimal

import pytest

from approval_rules.budgets import Budgets
from approval_rules.people import ToolName
from bot.policy_files import load
from tests.bot.test_policy_files import Write, write
from tests.bot.test_policy_files_faults import faults_of

__all__ = ["write"]  # the fixture

WHOLE = """budgets:
  per_run: {tool_calls: 8, tokens: 20000, elapsed: 60s, cost_usd: 1.00, proposals: 20, rejected: 5}
  per_agent_and_day: {tokens: 2000000, cost_usd: 50, proposals: 500, rejected: 50}
  repeats: 5
"""


def plain(budgets: Budgets) -> tuple[dict[str, object], dict[str, object], int | None]:
    """The limits, to compare."""
    return dict(budgets.per_run), dict(budgets.per_day), budgets.repeats


def test_all_budgets(write: Write) -> None:
    """Every figure is an exact decimal; times become seconds; no tool is called budgets."""
    folder = load(write(budgets__yml=WHOLE))
    run: dict[str, object] = {"tool_calls": 8, "tokens": 20000, "elapsed": 60, "cost_usd": 1}
    day: dict[str, object] = {"tokens": 2_000_000, "cost_usd": 50, "proposals": 500, "rejected": 50}
    assert plain(folder.budgets) == ({**run, "proposals": 20, "rejected": 5}, day, 5)
    assert folder.policies.keys() == {"pay"}


def test_budgets_are_part_of_the_version(write: Write) -> None:
    """A changed limit is another policy, and so does its absence."""
    versions = {load(write()).version}
    versions |= {load(write(budgets__yml=f"budgets: {{repeats: {number}}}")).version for number in (2, 3)}
    assert len(versions) == 3


def test_without_budgets_nothing_is_limited(write: Write) -> None:
    """No file, no limits."""
    folder = load(write())
    assert plain(folder.budgets) == ({}, {}, None)
    assert folder.policies[ToolName("pay")].budgets is None


def test_a_tool_has_budgets_of_its_own(write: Write) -> None:
    """They stand beside its rules."""
    page = "policy: {tool: pay, budgets: {per_run: {cost_usd: 0.000001, elapsed: 2h}}, rules: [{allow: true}]}"
    own = load(write(None, pay__yml=page)).policies[ToolName("pay")].budgets
    assert own is not None
    assert plain(own) == ({"cost_usd": Decimal("0.000001"), "elapsed": 7200}, {}, None)


@pytest.mark.parametrize(
    ("text", "line", "column", "advice"),
    [
        ("budget: {}", 1, 1, "did you mean 'budgets'?"),
        ("{}", 1, 1, "must begin with 'budgets:'"),
        ("budgets: {}", 1, 10, "holds no budget"),
        ("budgets: 8", 1, 10, "must be a mapping"),
        ("budgets:\n  per_rum: {tokens: 1}", 2, 3, "did you mean 'per_run'?"),
        ("budgets: {per_day: {tokens: 1}}", 1, 11, "write one of per_agent_and_day, per_run, repeats"),
        ("budgets: {per_run: {}}", 1, 20, "per_run holds no budget; name some of tool_calls, tokens, elapsed"),
        ("budgets: {per_run: {tokns: 1}}", 1, 21, "did you mean 'tokens'?"),
        ("budgets: {per_run: {tokens: 1.5}}", 1, 29, "a whole number from 0 to 9999999999"),
        ("budgets: {per_run: {tokens: '5'}}", 1, 29, "a whole number"),
        ("budgets: {per_run: {tokens: 1_000}}", 1, 29, "a whole number"),
        ("budgets: {per_run: {tool_calls: -1}}", 1, 33, "a whole number"),
        ("budgets: {per_run: {elapsed: 60}}", 1, 30, "a number with s, m, h or d, such as 60s"),
        ("budgets: {per_run: {elapsed: [60s]}}", 1, 30, "a number with s, m, h or d"),
        ("budgets: {per_run: {cost_usd: -1}}", 1, 31, "from 0 to 9999999999 with at most 6 decimals"),
        ("budgets: {per_run: {cost_usd: 0.0000001}}", 1, 31, "at most 6 decimals"),
        ("budgets: {per_run: {cost_usd: '1'}}", 1, 31, "must be a number"),
        ("budgets: {per_run: {cost_usd: yes}}", 1, 31, "can be read in two ways"),
        ("budgets: {per_run: {cost_usd: true}}", 1, 31, "must be a number"),
        ("budgets: {per_run: {cost_usd: {usd: 1}}}", 1, 31, "must be a number"),
        ("budgets: {per_run: {proposals: 0}}", 1, 32, "from 1 to 1000000"),
        ("budgets: {per_agent_and_day: {rejected: 1001}}", 1, 41, "from 1 to 1000"),
        ("budgets: {repeats: 1}", 1, 20, "from 2 to 50"),
        ("budgets: {repeats: 51}", 1, 20, "from 2 to 50"),
        ("budgets: {repeats: 5", 1, 21, ""),
    ],
)
def test_fault_in_budgets(write: Write, text: str, line: int, column: int, advice: str) -> None:
    """The place, and what to do; the folder is refused."""
    found = faults_of(write(budgets__yml=text))[0]
    assert found[:3] == ("budgets.yml", line, column)
    assert advice in found[3]


def test_fault_in_a_tools_budgets(write: Write) -> None:
    """It has the tool's file and line."""
    page = "policy:\n  tool: pay\n  budgets:\n    per_run: {tokens: many}\n  rules: [{allow: true}]\n"
    assert faults_of(write(None, pay__yml=page))[0][:3] == ("pay.yml", 4, 23)


def test_the_operators_have_a_channel(write: Write) -> None:
    """`ops` is a name that channels may have."""
    assert load(write(roles="roles: {a: {usergroup: g}}\nchannels: {ops: C0OPS}")).channels == {"ops": "C0OPS"}
