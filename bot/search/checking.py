"""Folds the log again and compares it with the search index. It only looks."""

import sqlite3
from collections.abc import Iterator

from bot.search.folding import Found, found_by
from bot.search.index import joined, loaded_before, place
from bot.search.words import Marker
from bot.store.past import one_view

_TABLES = ("search_rows", "search_terms", "search_amounts", "search_words")
# What was sealed, and cannot be opened here: its key was shredded a moment ago, or whoever asks has no keys.
_UNREADABLE = {
    "search_words": (
        "SELECT count(*) FROM search_words w JOIN detached d ON d.seq = w.entry AND d.name = w.name"
        " WHERE d.value IS NULL"
    ),
    "search_amounts": (
        "SELECT count(*) FROM search_amounts a JOIN detached d ON d.seq = a.entry AND d.name = 'arguments'"
        " WHERE d.value IS NULL"
    ),
}
_ROW = "SELECT seq, at, states FROM search_rows WHERE proposal = ?"
_TERM = "SELECT 1 FROM search_terms WHERE term = ? AND seq = ?"
_AMOUNT = "SELECT 1 FROM search_amounts WHERE currency = ? AND amount = ? AND seq = ? AND entry = ?"
_WORDS = "SELECT word FROM search_words WHERE entry = ? AND name = ? AND seq = ?"


def faults(connection: sqlite3.Connection, mark: Marker | None) -> Iterator[str]:
    """Give a line for each proposal whose rows are not what its entries come to, and for rows that nothing explains.

    Without the signing key (`mark`) nobody can tell whether a word is the right one; then they are only counted.
    """
    with one_view(connection):
        wanted = dict.fromkeys(_TABLES, 0)
        subjects = [row[0] for row in connection.execute("SELECT id FROM proposals ORDER BY id")]
        for loaded in loaded_before(connection, subjects, place(connection)):
            found = found_by(loaded)
            for table, size in _sizes(found).items():
                wanted[table] += size
            if not _is_kept(connection, found, mark):
                yield f"{found.proposal}: what it is searched by is not what the log says"
        for table, size in wanted.items():
            held = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
            if held != size and table in _UNREADABLE:
                held -= connection.execute(_UNREADABLE[table]).fetchone()[0]
            if held != size:
                yield f"{table} has {held} rows, the log makes {size}"


def _sizes(found: Found) -> dict[str, int]:
    words = sum(map(len, found.words.values()))
    return dict(zip(_TABLES, (1, len(found.terms), len(found.amounts), words), strict=True))


def _is_kept(connection: sqlite3.Connection, found: Found, mark: Marker | None) -> bool:
    row = connection.execute(_ROW, (found.proposal,)).fetchone()
    if row != (found.seq, found.at, joined(found.states)):
        return False
    terms = all(connection.execute(_TERM, (term, found.seq)).fetchone() for term in found.terms)
    amounts = all(
        connection.execute(_AMOUNT, (each.currency, each.millionths, found.seq, each.entry)).fetchone()
        for each in found.amounts
    )
    return terms and amounts and _words_are_kept(connection, found, mark)


def _words_are_kept(connection: sqlite3.Connection, found: Found, mark: Marker | None) -> bool:
    for (entry, name), words in found.words.items():
        kept = {row[0] for row in connection.execute(_WORDS, (entry, name, found.seq))}
        if len(kept) != len(words) or (mark is not None and kept != set(map(mark, words))):
            return False
    return True
