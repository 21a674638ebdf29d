"""A log as a server leaves it behind, with everything that the single-file verifier reads. Checks nothing."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from foureyes_verify import Keys, Report, check_all

from bot.anchoring import EVERY, Anchoring
from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import Checkpoint, VerifierKey, origin_of, signed_checkpoint
from bot.audit.tile_export import export
from bot.keys import SigningKey, generate
from bot.store.disclosed import disclosures
from bot.store.engine import open_reader, open_writer
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.movable_clock import MovableClock
from tests.world import empty_database

KEY = generate()
KEYS = Keys((KEY.public_bytes(),), given=True)
ENTRIES = 602


@dataclass(frozen=True)
class Scene:
    """A database file and its export, side by side in a folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """The database file, of a server that has stopped."""
        return self.folder / "foureyes.db"

    @property
    def export(self) -> Path:
        """The export, with the values that live."""
        return self.folder / "export"

    def change(self, *statements: str) -> None:
        """Do something to the database as its administrator could."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            unguarded(db)
            for statement in statements:
                db.execute(statement)

    def leaves(self) -> list[bytes]:
        """The hashes of its entries."""
        with closing(sqlite3.connect(self.database)) as db:
            return [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]

    def note(self, size: int, key: SigningKey = KEY) -> str:
        """Sign what its first entries come to."""
        leaves = self.leaves()[:size]
        found = Checkpoint(origin_of(leaves[0]), size, grown(Frontier(), leaves)[0].root)
        return signed_checkpoint(found, [key.signer])

    def vkey(self, key: SigningKey = KEY) -> str:
        """Give a key as C2SP writes it."""
        return str(VerifierKey(origin_of(self.leaves()[0]), key.public_bytes()))


def unguarded(db: sqlite3.Connection) -> None:
    """Take away what guards the tables; nobody who owns the file is stopped by it."""
    for (trigger,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")


_KEPT = TemporaryDirectory()


@cache
def _made(entries: int) -> Path:
    folder = Path(_KEPT.name) / str(entries)
    folder.mkdir()
    database = folder / "foureyes.db"
    database.write_bytes(empty_database())
    with closing(open_writer(database, checkpoints=True)) as db:
        write_log(db, entries // ENTRIES_EACH)
        with closing(Anchoring(database, folder / "foureyes.head", KEY, MovableClock())):
            pass
        leaves = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
        for size in [*range(EVERY, len(leaves), EVERY), len(leaves)]:
            found = Checkpoint(origin_of(leaves[0]), size, grown(Frontier(), leaves[:size])[0].root)
            note = signed_checkpoint(found, [KEY.signer])
            db.execute("INSERT INTO checkpoints VALUES (?, ?, '2026')", (size, note))
        db.execute("PRAGMA journal_mode = DELETE")
    with closing(open_reader(database)) as db:
        export(db, folder / "export", [KEY.signer], disclosures)
    return folder


def scene_in(folder: Path, entries: int = ENTRIES) -> Scene:
    """Put a fresh copy of the scene into a folder."""
    shutil.copytree(_made(entries), folder, dirs_exist_ok=True)
    return Scene(folder)


def found(*paths: Path, keys: Keys = KEYS, jobs: int = 1) -> list[Report]:
    """Let the verifier check something; all of it can be read."""
    reports, unreadable = check_all(paths, keys, jobs)
    assert unreadable == []
    return reports


def faults(*paths: Path, keys: Keys = KEYS) -> list[tuple[int | None, str]]:
    """Give what the verifier finds wrong in all of it."""
    return [(fault["entry"], fault["what"]) for report in found(*paths, keys=keys) for fault in report.broken]


def first_told(reports: Sequence[Report]) -> str:
    """Give what the first of the reports proves."""
    return reports[0].proved
