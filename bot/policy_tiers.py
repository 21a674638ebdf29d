"""Holds a tool's rules to the action tier that its file names: what may run by itself, and how many are asked."""

from typing import cast

import yaml

from approval_rules.action_tiers import DUTIES, ActionTier, Duties
from approval_rules.policy import Rule
from approval_rules.verdicts import Allow, Block, asked_by
from bot.marked_yaml import Page
from handlers.counting import counted


def read_tier(page: Page, node: yaml.Node) -> ActionTier | None:
    """Give the tier that stands at a node."""
    return cast("ActionTier | None", page.whole(node, "tier", min(DUTIES), max(DUTIES)))


def rules_by_default(page: Page, body: yaml.Node, tier: ActionTier | None) -> tuple[Rule, ...]:
    """Give what a tier says without rules: one that asks nobody is enough by itself, else there is nobody to ask."""
    if tier is None:
        page.fault(body, "policy has no 'rules'")
    elif DUTIES[tier].may_allow == "always":
        return (Rule(1, None, Allow(), f"tier: {tier}"),)
    else:
        control = DUTIES[tier].control
        page.fault(body, f"policy has no 'rules'; tier {tier} means that {control}, so rules have to say who and when")
    return ()


def require_control(page: Page, item: yaml.Node, rule: Rule, tier: ActionTier | None) -> None:
    """Refuse a rule that lets through, or asks, less than its tier wants."""
    if tier is None:
        return
    duties, ask = DUTIES[tier], rule.verdict.then if isinstance(rule.verdict, Block) else asked_by(rule.verdict)
    why = _why_not_alone(duties, rule) if isinstance(rule.verdict, Allow) else None
    if why is None and ask is not None and ask.approvals < duties.approvals:
        why = f"at least {counted(duties.approvals, 'person', 'people')} must approve; raise the number, or add a role"
    if why is not None:
        page.fault(item, f"tier {tier} ({duties.name}): {why}")


def _why_not_alone(duties: Duties, rule: Rule) -> str | None:
    """Say why a rule may not let anything run by itself."""
    match duties.may_allow:
        case "never":
            return "nothing runs by itself; ask people with require_approval"
        case "condition" if rule.condition is None:
            return "nothing runs by itself without a condition; add an 'if', or ask people"
        case "limit" if not _has_limit(rule):
            return (
                "nothing runs by itself without a limit; hold a number below one in its 'if',"
                " such as amount_usd <= 50 or count(24h) < 10, or ask people"
            )
    return None


def _has_limit(rule: Rule) -> bool:
    """Whether some number stays below a bound wherever the rule matches; one that must equal a number is a name."""
    ranges = rule.condition.ranges.values() if rule.condition else ()
    return any(each.high is not None and each.low != each.high for each in ranges)
