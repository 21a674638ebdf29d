"""Whoever may write the database can do anything to it, and nothing of that stays unseen (I8).

Every table and column is in the matrix (tests/tamper); here stands what needs a hand of its own.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.audit.log_format import FIRST_PREV, canonical, leaf_hash
from bot.audit.merkle import EMPTY_ROOT, Frontier, grown
from bot.audit.signed_note import Checkpoint
from bot.audit.verify import verify
from bot.store.check import differences
from bot.store.engine import open_writer
from bot.store.index import INDEX_COLUMNS
from bot.store.sealed import look_through
from tests.bot.audit.signing import checkpoint_of
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.world import empty_database

ENTRIES = 504
Tamper = Callable[[sqlite3.Connection], object]


@cache
def clean() -> tuple[bytes, Checkpoint]:
    """Make the log once: the database's bytes without its guards, and the anchor of its end."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        path.write_bytes(empty_database())
        with closing(open_writer(path, checkpoints=True)) as db:
            write_log(db, ENTRIES // ENTRIES_EACH)
            db.execute("PRAGMA journal_mode = DELETE")
            for trigger in ("entries_never_change", "entries_never_go", "tree_never_changes", "tree_never_shrinks"):
                db.execute(f"DROP TRIGGER {trigger}")
            for index in ("detached_by_entry", "entries_by_subject"):
                db.execute(f"DROP INDEX {index}")
            return db.serialize(), checkpoint_of(db)


def faults_after(*tampers: Tamper, anchored: bool = True) -> list[str]:
    """Tamper with a copy and give what the checks find."""
    data, anchor = clean()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(data)
        for tamper in tampers:
            tamper(db)
        look_through(db, None)
        broken = verify(db, anchor if anchored else None).broken
        return [fault.what for fault in broken] or list(differences(db))


def sql(statement: str, *values: object) -> Tamper:
    """Make a tampering of one statement."""
    return lambda db: db.execute(statement, values)


def test_the_log_as_written_is_whole() -> None:
    """Nothing is found where nothing was done."""
    assert faults_after() == []
    data, anchor = clean()
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(data)
        report = verify(db, anchor)
        assert (report.entries, report.anchored) == (anchor.size, ENTRIES)


def changed(value: object) -> object:
    """Change a stored value a little, within its type."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, int):
        return value + 1_000_000
    return "x" if value is None else f"{value}x"


@pytest.mark.parametrize("state", ["pending", "denied", "expired", "cancelled", "blocked", "revoked"])
def test_a_changed_state_in_the_index_is_found(state: str) -> None:
    """No state that the log does not give."""
    assert faults_after(sql("UPDATE proposals SET state = ? WHERE id = (SELECT max(id) FROM proposals)", state))


def test_a_proposal_that_is_only_in_the_index_is_found() -> None:
    """A row of the index that no event made is found."""
    columns = ", ".join(column for column in INDEX_COLUMNS if column != "id")
    copied = f"INSERT INTO proposals (id, {columns}) SELECT 'prop_x', {columns} FROM proposals LIMIT 1"  # noqa: S608 - ours
    assert faults_after(sql(copied))


def _without_checks(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA ignore_check_constraints = ON")


def test_every_inserted_entry_is_found() -> None:
    """Insert a well-formed entry at the end, linked and hashed as it should be: the index does not know it."""

    def forge(db: sqlite3.Connection) -> None:
        seq, kind, body, head = db.execute(
            "SELECT seq, type, body, leaf_hash FROM entries ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        forged = body.replace(f'"seq":{seq}'.encode(), f'"seq":{seq + 1}'.encode())
        prev = forged.index(b'"prev":"') + 8
        forged = forged[:prev] + head.hex().encode() + forged[prev + 64 :]
        db.execute(
            "INSERT INTO entries SELECT ?, subject, ?, at, ?, ? FROM entries WHERE seq = ?",
            (seq + 1, kind, forged, leaf_hash(forged), seq),
        )

    assert faults_after(forge)


def test_values_without_a_promise_are_found() -> None:
    """A detached value that no entry promised, for a known entry, an unknown one, or one that was copied, is found."""
    assert faults_after(sql("INSERT INTO detached (seq, name, salt, value) VALUES (3, 'extra', 'salt', '1')"))
    assert faults_after(
        _without_keys, sql("INSERT INTO detached (seq, name, salt, value) VALUES (99999, 'extra', 'salt', '1')")
    )
    assert faults_after(
        sql("DELETE FROM detached WHERE seq = 0 AND name = 'summary'"),
        sql("INSERT INTO detached SELECT * FROM detached WHERE seq = 0 AND name = 'arguments'"),
    )


def _without_keys(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA foreign_keys = OFF")


@pytest.mark.parametrize(
    ("at", "told"), [(0, "this log was rewritten from its first entry"), (5, "history was rewritten")]
)
def test_a_history_that_was_rewritten_to_the_end_is_found_under_the_anchor(at: int, told: str) -> None:
    """Change one entry and recompute everything after it: the log alone fits, the signed anchor does not."""

    def rewrite(db: sqlite3.Connection) -> None:
        prev = FIRST_PREV
        for seq, body in db.execute("SELECT seq, body FROM entries ORDER BY seq").fetchall():
            changed_body = body.replace(b'"kind":"agent"', b'"kind":"human"') if seq == at else body
            start = changed_body.index(b'"prev":"') + 8
            forged = changed_body[:start] + prev.encode() + changed_body[start + 64 :]
            db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (forged, leaf_hash(forged), seq))
            prev = leaf_hash(forged).hex()
        leaves = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
        db.execute("DELETE FROM tree")
        db.executemany("INSERT INTO tree (level, idx, hash) VALUES (?, ?, ?)", grown(Frontier(), leaves)[1])

    assert faults_after(rewrite, anchored=False) == []
    assert told in faults_after(rewrite)[0]


def test_another_whole_log_is_found_under_the_anchor() -> None:
    """A log that is whole in itself but is not this one does not fit the anchor."""
    _, anchor = clean()
    data, _ = clean()
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(data)
        assert verify(db, replace(anchor, origin="foureyes/0")).broken
        assert verify(db, replace(anchor, root=bytes(32))).broken
        assert verify(db, replace(anchor, size=anchor.size + 1)).broken
        assert not verify(db, Checkpoint("foureyes/empty", 0, EMPTY_ROOT)).broken


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"seq":3}', b"\xff", b"[" * 100_000, canonical({"v": 1})]
)
def test_nonsense_instead_of_an_entry_is_found(body: bytes) -> None:
    """Bytes that are no entry are a finding, never a crash of the verifier."""
    tamper = sql("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = 3", body, leaf_hash(body))
    assert faults_after(_without_checks, tamper)
