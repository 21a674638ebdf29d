"""What happened to kept values: erased at the end of their term or on request, held back, looked at. Facts only.

Nothing here carries what was erased or whom it was about.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from approval_rules.people import Actor, PersonId
from approval_rules.text import AgentText


class Why(StrEnum):
    """Why values were erased: their term was over, somebody asked for it, or the keys that opened them are lost."""

    TERM = "term"
    PERSON = "person"
    SUBJECT = "subject"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Gone:
    """How many values of one UTC day went that were kept for so many days."""

    day: str
    days: int
    count: int


@dataclass(frozen=True, slots=True)
class Erased:
    """Values were erased; their digests stay. A large erasure is several of these.

    `people` are the pseudonyms behind which nobody stands any more.
    """

    at: datetime
    by: Actor
    why: Why
    gone: tuple[Gone, ...]
    reason: AgentText | None = None
    people: tuple[PersonId, ...] | None = None


class Held(StrEnum):
    """What a hold is about."""

    PROPOSAL = "proposal"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class HoldSet:
    """From here on nothing of this proposal, or of this agent's proposals, is erased; `name` is its id."""

    at: datetime
    by: Actor
    what: Held
    name: str
    reason: AgentText


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """The hold has ended: what is over its term goes."""

    at: datetime
    by: Actor
    what: Held
    name: str
    reason: AgentText


ErasureEvent: TypeAlias = Erased
HoldEvent: TypeAlias = HoldSet | HoldLifted
Hold: TypeAlias = tuple[Held, str]


def evolve_holds(holds: frozenset[Hold], event: HoldEvent) -> frozenset[Hold]:
    """Apply one event; to set or to lift twice changes nothing."""
    hold = event.what, event.name
    return holds | {hold} if isinstance(event, HoldSet) else holds - {hold}


MOST: Final = 200
"""How many days, or people, one event tells of: an entry has at most 16 KiB."""


def erasures(
    at: datetime,
    by: Actor,
    why: Why,
    gone: Iterable[Gone],
    reason: AgentText | None = None,
    people: Collection[PersonId] = (),
) -> tuple[Erased, ...]:
    """Say what was erased, in as many events as the entries' size asks for."""
    everything = sorted((one for one in gone if one.count), key=lambda one: (one.day, one.days))
    parts = [tuple(everything[n : n + MOST]) for n in range(0, len(everything), MOST)]
    named = sorted(people)
    of_people = [tuple(named[n : n + MOST]) for n in range(0, len(named), MOST)]
    return (
        *(Erased(at, by, why, part, reason) for part in parts),
        *(Erased(at, by, why, (), reason, part) for part in of_people),
    )
