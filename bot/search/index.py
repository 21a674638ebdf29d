"""The rows of the search index, filled from the log behind the writer's back. It must never delay a proposal.

What is read and hashed is read and hashed outside of the writer; the writer only takes the rows, and only those whose
value still lives. Every row follows from the log: `bot.search.checking` folds it again and compares.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args

from approval_rules.events import ProposalEvent
from approval_rules.question_events import Edited
from bot.search.folding import Found, found_by, terms_of
from bot.search.words import Marker
from bot.store import rows
from bot.store.codec import KINDS
from bot.store.past import one_view
from bot.store.rows import Loaded
from bot.store.transaction import Transaction

BATCH: Final = 25
_PROPOSAL_KINDS: Final = frozenset(kind for kind, cls in KINDS.items() if cls in get_args(ProposalEvent))
_PLACE: Final = "SELECT entries FROM search_place"
_NEW: Final = "SELECT seq, subject, type FROM entries WHERE seq >= :place ORDER BY seq LIMIT :most"
_LIVING: Final = "SELECT seq, name FROM detached WHERE seq IN (SELECT value FROM json_each(:seqs))"
_STATES: Final = "SELECT states FROM search_rows WHERE seq = ?"
_MOVE: Final = "UPDATE search_place SET entries = ?"
_EMPTY: Final = (
    "DELETE FROM search_rows",
    "DELETE FROM search_terms",
    "DELETE FROM search_amounts",
    "DELETE FROM search_words",
)
_DROP_TERM: Final = "DELETE FROM search_terms WHERE term = ? AND seq = ?"
_DROP_AMOUNTS: Final = "DELETE FROM search_amounts WHERE entry = ?"
_DROP_WORDS: Final = "DELETE FROM search_words WHERE entry = ?"
_PUT_ROW: Final = "INSERT OR REPLACE INTO search_rows (seq, proposal, at, states) VALUES (?, ?, ?, ?)"
_PUT_TERM: Final = "INSERT OR IGNORE INTO search_terms (term, seq) VALUES (?, ?)"
_PUT_AMOUNT: Final = "INSERT OR IGNORE INTO search_amounts (currency, amount, seq, entry) VALUES (?, ?, ?, ?)"
_PUT_WORD: Final = "INSERT OR IGNORE INTO search_words (word, seq, entry, name) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class _Change:
    """What a proposal is found by now; `was` are terms that it was found by before, `entries` those folded.

    `marks` are the hashed words of each value that is new, by its entry and name; where it was judged `anew`, other
    fields may be hidden, and they are those of each value.
    """

    found: Found
    marks: Mapping[tuple[int, str], Sequence[int]]
    was: frozenset[str]
    entries: tuple[int, ...]
    anew: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What the entries from `start` up to `end` change in the index: a unit of the writer.

    It gives how many entries the log has grown by since it was read with `size` of them; None where the index was
    somewhere else already, because another process filled it.
    """

    start: int
    end: int
    size: int
    changes: tuple[_Change, ...]

    def __call__(self, tx: Transaction) -> int | None:
        """Write the rows."""
        if tx.rows(_PLACE, {})[0][0] != self.start:
            return None
        seqs = json.dumps(sorted({seq for change in self.changes for seq in change.entries}))
        living = {(seq, name) for seq, name in tx.rows(_LIVING, {"seqs": seqs})}
        for change in self.changes:
            for term in change.was - change.found.terms:
                tx.write(_DROP_TERM, (term, change.found.seq))
            for entry in change.entries:
                tx.write(_DROP_AMOUNTS, (entry,))
                if change.anew:
                    tx.write(_DROP_WORDS, (entry,))
        for change in self.changes:
            _put(tx, change.found, change.marks, living)
        tx.write(_MOVE, (self.end,))
        return tx.size - self.size


def _put(
    tx: Transaction, found: Found, marks: Mapping[tuple[int, str], Sequence[int]], living: set[tuple[int, str]]
) -> None:
    tx.write(_PUT_ROW, (found.seq, found.proposal, found.at, joined(found.states)))
    for term in sorted(found.terms):
        tx.write(_PUT_TERM, (term, found.seq))
    for currency, amount, entry in sorted(found.amounts):
        if (entry, "arguments") in living:
            tx.write(_PUT_AMOUNT, (currency, amount, found.seq, entry))
    for (entry, name), marked in marks.items():
        if (entry, name) in living:
            for mark in marked:
                tx.write(_PUT_WORD, (mark, found.seq, entry, name))


def start_over(tx: Transaction) -> None:
    """Empty the index, to be filled again from the beginning of the log: a unit of the writer."""
    for sql in _EMPTY:
        tx.write(sql, ())
    tx.write(_MOVE, (0,))


def next_batch(connection: sqlite3.Connection, mark: Marker) -> Batch | None:
    """Read what comes next; None where the index has everything."""
    with one_view(connection):
        start = place(connection)
        new = connection.execute(_NEW, {"place": start, "most": BATCH}).fetchall()
        if not new:
            return None
        end = new[-1][0] + 1
        subjects = dict.fromkeys(subject for _, subject, kind in new if kind in _PROPOSAL_KINDS)
        changes = tuple(_change(connection, loaded, start, mark) for loaded in loaded_before(connection, subjects, end))
        size = indexed_and_size(connection)[1]
    return Batch(start, end, size, changes)


def place(connection: sqlite3.Connection) -> int:
    """Tell how many entries the index has taken in."""
    return cast("int", connection.execute(_PLACE).fetchone()[0])


def _change(connection: sqlite3.Connection, loaded: Loaded, start: int, mark: Marker) -> _Change:
    """Compare a proposal with what is kept of it; where a value was lowered, another rule may have judged it since."""
    anew = any(item.seq >= start and isinstance(item.event, Edited) for item in loaded.recorded)
    found = found_by(loaded, 0 if anew else start)
    if anew:
        before = rows.loaded_from(tuple(item for item in loaded.recorded if item.seq < start))
        was = frozenset[str]() if before is None else terms_of(before)
    else:
        row = connection.execute(_STATES, (found.seq,)).fetchone()
        was = frozenset(f"state:{state}" for state in row[0].split()) if row else frozenset()
    marks = {value: [mark(word) for word in words] for value, words in found.words.items()}
    return _Change(found, marks, was, tuple(item.seq for item in loaded.recorded), anew)


def loaded_before(connection: sqlite3.Connection, subjects: Iterable[str], end: int) -> Iterator[Loaded]:
    """Fold proposals as they stood before the entry `end`; what was turned away is none."""
    for subject in subjects:
        where = {"subject": subject}
        entries = [row for row in connection.execute(rows.ENTRIES_OF, where) if row[0] < end]
        last = entries[-1][0] if entries else -1
        values = [row for row in connection.execute(rows.DETACHED_OF, where) if row[0] <= last]
        loaded = rows.loaded(entries, values)
        if loaded is not None:
            yield loaded


def joined(states: Iterable[str]) -> str:
    """Write states as the index keeps them."""
    return " ".join(sorted(states))


def indexed_and_size(connection: sqlite3.Connection) -> tuple[int, int]:
    """Tell how many entries the index has, and how many there are."""
    head: Sequence[int] | None = connection.execute(rows.HEAD).fetchone()
    return place(connection), 0 if head is None else head[0] + 1
