"""Finds whom a search means: every pseudonym of a person, by any of the ways that people name somebody.

An address is hashed at once and compared as such; it MUST NOT be kept.
"""

import re
import sqlite3
from typing import Final

from approval_rules.people import PersonId
from bot.person_marks import Marking
from bot.store.codec import PEOPLE
from bot.store.folds import recorded_of
from bot.store.persons import persons_from
from handlers.audit_desk import PSEUDONYM

_ACCOUNT: Final = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^>]*)?>|@?([UW][A-Z0-9]{2,30})")
_BY_MARK: Final = "SELECT person FROM person_marks WHERE mark = ?"
_NAMES: Final = "SELECT ref, user_id, name FROM people"


def pseudonyms_of(connection: sqlite3.Connection, who: str, marks: Marking) -> frozenset[PersonId]:
    """Give every pseudonym of whoever is meant; several people can have one name, and then all are."""
    named = _named(connection, who.strip(), marks)
    persons = persons_from(recorded_of(connection, PEOPLE))
    return frozenset(each for one in named for each in persons.of(one))


def _named(connection: sqlite3.Connection, who: str, marks: Marking) -> set[PersonId]:
    if PSEUDONYM.fullmatch(who):
        return {PersonId(who)}
    if account := _ACCOUNT.fullmatch(who):
        sought = account[1] or account[2]
        return {PersonId(ref) for ref, user, _ in connection.execute(_NAMES) if user == sought}
    name = who.removeprefix("@").casefold()
    found = {PersonId(ref) for ref, *names in connection.execute(_NAMES) if name in map(str.casefold, names)}
    for mark in marks(who, None) if "@" in who else ():
        found |= {PersonId(row[0]) for row in connection.execute(_BY_MARK, (mark,))}
    return found
