"""What happened to kept values: erased at the end of their term or on request, held back, looked at. Facts only.

Nothing here carries what was erased or whom it was about.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from approval_rules.people import Actor
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
    """Values were erased; their digests stay. A large erasure is several of these."""

    at: datetime
    by: Actor
    why: Why
    gone: tuple[Gone, ...]
    reason: AgentText | None = None


ErasureEvent: TypeAlias = Erased
MOST: Final = 200
"""How many days one event tells of: an entry has at most 16 KiB."""


def erasures(
    at: datetime, by: Actor, why: Why, gone: Iterable[Gone], reason: AgentText | None = None
) -> tuple[Erased, ...]:
    """Say what was erased, in as many events as the entries' size asks for."""
    everything = sorted((one for one in gone if one.count), key=lambda one: (one.day, one.days))
    parts = [tuple(everything[n : n + MOST]) for n in range(0, len(everything), MOST)]
    return tuple(Erased(at, by, why, part, reason) for part in parts)
