"""I7: the log has no gap, each entry names the one before, and everything else is a fold of it.

What is signed over the log is the anchor; it must cover every entry.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.audit import anchor
from bot.audit.log_format import FIRST_PREV, canonical, leaf_hash
from bot.audit.merkle import Frontier, grown
from bot.keys import load
from bot.store.check import differences
from tests.invariants.story import Story, payload_of


def test_entries_are_dense_and_linked(story: Story) -> None:
    """Read with nothing but a JSON reader and a hash: 0, 1, 2, ..., each with the hash of the one before."""
    with story.world.db() as db:
        entries = db.execute("SELECT seq, body, leaf_hash FROM entries ORDER BY seq").fetchall()
    prev = FIRST_PREV
    at = ""
    for place, (seq, body, kept) in enumerate(entries):
        entry = json.loads(body)
        assert (seq, entry["seq"], entry["prev"]) == (place, place, prev)
        assert canonical(entry) == body
        assert leaf_hash(body) == kept
        assert entry["at"] >= at
        prev, at = kept.hex(), entry["at"]
    assert len({json.loads(body)["id"] for _, body, _ in entries}) == len(entries) > 100


def test_the_anchor_is_the_head(story: Story) -> None:
    """After a clean stop the signed anchor covers the log to its last entry, and the verifier finds no fault."""
    settings = story.world.settings
    known = anchor.read(settings.anchor_file, [load(settings.signing_key_file).public_bytes()])
    assert known is not None
    assert known.size == len(story.ledger.recorded)
    assert known.root == grown(Frontier(), [item.leaf_hash for item in story.ledger.recorded])[0].root
    story.world.verify_log()


def test_roots_that_were_given_away_are_the_logs(story: Story) -> None:
    """What a callback or grant carried out of the house is still the log's root at that size, and its entry's hash."""
    told = [body["log"] for _, body in story.told()]
    held = [payload_of(grant)["log"] for grants in story.grants().values() for grant in grants]
    assert len(told) >= 10
    assert held
    for log in [*told, *held]:
        leaves = [item.leaf_hash for item in story.ledger.recorded[: log["size"]]]
        assert log["size"] == log["index"] + 1
        assert (leaves[-1].hex(), grown(Frontier(), leaves)[0].root.hex()) == (log["head"], log["root"])


@pytest.mark.parametrize(
    "column", ["agent_id", "state", "next_at", "deadline", "ts", "created_at", "last_seq", "a row"]
)
def test_an_index_that_is_not_the_fold_is_found(story: Story, tmp_path: Path, column: str) -> None:
    """The index equals the fold of the log; a changed column or a missing row is named."""
    with closing(story.copy_of_the_database(tmp_path / "copy.db")) as db:
        assert list(differences(db)) == []
        (ident,) = db.execute("SELECT id FROM proposals WHERE ts IS NOT NULL LIMIT 1").fetchone()
        lie(db, ident, column)
        found = list(differences(db))
    assert len(found) == 1
    assert ident in found[0]


def lie(db: sqlite3.Connection, ident: str, column: str) -> None:
    """Damage one row of the index."""
    if column == "a row":
        db.execute("DELETE FROM proposals WHERE id = ?", (ident,))
        return
    (kept,) = db.execute(f"SELECT {column} FROM proposals WHERE id = ?", (ident,)).fetchone()  # noqa: S608 - a constant
    other = {"state": "approved" if kept != "approved" else "denied", "last_seq": 1}.get(column, "other")
    db.execute(f"UPDATE proposals SET {column} = ? WHERE id = ?", (other, ident))  # noqa: S608 - a constant
