"""What a candidate policy version would have said of a proposal: recorded beside the decision, and never part of it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.step_up import StepUp

Outcome: TypeAlias = Literal["allowed", "asked", "blocked", "refused"]
OUTCOME_OF: Final[dict[Tier, Outcome]] = {Tier.GREEN: "allowed", Tier.YELLOW: "asked", Tier.RED: "blocked"}


@dataclass(frozen=True, slots=True)
class Opinion:
    """One version's verdict, as if its tools were live; `refused` is what the API would have turned away.

    `step_up` is None where no factor is asked for.

    `because` names rules and fields, never values, and is None where the version says what decided.
    """

    version: str
    outcome: Outcome
    rule: str | None
    seats: tuple[Seat, ...] = ()
    because: str | None = None
    step_up: StepUp | None = None


def opinion_from(requirement: Requirement) -> Opinion:
    """Put a requirement into an opinion: what the rules say, whether or not anything of it is executed yet."""
    live = requirement.live
    factor = None if live.step_up == "none" else live.step_up
    said = live.policy
    return Opinion(said.version, OUTCOME_OF[live.tier], said.rule, live.seats, said.because, factor)


def agree(one: Opinion, other: Opinion) -> bool:
    """Tell whether two opinions come to the same: the same outcome, and the same people where people are asked."""
    ours, theirs = [(each.outcome, frozenset(each.seats), each.step_up) for each in (one, other)]
    return ours == theirs
