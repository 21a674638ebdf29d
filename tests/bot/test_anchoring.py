"""The anchor beside the key: it follows the log, and an older, cut or exchanged database is refused at the start."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bot.agents import AddAgent
from bot.anchoring import Anchoring, require_not_behind
from bot.audit import anchor
from bot.audit.anchor import AnchorError, read
from bot.audit.signed_note import Checkpoint, origin_of, read_checkpoint
from bot.clock import SteadyClock, TimeOrderedIds, new_token, salts
from bot.keys import generate
from bot.store.commit import run_now
from bot.store.engine import open_writer
from bot.store.transaction import Sources
from tests.world import empty_database

KEY = generate()


class Database:
    """A database file, its anchor's place, and a way to let the log grow."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "foureyes.db"
        self.path.write_bytes(empty_database())
        self.anchor = folder / "foureyes.head"
        self.clock = SteadyClock()
        self.agents = 0

    def grow(self) -> None:
        """Record one more entry."""
        self.agents += 1
        unit = AddAgent(f"agent-{self.agents}", "U0SAM", ("a.b",), (), "root", new_token)
        with closing(open_writer(self.path, checkpoints=True)) as connection:
            run_now(connection, Sources(self.clock, TimeOrderedIds(), salts), unit)

    def anchoring(self) -> Anchoring:
        """Open what the server ticks."""
        return Anchoring(self.path, self.anchor, KEY, self.clock)

    def anchored(self) -> Checkpoint | None:
        """Read the anchor file."""
        return read(self.anchor, [KEY.public_bytes()])

    def refused(self) -> str:
        """The sentence with which a server would refuse to start."""
        with pytest.raises(AnchorError) as caught:
            require_not_behind(self.path, self.anchor, KEY)
        return str(caught.value)

    def cut(self, seq: int) -> None:
        """Cut the log's tail off, as somebody with the file could."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("DROP TRIGGER IF EXISTS entries_never_go")
            connection.execute("DELETE FROM entries WHERE seq >= ?", (seq,))
            connection.commit()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A fresh database."""
    return Database(tmp_path)


def test_an_empty_log_needs_no_anchor(database: Database) -> None:
    """A new installation starts, and there is nothing to sign yet."""
    require_not_behind(database.path, database.anchor, KEY)
    database.anchoring().close()
    assert database.anchored() is None


def test_the_anchor_follows_the_log(database: Database) -> None:
    """A grown log is signed at the next tick and at the end; one that did not grow is not written again."""
    database.grow()
    anchoring = database.anchoring()
    anchoring.write_if_grown()
    first = database.anchored()
    assert first is not None
    assert (first.size, first.origin) == (1, origin_of(first.root))
    anchoring.write_if_grown()
    assert database.anchored() == first
    database.grow()
    anchoring.close()
    last = database.anchored()
    assert last is not None
    assert (last.size, last.origin) == (2, first.origin)
    assert last.root != first.root
    require_not_behind(database.path, database.anchor, KEY)


def test_a_log_newer_than_its_anchor_is_fine(database: Database) -> None:
    """A crash between a commit and the next tick loses nothing and blocks nothing."""
    database.grow()
    database.anchoring().close()
    database.grow()
    require_not_behind(database.path, database.anchor, KEY)


def test_an_older_database_put_back_is_refused(database: Database, tmp_path: Path) -> None:
    """The anchor has seen more than the copy has; the sentence says both sizes and what to do."""
    database.grow()
    older = shutil.copy(database.path, tmp_path / "older.db")
    database.grow()
    database.anchoring().close()
    for leftover in (database.path, Path(f"{database.path}-wal"), Path(f"{database.path}-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copy(older, database.path)
    told = database.refused()
    assert f"the database has 1 log entry and {database.anchor} has seen 2" in told
    assert "Put the newest database back; keep both files as evidence" in told


def test_a_cut_tail_is_refused(database: Database) -> None:
    """A tail that was cut off shows like an older copy; even a log that was emptied."""
    for _ in range(3):
        database.grow()
    database.anchoring().close()
    database.cut(2)
    assert "has 2 log entries" in database.refused()
    database.cut(0)
    assert "has 0 log entries" in database.refused()


def test_a_rewritten_entry_is_refused(database: Database) -> None:
    """The newest anchored entry has to be the one that was signed; the first one names the log."""
    for _ in range(2):
        database.grow()
    database.anchoring().close()
    hurt = "DROP TRIGGER IF EXISTS entries_never_change; UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = {}"
    for seq, told in ((1, "within its first 2 entries: history was rewritten"), (0, "keep both files as evidence")):
        with closing(sqlite3.connect(database.path)) as connection:
            connection.executescript(hurt.format(seq))
        assert database.refused().endswith(told)


def test_an_anchor_of_another_log_is_named(database: Database, tmp_path: Path) -> None:
    """Signed with the same key, over more entries or fewer: it is said that it is none of this database."""
    (tmp_path / "other").mkdir()
    other = Database(tmp_path / "other")
    database.grow()
    database.anchoring().close()
    for _ in range(2):
        other.grow()
        other.anchoring().close()
        shutil.copy(other.anchor, database.anchor)
        assert "is of another log, foureyes/" in database.refused()


def test_a_log_whose_anchor_is_gone_is_refused(database: Database) -> None:
    """Nobody gets rid of the anchor by deleting it; the way out is named, and it is a person's decision."""
    database.grow()
    told = database.refused()
    assert told.startswith(f"{database.anchor} is missing")
    assert "`foureyes audit checkpoint`" in told


def test_another_key_is_refused(database: Database) -> None:
    """An anchor of another key is a forgery as far as anybody can tell."""
    database.grow()
    database.anchoring().close()
    with pytest.raises(AnchorError, match="no known key has signed this note"):
        require_not_behind(database.path, database.anchor, generate())


def test_two_that_anchor_at_once_leave_a_whole_file(database: Database) -> None:
    """A command that anchors beside the server does not take the server's new file away."""
    database.grow()
    one, other = database.anchoring(), database.anchoring()
    one.write_if_grown()
    other.close()
    one.close()
    assert database.anchored() is not None
    assert [path.name for path in database.anchor.parent.glob("*.new")] == []


def test_a_command_beside_the_server_never_sets_the_anchor_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever signs an older head and is slow about it is overtaken by nobody: the file ends with the newest."""
    database.grow()
    slow, quick = database.anchoring(), database.anchoring()
    began, go_on = threading.Event(), threading.Event()
    write = anchor.write

    def held_up(path: Path, note: str) -> None:
        if read_checkpoint(note.partition("\n\n")[0] + "\n").size == 1:
            began.set()
            go_on.wait(10)
        write(path, note)

    monkeypatch.setattr(anchor, "write", held_up)
    first = threading.Thread(target=slow.write_if_grown)
    first.start()
    assert began.wait(10)
    database.grow()
    second = threading.Thread(target=quick.write_if_grown)
    second.start()
    second.join(0.2)
    go_on.set()
    first.join(10)
    second.join(10)
    found = database.anchored()
    assert found is not None
    assert found.size == 2
    slow.close()
    quick.close()
