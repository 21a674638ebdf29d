"""What must happen before an action may run: decided once, at submit, and frozen with the proposal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

from approval_rules.action_tiers import ActionTier
from approval_rules.people import RoleName
from approval_rules.step_up import StepUp

DEFAULT_TTL = timedelta(hours=4)
MAX_TTL = timedelta(days=30)
CLAIM_WITHIN = timedelta(hours=1)
GRANT_LIFE = timedelta(minutes=10)
OUTCOME_WITHIN = timedelta(minutes=15)

Hiding: TypeAlias = Literal["mask", "hash", "drop"]


class Tier(StrEnum):
    """How much people matter: green runs under policy, yellow asks, red is blocked."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Seat:
    """So many distinct people of one role."""

    role: RoleName
    count: int


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which policy decided: its content-addressed version, the rule (`payments.refund#3`) and the reason in words.

    `because` names rules and fields, never the values that an agent sent.
    """

    version: str
    rule: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What the policy by itself came to for a tool in shadow. Nothing of it is ever executed, whatever people say."""

    tier: Tier
    rule: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Initiation:
    """Who may start himself what is blocked, and the second factor that he needs for it."""

    role: RoleName
    step_up: StepUp


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must happen before yes.

    `seats` is empty for green; an empty `seats` on yellow means that nobody can approve. Red is blocked; with
    `initiation` a person may start it, and then `seats` must be filled by others. `ttl` is None
    where the policy is silent: then the agent may choose, up to `MAX_TTL`. People are not shown the fields in `redact`:
    of those also in `hashed` they see a digest, and of those also in `dropped` not even the names. With `shadow` it is
    a trial: what people are asked is only compared with it, and `policy` does not tell them what it says. Once people
    were reminded, whoever is in the role `backup` can fill any seat. `action_tier` is what the policy's file says.
    `excluded` are the fields that name people who may not decide.
    What is `urgent` calls people in their quiet hours too.
    People who may vote can lower the fields in `editable`.
    The arguments bear the fields in `personal`, at any depth: these are kept apart from the rest, and for less long.
    """

    tier: Tier
    seats: tuple[Seat, ...]
    policy: PolicyRef
    ttl: timedelta | None = None
    step_up: StepUp = "none"
    channel: str | None = None
    redact: tuple[str, ...] = ()
    retain_days: int | None = None
    hashed: tuple[str, ...] | None = None
    dropped: tuple[str, ...] | None = None
    shadow: Shadowed | None = None
    backup: RoleName | None = None
    action_tier: ActionTier | None = None
    excluded: tuple[str, ...] | None = None
    initiation: Initiation | None = None
    urgent: bool | None = None
    editable: tuple[str, ...] | None = None
    personal: tuple[str, ...] | None = None

    @property
    def live(self) -> "Requirement":
        """What would have been required, had the tool not been in shadow."""
        if self.shadow is None:
            return self
        asked = self.shadow.tier is Tier.YELLOW
        policy = PolicyRef(self.policy.version, self.shadow.rule, self.shadow.because)
        seats, backup = (self.seats, self.backup) if asked else ((), None)
        return replace(self, tier=self.shadow.tier, seats=seats, backup=backup, policy=policy, shadow=None)

    @property
    def approvals(self) -> int:
        """How many people must say yes."""
        return sum(seat.count for seat in self.seats)

    @property
    def hidden(self) -> Mapping[str, Hiding]:
        """Which fields people are not shown, and how."""
        ways: tuple[tuple[Hiding, tuple[str, ...]], ...] = (
            ("mask", self.redact),
            ("hash", self.hashed or ()),
            ("drop", self.dropped or ()),
        )
        return {name: hiding for hiding, names in ways for name in names}
