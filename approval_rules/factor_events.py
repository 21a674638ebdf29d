"""What happened to people's second factors: facts, like all events. They name pseudonyms and ids, never a secret."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor, PersonId
from approval_rules.refusals import Refusal

Held: TypeAlias = Literal["passkey", "totp", "recovery"]
"""What a person can hold: a factor, or a set of recovery codes, which is none."""


@dataclass(frozen=True, slots=True)
class FactorEnrolled:
    """A person showed that he has it. It counts for nothing until another person has confirmed it.

    Recovery codes stand and fall with the factor that they came with. `bound` are digests of what it is verified by:
    one, or of recovery codes one for each.
    """

    at: datetime
    by: Actor
    person: PersonId
    credential: str
    factor: Held
    came_with: str | None = None
    bound: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FactorConfirmed:
    """From here on it counts, or counts again. With `recovery` a code of that set stood in for the other person."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str
    recovery: str | None


@dataclass(frozen=True, slots=True)
class FactorLocked:
    """It counts no more until another person confirms it again: after wrong codes, or because somebody asked."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str
    why: Literal["failures", "asked"]


@dataclass(frozen=True, slots=True)
class FactorRemovalAsked:
    """Somebody wants it gone; it stays as it is until another person confirms that."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str


@dataclass(frozen=True, slots=True)
class FactorKept:
    """The removal was refused."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str


@dataclass(frozen=True, slots=True)
class FactorRemoved:
    """It is gone for ever: as was asked, because nobody vouched for it, or because a newer one took its place."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str
    why: Literal["asked", "refused", "replaced"]


@dataclass(frozen=True, slots=True)
class RecoveryUsed:
    """One recovery code of a set was used up; so many are left."""

    at: datetime
    by: Actor
    person: PersonId
    credential: str
    left: int


@dataclass(frozen=True, slots=True)
class FactorRefused:
    """Something that was tried with a person's factors did not count."""

    at: datetime
    by: Actor
    person: PersonId
    tried: Literal["enrol", "open", "confirm", "refuse", "lock", "remove", "recover", "vote"]
    code: Refusal


FactorEvent: TypeAlias = (
    FactorEnrolled
    | FactorConfirmed
    | FactorLocked
    | FactorRemovalAsked
    | FactorKept
    | FactorRemoved
    | RecoveryUsed
    | FactorRefused
)
