"""Which pseudonyms are one person, folded from what happened, and who may change that.

A person may have several Slack accounts; each has a pseudonym of its own, and the record names the account that acted.
Judging counts persons. `evolve_persons` believes every event.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import TypeAlias, assert_never

from approval_rules.people import Actor, PersonId, Standing
from approval_rules.people_events import (
    PersonsAsked,
    PersonsChange,
    PersonsEvent,
    PersonsJoined,
    PersonsParted,
    PersonsRefused,
)
from approval_rules.refusals import Refusal

ASK_LASTS = timedelta(days=1)

Person: TypeAlias = frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class Persons:
    """`groups` are the persons with several pseudonyms; `apart` the pairs of pseudonyms that never are one person.

    `asked` are first halves: what one admin asked for, and another has not yet.
    """

    groups: frozenset[Person] = frozenset()
    apart: frozenset[Person] = frozenset()
    asked: tuple[PersonsAsked, ...] = ()

    def of(self, pseudonym: PersonId) -> Person:
        """Give every pseudonym of this person, the asked one too."""
        return next((group for group in self.groups if pseudonym in group), frozenset({pseudonym}))

    def are_one(self, one: PersonId, other: PersonId) -> bool:
        """Tell whether two pseudonyms are one person."""
        return other in self.of(one)

    def are_apart(self, one: Person, other: Person) -> bool:
        """Tell whether two admins said that these are two persons."""
        return any(frozenset({mine, theirs}) in self.apart for mine in one for theirs in other)


def by_mark(persons: Persons, pseudonym: PersonId, holders: Iterable[PersonId]) -> tuple[PersonId, ...] | None:
    """Say with whom a pseudonym becomes one, because all `holders` have a mark of its own; None where that is unsure.

    It is unsure where two admins parted some of the holders, and nobody said which of them this one is.
    """
    mine = persons.of(pseudonym)
    groups = {mine, *map(persons.of, holders)}
    if not any(persons.are_apart(one, other) for one, other in combinations(groups, 2)):
        return tuple(sorted(min(group) for group in groups - {mine}))
    return () if any(persons.are_apart(mine, group) for group in groups) else None


def evolve_persons(persons: Persons, event: PersonsEvent) -> Persons:
    """Apply one event."""
    match event:
        case PersonsAsked():
            return replace(persons, asked=(*persons.asked, event))
        case PersonsRefused():
            return persons
        case PersonsJoined():
            return _joined(persons, event.one, event.other)
        case PersonsParted():
            return _parted(persons, event.one, event.other)
        case _:
            assert_never(event)


def folded(events: Iterable[PersonsEvent]) -> Persons:
    """Apply all events in order."""
    persons = Persons()
    for event in events:
        persons = evolve_persons(persons, event)
    return persons


def _joined(persons: Persons, one: PersonId, other: PersonId) -> Persons:
    """What was said of either holds of both from now on; that the two are apart is over."""
    mine, theirs = persons.of(one), persons.of(other)
    between = {frozenset({left, right}) for left in mine for right in theirs}
    groups = (persons.groups - {mine, theirs}) | {mine | theirs}
    return Persons(groups, persons.apart - between, _without(persons.asked, one, other))


def _parted(persons: Persons, one: PersonId, other: PersonId) -> Persons:
    """The second leaves the person of the first, alone; of two persons, all their pseudonyms are apart."""
    mine, theirs = persons.of(one), persons.of(other)
    groups = persons.groups
    if mine == theirs:
        mine, theirs = mine - {other}, frozenset({other})
        groups = groups - {mine | theirs} | ({mine} if len(mine) > 1 else frozenset())
    between = {frozenset({left, right}) for left in mine for right in theirs}
    return Persons(groups, persons.apart | between, _without(persons.asked, one, other))


def _without(asked: Collection[PersonsAsked], one: PersonId, other: PersonId) -> tuple[PersonsAsked, ...]:
    return tuple(each for each in asked if {each.one, each.other} != {one, other})


# --- two admins


@dataclass(frozen=True, slots=True)
class ChangePersons:
    """An admin says that two pseudonyms are one person, or are not. `standing` is None on the machine itself."""

    at: datetime
    by: Actor
    change: PersonsChange
    one: PersonId
    other: PersonId
    standing: Standing | None
    may: bool


def decide_persons(persons: Persons, command: ChangePersons) -> PersonsEvent:
    """Judge one admin's wish: the first half, the change, or a refusal."""
    at, by, one, other = command.at, command.by, command.one, command.other
    refusal = _refusal(persons, command)
    if refusal is not None:
        return PersonsRefused(at, by, command.change, one, other, refusal)
    if not any(_seconds(asked, command) for asked in persons.asked):
        return PersonsAsked(at, by, command.change, one, other)
    if command.change == "join":
        return PersonsJoined(at, by, one, other, "admins")
    return PersonsParted(at, by, one, other)


def _refusal(persons: Persons, command: ChangePersons) -> Refusal | None:
    standing, pair = command.standing, {command.one, command.other}
    if standing is not None and standing.flaw is not None:
        return Refusal(standing.flaw.value)
    if not command.may:
        return Refusal.NOT_ADMIN
    if standing is not None and any(standing.is_one_with(each) for each in pair):
        return Refusal.OWN_ACCOUNT
    if _is_so(persons, command):
        return Refusal.NOTHING_CHANGED
    if any(_same_wish(asked, command) and _is_same_admin(asked.by, command) for asked in persons.asked):
        return Refusal.SECOND_ADMIN_NEEDED
    return None


def _is_so(persons: Persons, command: ChangePersons) -> bool:
    one, other = command.one, command.other
    if command.change == "join":
        return persons.are_one(one, other)
    return one == other or persons.are_apart(persons.of(one), persons.of(other))


def _same_wish(asked: PersonsAsked, command: ChangePersons) -> bool:
    """The order of a parting says who keeps what they share, so both must name them in one order."""
    same = (asked.change, asked.one, asked.other) == (command.change, command.one, command.other)
    return same and command.at < asked.at + ASK_LASTS


def _is_same_admin(asked_by: Actor, command: ChangePersons) -> bool:
    if asked_by.kind is not command.by.kind:
        return False
    standing = command.standing
    return asked_by.ref == command.by.ref or (standing is not None and standing.is_one_with(PersonId(asked_by.ref)))


def _seconds(asked: PersonsAsked, command: ChangePersons) -> bool:
    """Two people of one kind: a Slack person and an account on the machine may be one and the same human."""
    return _same_wish(asked, command) and asked.by.kind is command.by.kind and not _is_same_admin(asked.by, command)
