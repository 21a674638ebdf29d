"""Plays the administrator who edits the log behind the program's back, and puts the exact old bytes back.

The only code that writes to the log around the writer. It exists for the demo, on the demo's own database.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.store.engine import open_writer

_TRIGGER: Final = "entries_never_change"
_TRIGGER_SQL: Final = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?"
_NEWEST: Final = "SELECT seq, body FROM entries WHERE type = ? ORDER BY seq DESC LIMIT 1"
_UPDATE: Final = "UPDATE entries SET body = ? WHERE seq = ?"


@dataclass(frozen=True, slots=True)
class _Forgery:
    kind: str
    old: bytes
    new: bytes
    words: str


# The first that fits the newest entry of its kind: votes before proposals, for a vote is what people would forge.
_FORGERIES: Final = (
    _Forgery("vote.counted", b'"decision":"approve"', b'"decision":"deny"', "a yes was made a no"),
    _Forgery("vote.counted", b'"decision":"deny"', b'"decision":"approve"', "a no was made a yes"),
    _Forgery("proposal.submitted", b'"tier":"yellow"', b'"tier":"green"', "it claims that nobody had to be asked"),
    _Forgery("proposal.submitted", b'"tier":"green"', b'"tier":"yellow"', "it claims that people had to be asked"),
)


@dataclass(frozen=True, slots=True)
class Forged:
    """What was changed, and the bytes that were there."""

    seq: int
    words: str
    old: bytes


class Administrator:
    """Somebody with the database's password."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.forged: Forged | None = None

    def tamper(self) -> Forged | None:
        """Change one entry and hide the traces; None where there is nothing worth forging yet."""
        with closing(open_writer(self._database, checkpoints=False)) as connection:
            found = _target(connection)
            if found is not None:
                seq, old, forgery = found
                _overwrite(connection, seq, old.replace(forgery.old, forgery.new))
                self.forged = Forged(seq, forgery.words, old)
        return self.forged

    def restore(self) -> Forged | None:
        """Put the old bytes back; None where nothing was changed."""
        forged, self.forged = self.forged, None
        if forged is not None:
            with closing(open_writer(self._database, checkpoints=False)) as connection:
                _overwrite(connection, forged.seq, forged.old)
        return forged


def _target(connection: sqlite3.Connection) -> tuple[int, bytes, _Forgery] | None:
    for forgery in _FORGERIES:
        row = connection.execute(_NEWEST, (forgery.kind,)).fetchone()
        if row is not None and forgery.old in bytes(row[1]):
            return row[0], bytes(row[1]), forgery
    return None


def _overwrite(connection: sqlite3.Connection, seq: int, body: bytes) -> None:
    """Take the guard away, write, and put the guard back as if nothing had been."""
    connection.execute("BEGIN IMMEDIATE")
    guard = connection.execute(_TRIGGER_SQL, (_TRIGGER,)).fetchone()[0]
    connection.execute(f"DROP TRIGGER {_TRIGGER}")
    connection.execute(_UPDATE, (body, seq))
    connection.execute(guard)
    connection.execute("COMMIT")
