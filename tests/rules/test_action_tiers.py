"""The five action tiers: a table that only gets stricter, and the change ticket without which nobody is asked."""

from dataclasses import replace
from itertools import pairwise

import pytest

from approval_rules.action_tiers import CHANGE_TICKET, DUTIES, ActionTier, is_ticket
from approval_rules.explanation import explain
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Tier
from tests.rules.builders import AGENT, REFUND, START
from tests.rules.policies import ALLOW, BLOCK, THREE, TWO, draft, folder, judged

FREEDOM = ["always", "condition", "limit", "never"]


def of_tier(policies: PolicyFolder, tier: ActionTier | None) -> PolicyFolder:
    """Put a tier into the folder's policy for refunds."""
    return replace(policies, policies={REFUND: replace(policies.policies[REFUND], tier=tier)})


def test_every_tier_asks_for_more_than_the_one_below() -> None:
    """Records are kept longer, people answer sooner and asks never get smaller on the way up."""
    assert list(DUTIES) == [0, 1, 2, 3, 4]
    for lower, higher in pairwise(DUTIES.values()):
        assert lower.retain_days < higher.retain_days
        assert lower.approvals <= higher.approvals
        if lower.answer_within and higher.answer_within:
            assert higher.answer_within < lower.answer_within
    assert [DUTIES[tier].approvals for tier in DUTIES] == [1, 1, 1, 2, 2]
    assert [tier for tier in DUTIES if DUTIES[tier].ticket] == [4]
    # Tier 1 drafts something that people then own: there nothing runs by itself either.
    assert [DUTIES[tier].may_allow for tier in (0, 2, 3, 4)] == FREEDOM
    assert DUTIES[1].may_allow == "never"


@pytest.mark.parametrize("ticket", ["CHG-1", "変更12", "7"])
@pytest.mark.parametrize("where", ["arguments", "facts"])
def test_with_a_change_ticket_the_rules_decide(ticket: str, where: str) -> None:
    """As an argument or as a fact; the requirement keeps the tier."""
    policies = of_tier(folder((None, TWO)), 4)
    found = judged(policies, *({CHANGE_TICKET: ticket}, {}) if where == "arguments" else ({}, {CHANGE_TICKET: ticket}))
    assert (found.tier, found.approvals, found.action_tier) == (Tier.YELLOW, 2, 4)


@pytest.mark.parametrize("ticket", [None, "", "  ", "\u200b\u00ad", "---", 7, True, ["CHG-1"], {"id": "CHG-1"}])
def test_without_one_it_is_blocked_and_says_so(ticket: object) -> None:
    """What is missing, blank, invisible or no text is no ticket, whatever the rules say."""
    for rules in (folder((None, THREE)), folder(("n > 1", ALLOW), (None, TWO)), folder()):
        found = judged(of_tier(rules, 4), {"n": 5, CHANGE_TICKET: ticket})
        assert (found.tier, found.seats, found.policy.rule, found.action_tier) == (Tier.RED, (), None, 4)
        assert "action tier 4, which needs a change ticket: send change_ticket" in found.policy.because
    assert not is_ticket(ticket)


def test_two_tickets_are_none() -> None:
    """An argument and a fact with different tickets are refused before any rule is asked."""
    found = classify(
        of_tier(folder((None, TWO)), 4), draft({CHANGE_TICKET: "CHG-1"}, {CHANGE_TICKET: "CHG-2"}), AGENT, START
    )
    assert isinstance(found, Contradiction)


@pytest.mark.parametrize("tier", [None, 0, 1, 2, 3])
def test_only_production_control_needs_one(tier: ActionTier | None) -> None:
    """Elsewhere nothing changes but the tier that is written down."""
    found = judged(of_tier(folder((None, TWO)), tier), {})
    assert (found.tier, found.action_tier) == (Tier.YELLOW, tier)


def test_explain_says_it_too() -> None:
    """What the rules say is shown, and that it does not matter without a ticket."""
    found = explain(of_tier(folder(("n > 1", BLOCK), (None, TWO)), 4), draft({"n": 0}), AGENT, START)
    assert [each.outcome for each in found.rules] == ["not matched", "matched"]
    assert not isinstance(found.result, Contradiction)
    assert found.result.tier is Tier.RED
