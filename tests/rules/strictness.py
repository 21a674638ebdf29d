"""Which of two outcomes asks less of people: the one order that the promises of the policy are held against.

From strict to loose: blocked or refused, asked of more people, asked of fewer, allowed. As many people of other roles
are neither looser nor stricter.
"""

from approval_rules.policy import Contradiction
from approval_rules.requirement import Requirement, Tier

Outcome = Requirement | Contradiction
_ORDER = (Tier.RED, Tier.YELLOW, Tier.GREEN)


def looser(one: Outcome, other: Outcome) -> bool:
    """Whether the first outcome asks less of people than the second."""
    if tier_of(one) is not tier_of(other):
        return _ORDER.index(tier_of(one)) > _ORDER.index(tier_of(other))
    return asked(one) < asked(other)


def tier_of(outcome: Outcome) -> Tier:
    """Give the tier; what is refused happens as little as what is blocked."""
    return outcome.tier if isinstance(outcome, Requirement) else Tier.RED


def asked(outcome: Outcome) -> int:
    """Say how many people are asked."""
    return outcome.approvals if isinstance(outcome, Requirement) else 0
