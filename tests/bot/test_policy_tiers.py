"""The action tier of a file: its rules are held to it, its records are kept as long as it says; and who stands in."""

from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.action_tiers import DUTIES, ActionTier
from approval_rules.people import RoleName
from approval_rules.requirement import Seat
from approval_rules.verdicts import Allow, Ask
from bot.policy_files import load
from bot.policy_lint import dangers
from tests.bot.test_policy_files import MANAGER, Write, pay, write
from tests.bot.test_policy_files_faults import faults_of, one_fault

__all__ = ["write"]  # the fixture

ONE = "{require_approval: {role: manager, approvals: 1}}"
TWO = "{require_approval: manager}"
ALWAYS = "{allow: true}"
NAMED = "{if: \"kind == 'a'\", allow: true}"
LIMITED = "{if: 'n <= 5', allow: true}"
COUNTED = "{if: 'count(1h) < 5', allow: true}"
FLOOR = "{if: 'n >= 5', allow: true}"
EXACTLY = "{if: 'n == 5', allow: true}"
ONE_SIDE = "{if: 'n <= 5 or m == 1', allow: true}"
DIAL = "{if: 'n <= 5', allow: {share: 5 %, else: manager}}"
DIAL_ONE = "{if: 'n <= 5', allow: {share: 5 %, else: {role: manager, approvals: 1}}}"
STOP = "{block: true}"
ALL = [ONE, TWO, ALWAYS, NAMED, LIMITED, COUNTED, FLOOR, EXACTLY, ONE_SIDE, DIAL, DIAL_ONE, STOP]


def of_tier(write: Write, tier: object, *rules: str) -> Path:
    """Write a folder with one tool of this tier."""
    listed = "".join(f"    - {rule}\n" for rule in rules)
    return write(None, pay__yml=f"policy:\n  tool: pay\n  tier: {tier}\n" + (f"  rules:\n{listed}" if listed else ""))


@pytest.mark.parametrize(
    ("tier", "fit"),
    [
        (0, ALL),
        (1, [ONE, TWO, STOP]),
        (2, [ONE, TWO, NAMED, LIMITED, COUNTED, FLOOR, EXACTLY, ONE_SIDE, DIAL, DIAL_ONE, STOP]),
        (3, [TWO, LIMITED, COUNTED, DIAL, STOP]),
        (4, [TWO, STOP]),
    ],
)
@pytest.mark.parametrize("rule", ALL)
def test_what_a_tier_lets_a_rule_say(write: Write, tier: int, fit: list[str], rule: str) -> None:
    """Each tier takes the rules that keep its control and refuses the others, at their place and with what to do."""
    folder = of_tier(write, tier, rule)
    if rule in fit:
        assert pay(folder).tier == tier
    else:
        file, line, column, detail = one_fault(folder)
        assert (file, line, column) == ("pay.yml", 5, 7)
        assert detail.startswith(f"tier {tier} (")
        assert "ask people" in detail or "at least 2 people must approve" in detail


@pytest.mark.parametrize("tier", DUTIES)
def test_a_tier_without_rules(write: Write, tier: ActionTier) -> None:
    """Reading needs no rule; every other tier says what it means and that somebody has to be named."""
    folder = of_tier(write, tier)
    if tier:
        assert one_fault(folder)[3] == (
            f"policy has no 'rules'; tier {tier} means that {DUTIES[tier].control}, so rules have to say who and when"
        )
    else:
        (rule,) = pay(folder).rules
        assert (rule.index, rule.condition, rule.verdict, rule.source) == (1, None, Allow(), "tier: 0")
        assert dangers(load(folder)) == []


def test_no_tier_is_held_to_nothing(write: Write) -> None:
    """A file without a tier says what it said before there were any."""
    policy = pay(write(f"[{NAMED}, {ONE}]"))
    assert (policy.tier, policy.retain_days) == (None, None)
    assert [danger.rule for danger in dangers(load(write(f"[{ALWAYS}]")))] == [1]


@pytest.mark.parametrize("tier", ["5", "-1", "'3'", "high", "[3]", "3.0", "true"])
def test_a_tier_is_a_number_from_0_to_4(write: Write, tier: str) -> None:
    """Anything else is a fault at its place."""
    assert ("pay.yml", 3, 9, "tier must be a whole number from 0 to 4") in faults_of(of_tier(write, tier, TWO))


@pytest.mark.parametrize("tier", DUTIES)
def test_records_are_kept_as_long_as_the_tier_says(write: Write, tier: ActionTier) -> None:
    """By default and at least; longer may be said, shorter is a fault."""
    least = DUTIES[tier].retain_days
    assert pay(of_tier(write, tier, TWO)).retain_days == least
    assert pay(of_tier(write, tier, TWO, "log: {redact_fields: [iban]}")).retain_days == least
    assert pay(of_tier(write, tier, TWO, f"log: {{retain_days: {least + 1}}}")).retain_days == least + 1
    fault = one_fault(of_tier(write, tier, TWO, f"log: {{retain_days: {least - 1}}}"))
    assert fault == ("pay.yml", 6, 26, f"a tool of tier {tier} keeps its records for {least} days or longer")


# --- backup


def test_a_backup_is_a_role(write: Write) -> None:
    """It stands in the long form, also under a dial, and is kept with the ask."""
    policy = pay(
        write(
            "[{if: 'n <= 5', allow: {share: 5 %, else: {role: manager, backup: finance}}},"
            " {require_approval: {role: manager, expires_in: 4h, backup: finance}}]"
        )
    )
    finance = RoleName("finance")
    dial, ask = (rule.verdict for rule in policy.rules)
    assert isinstance(dial, Allow)
    assert dial.otherwise == Ask((Seat(MANAGER, 2),), backup=finance)
    assert ask == Ask((Seat(MANAGER, 2),), timedelta(hours=4), backup=finance)


@pytest.mark.parametrize(
    ("ask", "column", "advice"),
    [
        ("{role: manager, backup: finanse}", 25, "did you mean 'finance'?"),
        ("{role: manager, backup: manager}", 49, "the role manager is asked from the beginning"),
        ("{seats: [{role: finance}, {role: manager}], backup: manager}", 77, "is asked from the beginning"),
        ("{role: manager, backup: [finance]}", 49, "a role must be text"),
        ("{role: manager, backup: 'not a role'}", 49, "a role's name begins with a letter"),
        ("{role: manager, bakup: finance}", 41, "did you mean 'backup'?"),
    ],
)
def test_a_backup_that_cannot_be_is_a_fault(write: Write, ask: str, column: int, advice: str) -> None:
    """A role that nobody knows, one that is asked anyway, and what is no role at all."""
    file, line, at, detail = one_fault(
        write(None, pay__yml=f"policy:\n  tool: pay\n  rules:\n    - require_approval: {ask}\n")
    )
    assert (file, line, at) == ("pay.yml", 4, column)
    assert advice in detail
