"""`initiate` in a policy: who may start what is blocked, and what the rules make of several of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.explanation import explain
from approval_rules.people import RoleName
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Initiation, Requirement, Seat, Tier
from approval_rules.text import AgentJson, AgentText, Json
from approval_rules.verdicts import Block
from bot.policy_files import PolicyFolderError, load
from bot.policy_lint import dangers
from bot.replay.judging import got_words, recorded, ruling_of, same_people
from tests.bot.test_policy_files import Write, write
from tests.rules.builders import AGENT, START

__all__ = ["write"]  # the fixture

MANAGER, FINANCE = RoleName("manager"), RoleName("finance")
NOTHING = AgentJson({})


def judged(folder: PolicyFolder, amount: Json) -> Requirement:
    """What the folder makes of a payment."""
    draft = Draft(*("pay", AgentJson({"n": amount}), Digest("sha256:x"), AgentText("x"), NOTHING, NOTHING))  # type: ignore[arg-type]
    found = classify(folder, draft, AGENT, START)
    assert isinstance(found, Requirement)
    assert not isinstance(explain(folder, draft, AGENT, START).result, Contradiction)
    return found


def test_the_short_form_asks_two_others_of_the_same_role_with_passkeys(write: Write) -> None:
    """One word is enough."""
    found = judged(load(write("[{block: too much, initiate: manager}]")), 5)
    assert (found.tier, found.initiation) == (Tier.RED, Initiation(MANAGER, "passkey"))
    assert (found.seats, found.step_up) == ((Seat(MANAGER, 2),), "passkey")
    assert found.policy.because.endswith(
        "so it is blocked: too much; a person in the role manager may start it, and then two people in the role manager"
        " must approve, each with a passkey"
    )


def test_the_long_form_says_who_approves_and_by_when(write: Write) -> None:
    """All that `require_approval` can say, and the weaker factor where it is written."""
    then = "{roles: [manager, finance], expires_in: 30m, step_up: totp, channel: C0MGR}"
    found = judged(load(write(f"[{{block: true, initiate: {{role: finance, step_up: totp, then: {then}}}}}]")), 5)
    assert found.initiation == Initiation(FINANCE, "totp")
    assert found.seats == (Seat(MANAGER, 1), Seat(FINANCE, 1))
    assert (found.step_up, found.channel, found.ttl and found.ttl.total_seconds()) == ("totp", "C0MGR", 1800)


@pytest.mark.parametrize("mode", ["live", "shadow"])
def test_a_tool_in_shadow_has_nobody_who_may_start_it(write: Write, mode: str) -> None:
    """Nothing of it is ever executed."""
    text = f"policy:\n  tool: pay\n  mode: {mode}\n  rules: [{{block: true, initiate: manager}}]\n"
    found = judged(load(write(rules=None, pay__yml=text)), 5)
    assert found.tier is Tier.RED
    assert (found.initiation is None) is (mode == "shadow")
    assert bool(found.seats) is (mode == "live")


RULES = """
  - {if: n > 5, block: first, initiate: manager}
  - {if: n > 10, block: second, initiate: {role: finance, then: finance}}
  - {if: n > 20, block: third}
  - {if: n > 30, block: fourth, initiate: manager}
  - {if: m > 5, block: fifth}
  - {require_approval: manager}
"""


@pytest.mark.parametrize(
    ("n", "rules", "startable", "said"),
    [
        (6, RULES.replace("  - {if: m > 5, block: fifth}\n", ""), True, "blocked: first; a person"),
        (
            11,
            RULES.replace("  - {if: m > 5, block: fifth}\n", ""),
            False,
            "rule 2 blocks it too, and names other people",
        ),
        (25, RULES, False, "so it is blocked: third"),
        (6, RULES, False, "rule 5 could not be decided"),
    ],
)
def test_where_blocks_disagree_nobody_may_start_it(
    write: Write,
    n: int,
    rules: str,
    said: str,
    *,
    startable: bool,
) -> None:
    """A block for everybody wins, and so does one that could not be decided: doubt never opens what is blocked."""
    found = judged(load(write(rules=None, pay__yml=f"policy:\n  tool: pay\n  rules:{rules}")), Decimal(n))
    assert found.tier is Tier.RED
    assert (found.initiation is not None) is startable
    assert bool(found.seats) is startable
    assert said in found.policy.because


def test_two_blocks_that_agree_are_one(write: Write) -> None:
    """The same people in both: they may start it."""
    rules = "[{if: n > 1, block: a, initiate: manager}, {if: n > 2, block: b, initiate: manager}]"
    assert judged(load(write(rules)), 5).initiation == Initiation(MANAGER, "passkey")


def test_who_may_start_something_is_nobody_whom_doubt_asks(write: Write) -> None:
    """A missing value asks the strictest people of the asks; those of a start are no such people."""
    found = judged(load(write("[{if: n > 5, allow: true}, {if: n < 0, block: b, initiate: manager}]")), "text")
    assert (found.tier, found.initiation) == (Tier.RED, None)


def test_a_tier_holds_what_follows_a_start_too(write: Write) -> None:
    """Tier 3 and 4 ask two people, as a start does anyway; a start is no way to run by itself."""
    text = "policy:\n  tool: pay\n  tier: 3\n  rules:\n    - {block: true, initiate: manager}\n"
    assert load(write(rules=None, pay__yml=text)).policies
    with pytest.raises(PolicyFolderError, match="two others at least"):
        load(
            write(
                rules=None, pay__yml=text.replace("manager}", "{role: manager, then: {role: manager, approvals: 1}}}")
            )
        )


def test_comparisons_see_who_may_start_it(write: Write) -> None:
    """A replay against a policy that lets another role start it is a change."""
    one = judged(load(write("[{block: true, initiate: manager}]")), 5)
    same = ruling_of(one)
    assert same_people(recorded(one), same)
    assert got_words(same) == "blocked unless manager starts it, and then asked 2 manager with passkey by rule 1"
    assert not same_people(recorded(one), ruling_of(replace(one, initiation=Initiation(FINANCE, "passkey"))))
    assert not same_people(recorded(one), ruling_of(replace(one, initiation=None, seats=())))
    assert dangers(load(write("[{block: true, initiate: manager}]"))) == []
    assert Block("x").for_nobody == Block("x")
