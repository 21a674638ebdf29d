"""I8: whatever is done to an entry shows: changed, deleted, swapped, inserted, cut off; or the whole file put back."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.audit import anchor
from bot.audit.anchor import AnchorError
from bot.audit.log_format import leaf_hash
from bot.audit.signed_note import Checkpoint
from bot.audit.verify import verify
from bot.keys import load
from bot.store.sealed import look_through
from tests.invariants.story import Story
from tests.world import World

Damage = Callable[[sqlite3.Connection, int], None]
EVERY = 97  # entries between two that are damaged: a prime, so that all kinds have their turn


def flip(db: sqlite3.Connection, seq: int) -> None:
    """Change one byte in the middle of an entry."""
    (body,) = db.execute("SELECT body FROM entries WHERE seq = ?", (seq,)).fetchone()
    middle = len(body) // 2
    changed = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    db.execute("UPDATE entries SET body = ? WHERE seq = ?", (changed, seq))


def flip_with_hash(db: sqlite3.Connection, seq: int) -> None:
    """Change one byte, and its hash along with it."""
    flip(db, seq)
    (body,) = db.execute("SELECT body FROM entries WHERE seq = ?", (seq,)).fetchone()
    db.execute("UPDATE entries SET leaf_hash = ? WHERE seq = ?", (leaf_hash(body), seq))


def change(column: str, value: str) -> Damage:
    """Give the damage to one column."""

    def damage(db: sqlite3.Connection, seq: int) -> None:
        db.execute(f"UPDATE entries SET {column} = {value} WHERE seq = ?", (seq,))  # noqa: S608 - constants

    return damage


def delete(db: sqlite3.Connection, seq: int) -> None:
    """Take one entry away."""
    db.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    db.execute("DELETE FROM main.detached WHERE seq = ?", (seq,))


def close_the_gap(db: sqlite3.Connection, seq: int) -> None:
    """Take one entry away and number the later ones anew."""
    delete(db, seq)
    for table in ("entries", "main.detached"):
        db.execute(f"UPDATE {table} SET seq = -seq WHERE seq > ?", (seq,))  # noqa: S608 - constants
        db.execute(f"UPDATE {table} SET seq = -seq - 1 WHERE seq < 0")  # noqa: S608 - constants


def swap(db: sqlite3.Connection, seq: int) -> None:
    """Let two neighbours change places."""
    for table in ("entries", "main.detached"):
        for old, new in ((seq, -1), (seq - 1, seq), (-1, seq - 1)):
            db.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (new, old))  # noqa: S608 - constants


def insert(db: sqlite3.Connection, seq: int) -> None:
    """Put a copy of an entry in before it."""
    db.execute("UPDATE entries SET seq = -seq WHERE seq > ?", (seq,))
    db.execute("UPDATE entries SET seq = -seq + 1 WHERE seq < 0")
    db.execute(
        "INSERT INTO entries SELECT seq + 1, subject, type, at, body, leaf_hash FROM entries WHERE seq = ?", (seq,)
    )


def cut(db: sqlite3.Connection, seq: int) -> None:
    """Cut off the tail."""
    db.execute("DELETE FROM entries WHERE seq >= ?", (seq,))
    db.execute("DELETE FROM main.detached WHERE seq >= ?", (seq,))


DAMAGES: dict[str, Damage] = {
    "a changed byte": flip,
    "a changed byte with its hash": flip_with_hash,
    "another subject": change("subject", "subject || 'x'"),
    "another type": change("type", "type || 'x'"),
    "another time": change("at", "'2020-01-01T00:00:00.000000Z'"),
    "another hash": change("leaf_hash", "randomblob(32)"),
    "a deleted entry": delete,
    "a deleted entry and a closed gap": close_the_gap,
    "swapped entries": swap,
    "an inserted entry": insert,
    "a cut-off tail": cut,
}
BESIDE = (
    "name = name || 'x'",
    "salt = 'x'",
    "value = '1'",
    "salt = 'x', value = '1', key = NULL",
    "key = key || 'x'",
    "key = NULL",
    "box = CAST(box || 'x' AS BLOB)",
    "box = NULL",
)


@pytest.fixture(scope="module")
def whole(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The log of the day without its guards, as whoever administers the file has it."""
    with closing(story.copy_of_the_database(tmp_path_factory.mktemp("copy") / "copy.db")) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        yield db


@pytest.fixture(scope="module")
def known(story: Story) -> Checkpoint:
    """What the server signed when it stopped."""
    settings = story.world.settings
    found = anchor.read(settings.anchor_file, [load(settings.signing_key_file).public_bytes()])
    assert found is not None
    return found


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_anywhere_is_found(story: Story, whole: sqlite3.Connection, known: Checkpoint, kind: str) -> None:
    """The whole log has no fault; with this done to any of its entries, the last among them, it has one."""
    assert verify(whole, known).broken == []
    for seq in {*range(1, known.size, EVERY), known.size - 1}:
        with closing(copied(whole, story)) as db:
            DAMAGES[kind](db, seq)
            assert verify(db, known).broken, f"{kind} at {seq}"


@pytest.mark.parametrize("change", [*BESIDE, "a row"])
def test_damage_to_what_is_detached_is_found(
    story: Story, whole: sqlite3.Connection, known: Checkpoint, change: str
) -> None:
    """Values beside the log are held by it: none is changed or taken away unseen."""
    many = whole.execute("SELECT rowid FROM main.detached").fetchall()
    assert len(many) > EVERY
    for (row,) in many[::EVERY]:
        with closing(copied(whole, story)) as db:
            if change == "a row":
                db.execute("DELETE FROM main.detached WHERE rowid = ?", (row,))
            else:
                db.execute(f"UPDATE main.detached SET {change} WHERE rowid = ?", (row,))  # noqa: S608 - constants
            assert verify(db, known).broken, f"{change} of {row}"


def copied(db: sqlite3.Connection, story: Story) -> sqlite3.Connection:
    """Give a copy in memory, to be damaged."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    db.backup(copy)
    look_through(copy, story.world.vault())
    copy.execute("PRAGMA ignore_check_constraints = ON")
    return copy


@pytest.mark.parametrize("how", ["older", "cut off"])
async def test_an_older_database_does_not_start(tmp_path: Path, how: str) -> None:
    """Yesterday's file put back over today's, or today's without its end: the server refuses to start."""
    async with World(tmp_path) as world:
        await world.propose(42)
        await world.stop()
        older = tmp_path / "older.db"
        shutil.copy(world.database, older)
        await world.start()
        await world.claim(await world.propose(42))
        await world.stop()
        if how == "older":
            shutil.copy(older, world.database)
        else:
            with closing(sqlite3.connect(world.database, isolation_level=None)) as db:
                db.execute("DROP TRIGGER entries_never_go")
                db.execute("DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)")
        with pytest.raises(AnchorError, match="older copy was put back"):
            await world.start()
