"""Who is one person, inside a transaction: the fold of what was recorded, and the marks that accounts have.

A mark is a keyed hash; an address MUST NOT come here. Decides nothing.
"""

import json
from collections.abc import Collection, Iterable
from typing import cast, get_args

from approval_rules.people import PersonId
from approval_rules.people_events import PersonsEvent
from approval_rules.persons import Persons, folded
from bot.store import rows
from bot.store.codec import PEOPLE, Recorded
from bot.store.transaction import Transaction

_NOTE = "INSERT INTO person_marks (mark, person) VALUES (?, ?) ON CONFLICT DO NOTHING"
_HOLDERS = "SELECT mark, person FROM person_marks WHERE mark IN (SELECT value FROM json_each(:marks))"
_MARKS = "SELECT mark, person FROM person_marks WHERE person = :person"
_EVENTS = get_args(PersonsEvent)


def persons_from(recorded: Iterable[Recorded]) -> Persons:
    """Fold what was recorded about people."""
    return folded(cast("PersonsEvent", item.event) for item in recorded if isinstance(item.event, _EVENTS))


def persons_in(tx: Transaction) -> Persons:
    """Give who is one person as of now, inside this transaction."""
    key = (PEOPLE, "")
    if key not in tx.kept:
        where = {"subject": PEOPLE}
        tx.kept[key] = rows.recorded_from(tx.rows(rows.ENTRIES_OF, where), tx.rows(rows.DETACHED_OF, where))
    return persons_from([*tx.kept[key], *tx.loose()])


def note_marks(tx: Transaction, person: PersonId, marks: Collection[str]) -> None:
    """Keep what an account is known by, for ever: an address that a person had once tells still who it is."""
    known = {mark for mark, holder in _look(tx, _HOLDERS, {"marks": json.dumps(sorted(marks))}) if holder == person}
    for mark in sorted(set(marks) - known):
        tx.write(_NOTE, (mark, person))


def holders_of(tx: Transaction, marks: Collection[str]) -> frozenset[PersonId]:
    """Give every pseudonym that has any of these marks."""
    found = _look(tx, _HOLDERS, {"marks": json.dumps(sorted(marks))})
    return frozenset(PersonId(person) for mark, person in found if mark in marks)


def is_marked(tx: Transaction, person: PersonId) -> bool:
    """Tell whether anything is known by which another account of this person would be found."""
    return any(holder == person for _, holder in _look(tx, _MARKS, {"person": person}))


def _look(tx: Transaction, sql: str, where: dict[str, str]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in (*tx.rows(sql, where), *tx.planned_rows(_NOTE))]
