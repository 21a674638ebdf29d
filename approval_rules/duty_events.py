"""What happened to somebody's being there: out of office, a delegate who declined, and back. Facts, never edited."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from approval_rules.people import Actor, PersonId
from approval_rules.refusals import Refusal


@dataclass(frozen=True, slots=True)
class AwaySet:
    """Somebody is away until then; the delegate is called instead, and decides by a right of his own."""

    at: datetime
    by: Actor
    person: PersonId
    until: datetime
    delegate: PersonId | None


@dataclass(frozen=True, slots=True)
class AwayEnded:
    """Somebody is back before the time."""

    at: datetime
    by: Actor
    person: PersonId


@dataclass(frozen=True, slots=True)
class AwayRefused:
    """Somebody's being away was not noted, or was not ended."""

    at: datetime
    by: Actor
    person: PersonId
    code: Refusal


@dataclass(frozen=True, slots=True)
class AwayDeclined:
    """The delegate of somebody who is away until then, who is `by`, does not stand in; from now on nobody does."""

    at: datetime
    by: Actor
    person: PersonId
    until: datetime


AwayEvent: TypeAlias = AwaySet | AwayEnded | AwayRefused
