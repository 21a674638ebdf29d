"""Gives what lives of the detached values for an export, but for those in which something is hidden from people.

A value without what is hidden in it would not fit its digest, so that it is left out whole. It only looks.
"""

import sqlite3
from collections.abc import Collection, Iterator

from bot.reveal.covering import hidden_in, is_open
from bot.store.disclosed import disclosures

_SUBJECT = "SELECT subject FROM entries WHERE seq = ?"


def open_disclosures(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str, str]]:
    """Give each living value: the entry's index, its name, its salt, and its canonical JSON text."""
    hidden: dict[str, Collection[str]] = {}
    for seq, name, salt, value in disclosures(connection):
        (subject,) = connection.execute(_SUBJECT, (seq,)).fetchone()
        if subject not in hidden:
            hidden[subject] = hidden_in(connection, subject)
        if is_open(value, hidden[subject]):
            yield seq, name, salt, value
