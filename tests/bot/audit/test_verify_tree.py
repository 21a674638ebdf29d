"""The tree and the checkpoints in the database, held against the entries: each kind of damage has its sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from bot.audit.log_format import leaf_hash
from bot.audit.merkle import Frontier, grown
from bot.audit.report import Report
from bot.audit.signed_note import Checkpoint
from bot.audit.tiles import IncompleteTreeError, StoredNodes, stored_frontier
from bot.audit.verify_tree import Tree
from bot.keys import generate
from tests.bot.audit.signing import KEYS, checkpoint_of, note_of

SIZE = 600
REWRITTEN = "at this entry: history was rewritten"
OTHER = (
    "the anchor is of another log, {}: it belongs to another database, or this log was rewritten from its first entry"
)


@pytest.fixture
def log() -> Iterator[sqlite3.Connection]:
    """Only the columns that a tree needs, of 600 entries, with checkpoints of 256, 512 and 600."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, leaf_hash)")
        db.execute("CREATE TABLE tree (level, idx, hash)")
        db.execute("CREATE TABLE checkpoints (size, note, at)")
        leaves = [leaf_hash(str(seq).encode()) for seq in range(SIZE)]
        db.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(leaves))
        db.executemany("INSERT INTO tree VALUES (?, ?, ?)", grown(Frontier(), leaves)[1])
        for size in (256, 512, SIZE):
            db.execute("INSERT INTO checkpoints (size, note) VALUES (?, ?)", (size, note_of(checkpoint_of(db, size))))
        yield db


def faults(db: sqlite3.Connection, anchor: Checkpoint | None = None, keys: list[bytes] | None = None) -> list[str]:
    """List what is found."""
    report = Report()
    tree = Tree(db, report, anchor, KEYS if keys is None else keys)
    for (leaf,) in db.execute("SELECT leaf_hash FROM entries ORDER BY seq"):
        tree.add(leaf)
    tree.finish()
    return [f"{fault.seq}: {fault.what}" for fault in report.broken]


def test_what_was_signed_is_what_there_is(log: sqlite3.Connection) -> None:
    """A whole log has no fault, with and without keys and an anchor of any size."""
    for anchor in (None, checkpoint_of(log), checkpoint_of(log, 1), checkpoint_of(log, 300), checkpoint_of(log, 256)):
        assert faults(log, anchor) == []
        assert faults(log, anchor, []) == []


@pytest.mark.parametrize("seq", [0, 255, 256, 511, 512, 599])
def test_a_changed_leaf_is_found_by_the_first_checkpoint_over_it(log: sqlite3.Connection, seq: int) -> None:
    """The place that is told is the end of the range that was signed."""
    anchor = checkpoint_of(log)
    log.execute("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = ?", (seq,))
    first = next(size for size in (256, 512, SIZE) if seq < size)
    told = faults(log, anchor)
    assert f"{first - 1}: the log differs from the signed checkpoint of {first} entries {REWRITTEN}" in told
    # The first entry names the log: where it is another one, the anchor is another log's.
    anchored = (
        f"599: the log differs from the signed anchor {REWRITTEN}" if seq else f"0: {OTHER.format(anchor.origin)}"
    )
    assert anchored in told


def test_kept_subtrees_are_computed_again(log: sqlite3.Connection) -> None:
    """A changed, a removed and an invented one."""
    log.execute("UPDATE tree SET hash = zeroblob(32) WHERE idx = 0")
    log.execute("DELETE FROM tree WHERE idx = 1")
    log.execute("INSERT INTO tree VALUES (16, 0, zeroblob(32))")
    assert faults(log) == [
        "255: the tree's subtree 0 of level 8 is not what the log gives",
        "511: the tree's subtree 1 of level 8 is not what the log gives",
        "600: the tree keeps a subtree 0 of level 16 too much",
    ]


def test_tables_that_are_gone_are_no_crash(log: sqlite3.Connection) -> None:
    """Whoever took the tables away took the subtrees away, and that is told."""
    log.execute("DROP TABLE tree")
    log.execute("DROP TABLE checkpoints")
    assert len(faults(log)) == 2


def test_a_cut_tail_is_found_by_a_checkpoint_in_the_database(log: sqlite3.Connection) -> None:
    """Whoever cuts the entries and forgets the checkpoints is told how many were signed."""
    log.execute("DELETE FROM entries WHERE seq >= 550")
    assert faults(log) == [
        "550: the log has 550 entries and a signed checkpoint in the database is of 600: the last ones are missing"
    ]


def test_a_checkpoint_that_nobody_signed_is_no_checkpoint(log: sqlite3.Connection) -> None:
    """Of another key, of another size, or no note at all."""
    log.execute("UPDATE checkpoints SET note = ? WHERE size = 256", (note_of(checkpoint_of(log, 256), generate()),))
    log.execute("UPDATE checkpoints SET note = ? WHERE size = 512", (note_of(checkpoint_of(log, 500)),))
    log.execute("UPDATE checkpoints SET note = 'x' WHERE size = 600")
    told = faults(log)
    assert told[0].startswith("256: the checkpoint of 256 entries in the database cannot be believed: no known key")
    assert told[1] == "512: the checkpoint of 512 entries in the database is one of 500"
    assert told[2].startswith("600: the checkpoint of 600 entries in the database cannot be believed")


def test_an_anchor_of_nothing_says_nothing(log: sqlite3.Connection) -> None:
    """Before the first entry there was nothing to sign; and another log's anchor is told."""
    assert faults(log, Checkpoint("foureyes/empty", 0, Frontier().root)) == []
    assert faults(log, replace(checkpoint_of(log), origin="foureyes/0")) == [f"0: {OTHER.format('foureyes/0')}"]


def test_every_subtree_is_looked_up_as_the_leaves_give_it(log: sqlite3.Connection) -> None:
    """Kept or computed between two kept ones: the same hashes as folded from all leaves."""
    leaves = [row[0] for row in log.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
    node = StoredNodes(log)
    for level in range(10):
        for index in range(SIZE >> level):
            begin = index << level
            assert node(level, index) == grown(Frontier(), leaves[begin : begin + (1 << level)])[0].root
    for size in (0, 1, 255, 256, 257, 512, 599, SIZE):
        assert stored_frontier(log, size) == grown(Frontier(), leaves[:size])[0]
    with pytest.raises(IncompleteTreeError, match="no complete subtree 2 of level 8"):
        node(8, 2)
    with pytest.raises(IncompleteTreeError):
        node(3, SIZE >> 3)


@pytest.mark.parametrize("at", ["2026", "2027", None])
def test_a_changed_time_of_a_checkpoint_is_found(log: sqlite3.Connection, at: str | None) -> None:
    """When it was signed to be kept is signed with it."""
    known = replace(checkpoint_of(log, 512), at="2026")
    log.execute("UPDATE checkpoints SET note = ?, at = ? WHERE size = 512", (note_of(known), at))
    wanted = [] if at == "2026" else ["512: the checkpoint of 512 entries in the database was not signed when it says"]
    assert faults(log, keys=KEYS) == wanted
