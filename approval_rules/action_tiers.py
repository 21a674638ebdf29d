"""The five action tiers: what each asks for, how soon people should answer, and what is kept. Judges nothing.

A tier says how much harm an action can do, and is written into its policy by people. It is not the colour that a
single proposal gets (green, yellow, red), which the rules decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

ActionTier: TypeAlias = Literal[0, 1, 2, 3, 4]
CHANGE_TICKET: Final = "change_ticket"


@dataclass(frozen=True, slots=True)
class Duties:
    """What one tier asks of its policy.

    `may_allow` says when a rule may let something run without people: always, where it has a condition, where its
    condition holds a number below a limit, or never. `approvals` is the least that an ask may ask for. `answer_within`
    is the aim for a decision by people, from proposal to last vote; `retain_days` the least time that records are kept.
    """

    name: str
    control: str
    may_allow: Literal["always", "condition", "limit", "never"]
    approvals: int
    answer_within: timedelta | None
    retain_days: int
    ticket: bool = False


DUTIES: Final[Mapping[ActionTier, Duties]] = {
    0: Duties("read-only", "runs by itself", "always", 1, None, 30),
    1: Duties("draft", "a person approves", "never", 1, timedelta(hours=8), 90),
    2: Duties("low-risk write", "runs by itself under conditions", "condition", 1, timedelta(hours=4), 180),
    3: Duties("high-risk write", "two people, or a limit", "limit", 2, timedelta(hours=1), 365),
    4: Duties(
        "production control", "two people and a change ticket", "never", 2, timedelta(minutes=30), 730, ticket=True
    ),
}


def is_ticket(value: object) -> bool:
    """Whether this names a change ticket: text with a letter or a digit in it, so that nothing invisible passes."""
    return isinstance(value, str) and any(character.isalnum() for character in value)
