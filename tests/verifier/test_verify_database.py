"""The verifier over a database file: it never writes, finds every damage that the log itself shows, and says where."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import foureyes_verify
import pytest
from foureyes_verify import Keys

from bot.store.engine import open_writer
from tests.bot.store.long_log import write_log
from tests.verifier.scene import ENTRIES, Scene, faults, found, scene_in, unguarded

HASH = "its bytes do not have the hash that stands beside it: one of them was changed"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh database file."""
    return scene_in(tmp_path)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_whole_database(scene: Scene, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same figures as for its export; nothing is written beside it."""
    monkeypatch.setattr(foureyes_verify, "INLINE", 0)
    monkeypatch.setattr(foureyes_verify, "AT_ONCE", 256)
    before = sorted(scene.folder.iterdir()), scene.database.read_bytes()
    of_file, of_export = found(scene.database, scene.export, jobs=jobs)[::-1]
    assert (of_file.broken, of_export.broken) == ([], [])
    assert of_file.facts == of_export.facts
    assert (sorted(scene.folder.iterdir()), scene.database.read_bytes()) == before


def test_a_file_that_nobody_may_write(scene: Scene) -> None:
    """A copy on a disk that cannot be written is checked like any other, with its name full of signs."""
    odd = scene.folder / "a?b#c%20.db"
    shutil.copy(scene.database, odd)
    odd.chmod(0o400)
    assert faults(odd) == []


def test_a_file_with_its_log_beside_it(scene: Scene) -> None:
    """What lies in the WAL of a server that was killed is part of the log."""
    with closing(open_writer(scene.database, checkpoints=False)) as db:
        write_log(db, 1)
        for name in ("", "-wal"):
            shutil.copy(f"{scene.database}{name}", f"{scene.folder}/copy.db{name}")
    (report,) = found(scene.folder / "copy.db")
    assert (report.broken, report.facts["entries"]) == ([], ENTRIES + 7)
    assert report.proved.startswith(f"Entries 0 to {ENTRIES - 1} are")


LINK = "it does not link to the one before: one of them was changed, moved or removed"
FORGED = "checkpoint of 256 entries in the database: its signature is wrong: it was changed"
DAMAGES: dict[str, tuple[str, int | None, str]] = {
    "body": ("UPDATE entries SET body = CAST(replace(body, 'claim.', 'claix.') AS BLOB) WHERE seq = 5", 5, HASH),
    "hash": ("UPDATE entries SET leaf_hash = randomblob(32) WHERE seq = 7", 7, HASH),
    "short hash": ("UPDATE entries SET leaf_hash = x'00' WHERE seq = 7", 7, HASH),
    "subject": ("UPDATE entries SET subject = 'x' WHERE seq = 300", 300, "the look-up columns differ from it"),
    "type": ("UPDATE entries SET type = 'x' WHERE seq = 300", 300, "the look-up columns differ from it"),
    "at": ("UPDATE entries SET at = 'x' WHERE seq = 300", 300, "the look-up columns differ from it"),
    "number": ("UPDATE entries SET seq = 700 WHERE seq = 601", 700, "it calls itself 601"),
    "gone": ("DELETE FROM entries WHERE seq = 400", 401, LINK),
    "first gone": ("DELETE FROM entries WHERE seq = 0", 1, LINK),
    "last gone": ("DELETE FROM entries WHERE seq = 601", 601, "and the checkpoint of 602 entries in the database is"),
    "salt": ("UPDATE detached SET salt = 'x' WHERE seq = 0 AND name = 'summary'", 0, "the detached value 'summary'"),
    "value": ("UPDATE detached SET value = '1' WHERE seq = 0 AND name = 'summary'", 0, "the detached value 'summary'"),
    "name": ("UPDATE detached SET name = 'x' WHERE seq = 0 AND name = 'summary'", 0, "the detached value 'x' is not"),
    "moved": ("UPDATE detached SET seq = 1 WHERE seq = 0 AND name = 'summary'", 1, "the detached value 'summary'"),
    "lost": ("UPDATE detached SET seq = 900 WHERE seq = 0", 900, "belongs to no entry"),
    "values gone": ("DELETE FROM detached WHERE seq = 0", 0, "5 of its detached values are gone and no erasure"),
    "node": ("UPDATE tree SET hash = zeroblob(32)", 0, "the kept subtree 0 of level 8 is not what the entries give"),
    "node gone": ("DELETE FROM tree WHERE idx = 1", 256, "the kept subtree 1 of level 8 is not what the entries"),
    "node too much": ("INSERT INTO tree VALUES (8, 2, zeroblob(32))", None, "a subtree 2 of level 8 is kept that"),
    "no tree": ("DROP TABLE tree", 0, "the kept subtree 0 of level 8 is not what the entries give"),
    "note": ("UPDATE checkpoints SET note = replace(note, '256', '255') WHERE size = 256", None, FORGED),
    "note moved": ("UPDATE checkpoints SET size = 255 WHERE size = 256", None, "in the database is one of 256"),
    "no entries": ("DELETE FROM entries", 0, "the log has 0 entries, and the checkpoint of 602 entries"),
    "no table": (
        "DROP TABLE detached",
        None,
        "the database file is damaged, or cannot be read as it lies here: no such",
    ),
    "no text": ("UPDATE entries SET body = x'ff' WHERE seq = 5", 5, "it cannot be read"),
    "a number": ("UPDATE entries SET body = x'37' WHERE seq = 5", 5, "it does not have the fields of an entry"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_has_its_sentence(scene: Scene, name: str) -> None:
    """Whatever its administrator does to the file, it is told what and where."""
    statement, entry, what = DAMAGES[name]
    scene.change(statement)
    told = faults(scene.database)
    assert any(at == entry and what in text for at, text in told), told


def rewritten(body: bytes) -> str:
    """Give the statement that puts another body in with its right hash."""
    leaf = foureyes_verify.leaf_hash(body)
    return f"UPDATE entries SET body = x'{body.hex()}', leaf_hash = x'{leaf.hex()}' WHERE seq = 601"  # noqa: S608 - our bytes


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b'"v":1', b'"v":2', "it is of a format that this program does not know; use a newer one"),
        (b'"v":1', b'"v":true', "it is of a format that this program does not know; use a newer one"),
        (b'"v":1', b'"v": 1', "it is not in canonical form"),
        (b'"v":1', b'"v":1.0', "it cannot be read"),
        (b'"v":1', b'"v":NaN', "it cannot be read"),
        (b'"v":1', b'"v":9007199254740992', "it cannot be read"),
        (b'"v":1', b'"v":100000000000000000000', "it cannot be read"),
        (b'"v":1', b'"v":1,"v":1', "it is not in canonical form"),
        (b'"v":1', b'"w":1', "it does not have the fields of an entry"),
        (b'"v":1}', b'"v":1} ', "it cannot be read"),
        (b'"status"', b'"st\xc3\xa4tus"', "it cannot be read"),
        (b'"succeeded"', b'["\xc3\xa4",{"b":"\xc3\xa4"}]', "was rewritten"),
        (b'"succeeded"', b'"\\ud800"', "it cannot be read"),
        (b'"succeeded"', b'"\\u0041"', "it is not in canonical form"),
        (b'"succeeded"', b'"' + b"x" * 17_000 + b'"', "it cannot be read"),
        (b'"succeeded"', b"[" * 3000 + b"]" * 3000, "it cannot be read"),
    ],
)
def test_only_the_one_way_to_write_an_entry_is_taken(scene: Scene, old: bytes, new: bytes, what: str) -> None:
    """RFC 8785 to the letter, no floats, no huge integers, names in ASCII, at most 16 KiB; else it is told."""
    with closing(sqlite3.connect(scene.database)) as db:
        (body,) = db.execute("SELECT body FROM entries WHERE seq = 601").fetchone()
    assert old in body
    scene.change(rewritten(body.replace(old, new)))
    told = faults(scene.database)
    assert any(at == 601 and what in text for at, text in told), told


def test_a_rewrite_with_the_stolen_key_is_found_by_what_was_kept(scene: Scene, tmp_path: Path) -> None:
    """Everything made anew and signed anew is whole in itself; one checkpoint in somebody's drawer says otherwise."""
    kept = tmp_path / "kept.txt"
    kept.write_text(scene.note(300), "utf-8")
    anew(scene, 250)
    assert faults(scene.database) == []
    assert faults(scene.database, kept) == [
        (
            299,
            "the first 300 entries are not what the checkpoint of 300 entries in kept.txt says: history was rewritten",
        )
    ]
    (report, *_) = found(scene.database, kept)
    assert report.proved.startswith("Entries 0 to 601 are what the checkpoint of 602 entries in the database says")


def anew(scene: Scene, begin: int) -> None:
    """Change one entry and make everything after it fit, checkpoints too, with the key."""
    with closing(sqlite3.connect(scene.database, isolation_level=None)) as db:
        unguarded(db)
        rows = db.execute("SELECT seq, body FROM entries WHERE seq >= ? ORDER BY seq", (begin,)).fetchall()
        prev = None
        for seq, body in rows:
            place = body.index(b'"prev":"') + 8
            forged = (
                body.replace(b'"kind":"', b'"kind":"x') if prev is None else body[:place] + prev + body[place + 64 :]
            )
            leaf = foureyes_verify.leaf_hash(forged)
            db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (forged, leaf, seq))
            prev = leaf.hex().encode()
        leaves = scene.leaves()
        for at in range(2):
            node = foureyes_verify.tile_root(b"".join(leaves[at * 256 : at * 256 + 256]))
            db.execute("UPDATE tree SET hash = ? WHERE level = 8 AND idx = ?", (node, at))
        for size in (256, 512, 602):
            db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (scene.note(size), size))


