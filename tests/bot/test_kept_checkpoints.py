"""A checkpoint that is taken out of the database is missed: the others count it, and so does the anchor."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.anchoring import EVERY, Anchoring
from bot.audit import anchor
from bot.audit.signed_note import Checkpoint, read_checkpoint, signed_checkpoint
from bot.audit.verify import verify
from bot.store.engine import open_reader
from tests.bot.test_checkpoints import KEY, KEYS, Log


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with four checkpoints in its database, and an anchor over all of it."""
    made = Log(tmp_path)
    made.grow(3 * EVERY)
    made.anchoring.write_if_grown()
    await more(made)
    yield made
    made.writer.close()


async def more(log: Log) -> None:
    """Append, and let the server keep what is due and write the anchor."""
    log.grow(EVERY)
    await log.anchoring.keep_due(log.writer)
    log.grow(EVERY)
    await log.anchoring.keep_due(log.writer, last=True)
    log.anchoring.write_if_grown()


def tamper(log: Log, sql: str, *values: object) -> None:
    """Change the database as its administrator could."""
    with closing(sqlite3.connect(log.path)) as db:
        db.execute("DROP TRIGGER IF EXISTS checkpoints_never_go")
        db.execute("DROP TRIGGER IF EXISTS checkpoints_never_change")
        db.execute(sql, values)
        db.commit()


def faults(log: Log) -> list[str]:
    """What a verification finds."""
    with closing(open_reader(log.path)) as db:
        return [fault.what for fault in verify(db, anchor.read(log.head, KEYS), KEYS).broken]


def sizes(log: Log) -> list[int]:
    """The checkpoints in the database."""
    with closing(open_reader(log.path)) as db:
        return [row[0] for row in db.execute("SELECT size FROM checkpoints ORDER BY size")]


async def test_each_one_counts_those_before(log: Log) -> None:
    """The numbers run on over a restart; an untouched log is whole."""
    await more(log)
    log.anchoring.close()
    log.anchoring = Anchoring(log.path, log.head, KEY, log.clock)
    await more(log)
    with closing(open_reader(log.path)) as db:
        notes = [row[0] for row in db.execute("SELECT note FROM checkpoints ORDER BY size")]
    assert [read_checkpoint(note.partition("\n\n")[0] + "\n").kept for note in notes] == [*range(1, len(notes) + 1)]
    assert faults(log) == []


@pytest.mark.parametrize("place", [0, 1, -1])
async def test_a_deleted_one_is_missed(log: Log, place: int) -> None:
    """The first, one in the middle and the last; also when the server went on afterwards, and started again."""
    tamper(log, "DELETE FROM checkpoints WHERE size = ?", sizes(log)[place])
    found = faults(log)
    assert any("1 of them are gone" in fault for fault in found), found
    await more(log)
    assert any("are gone" in fault for fault in faults(log))
    log.anchoring.close()
    log.anchoring = Anchoring(log.path, log.head, KEY, log.clock)
    await more(log)
    assert any("are gone" in fault for fault in faults(log))


async def test_all_deleted_are_missed(log: Log) -> None:
    """An empty table is no excuse: the anchor has the number."""
    number = len(sizes(log))
    tamper(log, "DELETE FROM checkpoints")
    assert faults(log) == [
        f"the signed anchor counts {number} checkpoints in the database, and {number} of them are gone"
    ]


async def test_those_of_an_earlier_version_have_no_number(log: Log) -> None:
    """They are counted by the next, so that they cannot go any more either."""
    for number, size in enumerate(sizes(log)):
        with closing(open_reader(log.path)) as db:
            (note,) = db.execute("SELECT note FROM checkpoints WHERE size = ?", (size,)).fetchone()
        known = read_checkpoint(note.partition("\n\n")[0] + "\n")
        bare = signed_checkpoint(Checkpoint(known.origin, known.size, known.root), KEY.signers)
        assert known.kept == number + 1
        tamper(log, "UPDATE checkpoints SET note = ? WHERE size = ?", bare, size)
    log.head.unlink()
    log.anchoring = Anchoring(log.path, log.head, KEY, log.clock)
    await more(log)
    assert faults(log) == []
    tamper(log, "DELETE FROM checkpoints WHERE size = ?", sizes(log)[0])
    assert any("1 of them are gone" in fault for fault in faults(log))
