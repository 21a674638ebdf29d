"""Dangers in a policy that may be used all the same: each is named with its rule and a remedy, and only those."""

from pathlib import Path

import pytest

from bot.policy_files import load
from bot.policy_lint import dangers
from tests.bot.test_policy_files import EXAMPLE, Write, write

__all__ = ["write"]  # the fixture


def told(write: Write, rules: str) -> list[str]:
    """What is said about the rules of one tool."""
    found = [str(danger) for danger in dangers(load(write(rules)))]
    return [line for line in found if "no contract says" not in line]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("[{allow: true}]", ["pay.yml, rule 1: allows everything; give it a condition"]),
        ("[{if: n > 5, allow: true}]", ["rule 1: allows any n, however high; add `n <= ...`"]),
        ("[{if: s == 'x', allow: true}, {if: n > 50, require_approval: manager}]", ["rule 1: allows any n"]),
        ("[{if: n <= 5 or s == 'x', allow: true}, {if: n <= 9, block: true}]", ["rule 1: allows any n"]),
        ("[{if: n <= 5, allow: true}]", ["rule 1: allows n below 0; add `n > 0`"]),
        ("[{if: n <= 5, allow: {share: 5 %, else: manager}}]", ["rule 1: allows n below 0"]),
        ("[{if: n > 0 and n <= 5, allow: true}]", []),
        ("[{if: n == 5, allow: true}]", []),
        ("[{if: s == 'x', allow: true}]", []),
        ("[{if: n > 5, block: true}, {if: n <= 5, require_approval: manager}]", []),
        ("[{if: 'n > 0 and n <= 5 and count(24h) < 9', allow: true}]", []),
        (
            "[{if: s == 'x' and s == 'y', require_approval: manager}]",
            ["rule 1: never matches: it wants s to be two things at once"],
        ),
        ("[{if: incident and not incident, require_approval: manager}]", ["rule 1: never matches: it wants incident"]),
    ],
)
def test_dangers_of_rules(write: Write, rules: str, said: list[str]) -> None:
    """An allow without an upper bound, or that takes negative numbers, is named; what is bounded is not."""
    found = told(write, rules)
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


def test_a_role_of_one_is_named(write: Write) -> None:
    """A role with one person and no group stops working when that person is away."""
    roles = "roles: {boss: {users: [U0ANN]}, manager: {users: [U0ANN, U0BEN]}, team: {usergroup: t, users: [U0ANN]}}"
    found = dangers(load(write("[{if: n == 1, block: true}]", roles)))
    assert [str(one) for one in found] == [
        "roles.yml: the role boss has 1 person: nobody stands in; name a second, or a user group"
    ]


def test_the_founding_example_takes_negative_amounts() -> None:
    """What the agreed file leaves open is said, with the remedy."""
    found = [str(one) for one in dangers(load(EXAMPLE))]
    assert found[0].startswith("payments.refund.yml: no contract says what is an argument")
    assert [line.partition(";")[0] for line in found[1:]] == [
        "payments.refund.yml, rule 1: allows amount_usd below 0",
        "payments.refund.yml, rule 2: allows amount_usd below 0",
    ]


CONTRACT = "contract: {properties: {n: {type: number, minimum: 0, maximum: 500}, tier: {type: string, x-touches: pii}}}"


def contracted(tmp_path: Path, more: str, rules: str) -> list[str]:
    """What is said about the rules of a tool with a contract."""
    (tmp_path / "pay.yml").write_text(f"policy:\n  tool: pay\n  {CONTRACT}\n  {more}\n  rules: {rules}\n", "utf-8")
    return [str(danger) for danger in dangers(load(tmp_path))]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("[{if: n > 5, allow: true}]", []),
        ("[{if: n <= 5, allow: true}]", []),
        ("[{if: tier == 'pro', allow: true}, {if: n > 50, block: true}]", []),
        ("[{if: m <= 5, allow: true}]", ["allows m below 0", "believes the agent's own m; look the value up"]),
        ("[{if: 'm > 0 and m <= 5', allow: true}]", ["believes the agent's own m; look the value up"]),
        ("[{if: m > 5, block: true}, {if: 'n > 5', allow: true}]", ["allows any m, however high"]),
        ("[{if: 'n > 5 and touches_pii', allow: true}]", []),
        ("[{if: 'n > sum(m, 24h)', allow: true}]", ["believes the agent's own m; look the value up"]),
        ("[{if: 'n > count(24h by m)', allow: true}]", ["believes the agent's own m; look the value up"]),
        ("[{if: 'n > count(24h by agent)', allow: true}]", []),
    ],
)
def test_a_contract_bounds_what_rules_allow(tmp_path: Path, rules: str, said: list[str]) -> None:
    """What the contract caps needs no second cap; a fact that the agent asserts is marked where it allows."""
    found = contracted(tmp_path, "facts: {m: number}", rules)
    assert [part for part, line in zip(said, found, strict=True) if part not in line] == []


def test_without_a_contract_every_name_may_be_a_fact(write: Write) -> None:
    """Said once a file, with the names that something is allowed on; what the server fills is none of them."""
    rules = "[{if: 'n == 1 and s == now.weekday and count(24h) < 9', allow: true}, {if: t == 7, block: true}]"
    (line,) = [str(danger) for danger in dangers(load(write(rules)))]
    assert line.startswith("pay.yml: no contract says what is an argument, so an agent may send n, s as facts")
