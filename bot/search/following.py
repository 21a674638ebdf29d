"""Reads the log onwards from a place, in pages: the entries' exact bytes, with their living values where asked.

Values that a policy hides from people are covered here too, and secrets and card numbers are withheld.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from bot.audit.signed_note import origin_of
from bot.reveal.covering import covered, hidden_in
from bot.store.past import living, one_view
from bot.store.rows import Row
from handlers.audit_desk import Entry, Followed

_FIRST: Final = "SELECT leaf_hash FROM entries WHERE seq = 0"
_BEHIND: Final = "SELECT seq, body, subject FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
_AT_ONCE: Final = 50
_LARGE: Final = 4 * 1024 * 1024


def behind(connection: sqlite3.Connection, after: int, limit: int, *, values: bool) -> Followed:
    """Give at most `limit` entries behind `after` (-1: from the first on), oldest first.

    Fewer where they are large: a page ends with the entry that reaches 4 MiB.
    """
    found: list[Entry] = []
    hidden: dict[str, Collection[str]] = {}
    size = 0
    with one_view(connection):
        first = connection.execute(_FIRST).fetchone()
        while len(found) < limit and size < _LARGE:
            rows = connection.execute(_BEHIND, (after, min(_AT_ONCE, limit - len(found)))).fetchall()
            if not rows:
                break
            shown = _shown(connection, rows, hidden) if values else {}
            for seq, body, _ in rows:
                entry = Entry(seq, bytes(body), shown.get(seq, {}) if values else None)
                found.append(entry)
                after, size = seq, size + _size(entry)
                if size >= _LARGE:
                    break
    return Followed(origin_of(None if first is None else bytes(first[0])), found)


def shown_values(connection: sqlite3.Connection, rows: Sequence[Row]) -> dict[int, dict[str, str]]:
    """Give by entry (seq, body, subject) the JSON text of its living values, covered where people are not shown it."""
    return _shown(connection, rows, {})


def _size(entry: Entry) -> int:
    return len(entry.body) + sum(map(len, (entry.values or {}).values()))


def _shown(
    connection: sqlite3.Connection, rows: Sequence[Row], hidden: dict[str, Collection[str]]
) -> dict[int, dict[str, str]]:
    """Give the living values of entries (seq, body, subject), covered where policy hides them."""
    subjects = {seq: subject for seq, _, subject in rows}
    shown: dict[int, dict[str, str]] = defaultdict(dict)
    for seq, name, value in living(connection, rows):
        if value is None:  # it is sealed, and its key is gone
            continue
        subject = subjects[seq]
        if subject not in hidden:
            hidden[subject] = hidden_in(connection, subject)
        shown[seq][name] = covered(value, hidden[subject])
    return shown