def test_sealed_values_are_counted_and_not_judged(scene: Scene) -> None:
    """A value whose key is elsewhere cannot be checked; that is said, and is no fault."""
    scene.change(
        "CREATE TABLE other AS SELECT seq, name, salt, value, NULL AS key FROM detached",
        "DROP TABLE detached",
        "ALTER TABLE other RENAME TO detached",
        "UPDATE detached SET key = 'k', salt = '', value = '' WHERE name = 'summary'",
    )
    (report,) = found(scene.database)
    assert report.broken == []
    assert (report.facts["sealed"], report.facts["disclosed"]) == (86, 860)
    assert "86 values are sealed; without their keys they were not looked at" in report.notes


def test_a_recorded_erasure_is_no_fault_and_no_cover(scene: Scene) -> None:
    """So many of that day may be gone; one more is told, with the day and both numbers."""
    with closing(sqlite3.connect(scene.database)) as db:
        (body,) = db.execute("SELECT body FROM entries WHERE seq = 601").fetchone()
        (day,) = db.execute("SELECT substr(at, 1, 10) FROM entries WHERE seq = 0").fetchone()
    entry = json.loads(body)
    gone = [{"day": day, "days": 30, "count": 5}]
    entry |= {"type": "values.erased", "data": {"why": "term", "gone": gone}}
    told = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
    scene.change(rewritten(told), "UPDATE entries SET type = 'values.erased' WHERE seq = 601")
    scene.change("DELETE FROM detached WHERE seq = 0")
    assert not [text for _, text in faults(scene.database) if "detached values" in text]
    scene.change("DELETE FROM detached WHERE name = 'digest'")
    (fault,) = [text for _, text in faults(scene.database) if "detached values" in text]
    assert "and the erasure of 5 was recorded" in fault
    entry["data"] = {"gone": 7}
    scene.change(rewritten(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()))
    assert (0, "5 of its detached values are gone and no erasure was recorded") in faults(scene.database)


