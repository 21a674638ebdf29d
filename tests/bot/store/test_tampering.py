"""Whoever may write the database can do anything to it, and nothing of that stays unseen (I8).

Every table that carries evidence, every column; flip, delete, swap, insert, cut, and with the hashes set right again.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
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
from tests.bot.audit.signing import checkpoint_of
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.world import empty_database

RELEASE = os.environ.get("FOUREYES_HYPOTHESIS") == "release"
ENTRIES = 10_000 // 7 * 7 if RELEASE else 504
# A prime each, so that every column comes by; a release looks at every row.
EVERY = {"entries": 1 if RELEASE else 5, "detached": 1 if RELEASE else 13, "proposals": 1 if RELEASE else 7}
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


def one_row_each(table: str, columns: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Walk over all rows and, row by row, over the columns."""
    data, _ = clean()
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(data)
        count = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
    for turn, row in enumerate(range(0, count, EVERY[table])):
        yield row, columns[turn % len(columns)]


def flip(table: str, key: str, row: int, column: str) -> Tamper:
    """Make a tampering that changes one column of the row at a place."""

    def tamper(db: sqlite3.Connection) -> None:
        place = f"FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row}"
        keys = key.split(", ")
        *found, old = db.execute(f"SELECT {key}, {column} {place}").fetchone()
        where = " AND ".join(f"{name} = ?" for name in keys)
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (changed(old), *found))  # noqa: S608 - likewise

    return tamper


TABLES = {
    "entries": ("seq", ("body", "leaf_hash", "subject", "type", "at", "seq")),
    "detached": ("seq, name", ("value", "salt", "name", "seq")),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_changed_row_is_found(table: str) -> None:
    """Change any row in any column: the verifier finds it."""
    key, columns = TABLES[table]
    missed = [
        (row, column)
        for row, column in one_row_each(table, columns)
        if not faults_after(flip(table, key, row, column), anchored=row % 2 == 0)
    ]
    assert missed == []


@pytest.mark.parametrize("column", [column for column in INDEX_COLUMNS if column != "state"])
def test_every_changed_column_of_the_index_is_found(column: str) -> None:
    """The index row of a proposal is the fold of its events: another value in any column is found."""
    rows = range(0, ENTRIES // ENTRIES_EACH, 9)
    for row in rows:
        value = {"clock": "decide"}.get(column, "changed")
        tamper = flip("proposals", "id", row, column)
        if column == "clock":
            tamper = sql(
                "UPDATE proposals SET clock = ? WHERE id = (SELECT id FROM proposals LIMIT 1 OFFSET ?)", value, row
            )
        assert faults_after(tamper), (row, column)


@pytest.mark.parametrize("state", ["pending", "denied", "expired", "cancelled", "blocked", "revoked"])
def test_a_changed_state_in_the_index_is_found(state: str) -> None:
    """No state that the log does not give."""
    assert faults_after(sql("UPDATE proposals SET state = ? WHERE id = (SELECT max(id) FROM proposals)", state))


def test_a_proposal_that_is_only_in_the_index_is_found() -> None:
    """A row of the index that no event made is found."""
    columns = ", ".join(column for column in INDEX_COLUMNS if column != "id")
    copied = f"INSERT INTO proposals (id, {columns}) SELECT 'prop_x', {columns} FROM proposals LIMIT 1"  # noqa: S608 - ours
    assert faults_after(sql(copied))


@pytest.mark.parametrize("table", ["entries", "detached", "proposals"])
def test_every_deleted_row_is_found(table: str) -> None:
    """Delete any row: a gap, a broken promise or a missing proposal is found."""
    key = {"entries": "seq", "detached": "rowid", "proposals": "id"}[table]
    for row, _ in one_row_each(table, ("x",)):
        place = f"SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row}"  # noqa: S608 - our own names
        assert faults_after(sql(f"DELETE FROM {table} WHERE {key} = ({place})")), row  # noqa: S608 - our own names


def test_every_cut_tail_is_found_under_the_anchor() -> None:
    """Cut any number of entries off the end, with all that belongs to them: the anchor knows better."""
    for size in range(0, ENTRIES, 1 if RELEASE else 7):
        assert faults_after(
            sql("DELETE FROM detached WHERE seq >= ?", size),
            sql("DELETE FROM entries WHERE seq >= ?", size),
            sql("DELETE FROM proposals WHERE last_seq >= ?", size),
        ), size


def test_every_swapped_pair_is_found() -> None:
    """Swap two entries, with their values or without: the links do not fit."""
    for first in range(0, ENTRIES - 1, 1 if RELEASE else 31):
        swap = [
            sql("UPDATE entries SET seq = -1 WHERE seq = ?", first),
            sql("UPDATE entries SET seq = ? WHERE seq = ?", first, first + 1),
            sql("UPDATE entries SET seq = ? WHERE seq = -1", first + 1),
        ]
        relaxed = [_without_checks, *swap]
        assert faults_after(*relaxed), first


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


@pytest.mark.parametrize("where", [0, 1, ENTRIES // 2, ENTRIES - 2, ENTRIES - 1])
def test_a_change_with_its_own_hash_set_right_is_found(where: int) -> None:
    """An administrator who recomputes the hash of what was changed breaks the next link, or the anchor at the end."""

    def tamper(db: sqlite3.Connection) -> None:
        body = db.execute("SELECT body FROM entries WHERE seq = ?", (where,)).fetchone()[0]
        forged = body.replace(b'"kind":"', b'"kind":"x')
        assert forged != body
        db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (forged, leaf_hash(forged), where))

    assert faults_after(tamper)


def test_a_history_that_was_rewritten_to_the_end_is_found_under_the_anchor() -> None:
    """Change one entry and recompute everything after it: the log alone fits, the signed anchor does not."""

    def rewrite(db: sqlite3.Connection) -> None:
        prev = FIRST_PREV
        for seq, body in db.execute("SELECT seq, body FROM entries ORDER BY seq").fetchall():
            changed_body = body.replace(b'"kind":"agent"', b'"kind":"human"') if seq == 0 else body
            start = changed_body.index(b'"prev":"') + 8
            forged = changed_body[:start] + prev.encode() + changed_body[start + 64 :]
            db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (forged, leaf_hash(forged), seq))
            prev = leaf_hash(forged).hex()
        leaves = [row[0] for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")]
        db.execute("DELETE FROM tree")
        db.executemany("INSERT INTO tree (level, idx, hash) VALUES (?, ?, ?)", grown(Frontier(), leaves)[1])

    assert faults_after(rewrite, anchored=False) == []
    assert "history was rewritten" in faults_after(rewrite)[0]


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
