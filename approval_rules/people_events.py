"""What happened to who is who: which pseudonyms are one person, and which are not. Facts, like all events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor, PersonId
from approval_rules.refusals import Refusal

SameBy: TypeAlias = Literal["e-mail", "identity", "admins"]
PersonsChange: TypeAlias = Literal["join", "part"]


@dataclass(frozen=True, slots=True)
class PersonsJoined:
    """Two pseudonyms are one person: by an address or an identity that both accounts have, or as two admins say."""

    at: datetime
    by: Actor
    one: PersonId
    other: PersonId
    why: SameBy


@dataclass(frozen=True, slots=True)
class PersonsParted:
    """Two admins say that these are two persons. It lasts: no mark that both have joins them again."""

    at: datetime
    by: Actor
    one: PersonId
    other: PersonId


@dataclass(frozen=True, slots=True)
class PersonsAsked:
    """The first of two admins asked to join or to part two pseudonyms."""

    at: datetime
    by: Actor
    change: PersonsChange
    one: PersonId
    other: PersonId


@dataclass(frozen=True, slots=True)
class PersonsRefused:
    """Somebody's wish to join or to part two pseudonyms did not count."""

    at: datetime
    by: Actor
    change: PersonsChange
    one: PersonId
    other: PersonId
    code: Refusal


PersonsEvent: TypeAlias = PersonsJoined | PersonsParted | PersonsAsked | PersonsRefused
