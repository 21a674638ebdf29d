"""Dangers in a policy that may be used all the same: each is named with its rule and a remedy, and only those."""

import pytest

from bot.policy_files import load
from bot.policy_lint import dangers
from tests.bot.test_policy_files import EXAMPLE, Write, write

__all__ = ["write"]  # the fixture


def told(write: Write, rules: str) -> list[str]:
    """What is said about the rules of one tool."""
    return [str(danger) for danger in dangers(load(write(rules)))]


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
    assert [line.partition(";")[0] for line in found] == [
        "payments.refund.yml, rule 1: allows amount_usd below 0",
        "payments.refund.yml, rule 2: allows amount_usd below 0",
    ]
