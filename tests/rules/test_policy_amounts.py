"""A higher amount never gets a looser outcome: under every policy that this repository gives to others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.policy import Policy, PolicyFolder, RoleMembers
from approval_rules.text import Json
from bot.marked_yaml import Page
from bot.policy_page import read_policy
from tests.rules.strictness import looser
from tests.rules.written import KEY, Case

ROOT = Path(__file__).parents[2]
GIVEN = ("examples", "bot/templates", "approval_rules/templates")
LEFT_OUT = frozenset({"cases", "policy-faults"})  # cases are no rules, and what is wrong on purpose judges nothing
AMOUNT = re.compile(r"(?:.*[._-])?amount(?:_[a-z]{3})?")
_TEXT = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?(?![\w.])")
_CENT = Decimal("0.01")


def given_policies() -> Iterator[tuple[str, Policy]]:
    """Read every file of a tool that lies under one of the folders; new ones join by themselves."""
    paths = sorted(path for folder in GIVEN for path in (ROOT / folder).rglob("*.yml"))
    for path in paths:
        if not LEFT_OUT & set(path.parts) and "policy" in (yaml.safe_load(path.read_text("utf-8")) or {}):
            page = Page(str(path))
            node = page.read(path.read_bytes())
            contracts = {each.name: each.read_bytes() for each in (path.parent / "contracts").glob("*.json")}
            read = None if node is None else read_policy(page, node, path.stem, contracts)
            assert read, page.faults
            yield path.relative_to(ROOT).as_posix(), read.policy


def amounts_of(policy: Policy) -> list[str]:
    """Name the amounts that its rules read."""
    read = {name for rule in policy.rules if rule.condition for name in rule.condition.names}
    return sorted(name for name in read if AMOUNT.fullmatch(name))


GIVEN_POLICIES = [(name, policy) for name, policy in given_policies() if amounts_of(policy)]
_MEMBERS: Mapping[Any, RoleMembers] = {}


def numbers_near(policy: Policy) -> list[Decimal]:
    """Give the numbers in its rules and what is just below and above each."""
    texts = [rule.condition.text for rule in policy.rules if rule.condition]
    found = {Decimal(each) for text in texts for each in _NUMBER.findall(text)} | {Decimal(0)}
    near = {each + step for each in found for step in (-_CENT, Decimal("-1e-15"), 0, Decimal("1e-15"), _CENT)}
    return sorted(near | {Decimal(10) ** 9})


@st.composite
def pairs(draw: st.DrawFn, policy: Policy) -> tuple[Case, Case]:
    """Draw two cases that differ in their amounts only: none is lower in the second."""
    texts = [text for rule in policy.rules if rule.condition for text in _TEXT.findall(rule.condition.text)]
    numbers = st.sampled_from(numbers_near(policy)) | st.decimals(-10, 2000, places=2)
    anything: Sequence[st.SearchStrategy[Any]] = (st.sampled_from([*texts, "x"]), numbers, st.booleans(), st.none())
    low: dict[str, Json] = {}
    names = {name for rule in policy.rules if rule.condition for name in rule.condition.names} - policy.reserved
    for name in sorted(names):
        value = draw(numbers if AMOUNT.fullmatch(name) else st.one_of(*anything))
        if value is not None:
            low[name] = value
    higher = {name: max(Decimal(str(low[name])), draw(numbers)) for name in amounts_of(policy)}
    run = {"tool_calls": draw(st.integers(0, 20))}
    counted = {counter.name: draw(numbers) for counter in policy.counters}
    seed = draw(st.integers(0, 20))
    return Case(low, {}, run, counted, seed), Case({**low, **higher}, {}, run, counted, seed)


def test_the_shared_refund_policy_is_among_them() -> None:
    """The founding refund policy and the one with a contract are held to it."""
    assert {"examples/policy/payments.refund.yml", "examples/contracts/payments.refund.yml"} <= dict(
        GIVEN_POLICIES
    ).keys()


@pytest.mark.parametrize("policy", [each for _, each in GIVEN_POLICIES], ids=[name for name, _ in GIVEN_POLICIES])
@given(data=st.data())
def test_a_higher_amount_never_gets_a_looser_outcome(policy: Policy, data: st.DataObject) -> None:
    """Whatever else is said or left out: more money is asked of as many people, or blocked."""
    folder = PolicyFolder("v", {policy.tool: policy}, _MEMBERS, {}, dial_key=KEY)
    low, high = data.draw(pairs(policy))
    assert not looser(high.judged(folder, policy.tool), low.judged(folder, policy.tool))