def test_entries_that_are_missing_are_named(scene: Scene) -> None:
    """Between others, one by one or in a row; what was signed says only that some are."""
    scene.change("DELETE FROM entries WHERE seq IN (5, 300, 301, 302)")
    told = faults(scene.database)
    assert (5, "entry 5 is missing") in told
    assert (300, "the entries 300 to 302 are missing") in told
    assert (
        5,
        "the log has 598 entries, and the checkpoint of 602 entries in the database is of 602: some are missing",
    ) in told


@pytest.mark.parametrize(
    "change", ["UPDATE entries SET seq = 'x' || seq", "UPDATE entries SET seq = 2.5 WHERE seq = 601"]
)
def test_numbers_that_are_none_are_unreadable(scene: Scene, change: str) -> None:
    """A table of entries that no server of ours made is refused in one sentence."""
    scene.change(
        "CREATE TABLE other AS SELECT * FROM entries", "DROP TABLE entries", "ALTER TABLE other RENAME TO entries"
    )
    scene.change(change)
    told = faults(scene.database)
    assert [what for _, what in told] == ["its entries are not numbered"]


def test_a_file_that_is_no_database(scene: Scene) -> None:
    """A page that is none is a finding."""
    data = bytearray(scene.database.read_bytes())
    data[100:8192] = bytes(8092)
    scene.database.write_bytes(data)
    ((entry, what),) = faults(scene.database)
    assert entry is None
    assert what.startswith("the database file is damaged, or cannot be read as it lies here: ")


def test_without_a_key_nobody_knows_who_signed(scene: Scene) -> None:
    """The checkpoints are held against the log all the same, and whose they are is said to be open."""
    (report,) = found(scene.database, keys=Keys())
    assert report.broken == []
    assert "whose signature that is nobody checked" in report.proved
