"""The tamper matrix: every table and column of the record, every way to damage it, found and rightly told.

`audit verify` and the verifier of one file share no code; over every damage to the log's bytes they agree.
"""

import sqlite3
from pathlib import Path

import pytest
from foureyes_verify import Keys, check_all

from bot.audit import anchor
from bot.audit.against import hold_against
from bot.audit.anchor import AnchorError
from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import Checkpoint, checkpoint_in, origin_of, signed_checkpoint
from bot.audit.statements import statements_in
from bot.audit.verify import verify
from tests.tamper.damages import OUTSIDE, OUTSIDE_COLUMNS, TABLES, Damage, damages, leaves_of
from tests.tamper.ground import Ground, ground
from tests.tamper.matrix import ENTRIES, told_by_file, told_of, tried

AT_EVERY_CHANGE = 3  # places in each table; a release looks at many more
DAMAGES = {damage.name: damage for damage in damages()}


@pytest.fixture(scope="module")
def where() -> Ground:
    """The log, made once."""
    return ground(ENTRIES)


def test_nothing_is_found_where_nothing_was_done(where: Ground, tmp_path: Path) -> None:
    """Both verifiers call the log whole, and its folds."""
    with where.copy() as db:
        assert told_of(db, where) == []
        assert told_by_file(db, where, tmp_path) == []
        assert verify(db, checkpoint_in(where.note, where.keys), where.keys).anchored >= ENTRIES


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_found_and_rightly_told(where: Ground, name: str) -> None:
    """At the first row, the last, and between; by the verifier of one file where the log's bytes show it."""
    row = tried(where, DAMAGES[name], AT_EVERY_CHANGE)
    assert row.tried
    assert (row.missed, row.disagreed) == ([], [])


@pytest.mark.long
@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_in_a_long_log(name: str) -> None:
    """The same in 10,000 entries, at a hundred places of each table."""
    row = tried(ground(10_000), DAMAGES[name], 100)
    assert (row.missed, row.disagreed) == ([], [])


def test_every_table_and_column_has_its_place_in_the_matrix(where: Ground) -> None:
    """What is neither tampered with here nor excused with a reason was forgotten; nothing is excused that is gone."""
    tried_columns = {table.name: set(table.columns) for table in TABLES}
    with where.copy() as db:
        names = [row[0] for row in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
        for name in names:
            columns = {row[1] for row in db.execute(f"PRAGMA main.table_info({name})")}
            if name not in OUTSIDE:
                assert tried_columns[name] | set(OUTSIDE_COLUMNS.get(name, {})) == columns, name
                assert not tried_columns[name] & set(OUTSIDE_COLUMNS.get(name, {})), name
    assert set(names) == set(tried_columns) | set(OUTSIDE)


def test_every_table_of_the_record_has_rows(where: Ground) -> None:
    """A damage that has no row to be done to would pass for found."""
    with where.copy() as db:
        assert all(db.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in TABLES)  # noqa: S608


def test_the_anchor_is_found_whatever_is_done_to_it(where: Ground, tmp_path: Path) -> None:
    """One bit anywhere in it, half of it, or one of another key: it is not believed."""
    path = tmp_path / "anchor"
    whole = where.note.encode()
    texts = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for text in [*texts, whole[: len(whole) // 2], b""]:
        path.write_bytes(text)
        with pytest.raises(AnchorError):
            anchor.read(path, where.keys)


def test_yesterdays_copy_is_found_by_the_anchor(where: Ground, tmp_path: Path) -> None:
    """A database that was put back is whole in itself, and shorter than what was signed beside the key."""
    with where.copy(early=True) as db:
        assert verify(db, checkpoint_in(where.early_note, where.keys), where.keys).broken == []
        told = [what for _, what in told_of(db, where)]
        assert any("anchored entries are missing" in what for what in told), told
        assert any("the last are missing" in what for _, what in told_by_file(db, where, tmp_path))


def held_against(db: sqlite3.Connection, where: Ground, *texts: str) -> list[str]:
    """Give what contradicts the statements in some texts."""
    return hold_against(db, {"kept": statements_in("\n".join(texts))}, where.keys).broken


def test_yesterdays_copy_with_yesterdays_anchor_is_found_by_an_agent(where: Ground, tmp_path: Path) -> None:
    """Whoever puts both back has forgotten the grant that an agent was given since."""
    grant = tmp_path / "grant.jws"
    grant.write_text(where.grants[-1], "utf-8")
    with where.copy(early=True) as db:
        assert held_against(db, where, where.grants[0]) == []
        assert "entries" in held_against(db, where, where.grants[-1])[0]
        (tmp_path / "log.db").write_bytes(db.serialize())
    reports, _ = check_all([tmp_path / "log.db", grant], Keys((where.keys[0],), given=True), 1)
    assert any("the last ones are missing" in fault["what"] for fault in reports[0].broken)


def anew(db: sqlite3.Connection, where: Ground, seq: int) -> str:
    """Rewrite the log from an entry on with the stolen key: entries, tree, checkpoints; gives the anchor's new text."""
    (sizes,) = zip(*db.execute("SELECT size FROM checkpoints").fetchall(), strict=True)
    DAMAGES["entries: the same, and no checkpoint in the database"].apply(db, seq)
    leaves = leaves_of(db)

    def note(size: int) -> str:
        found = Checkpoint(origin_of(leaves[0]), size, grown(Frontier(), leaves[:size])[0].root)
        return signed_checkpoint(found, [where.key.signer])

    for size in sizes:
        db.execute("INSERT INTO checkpoints VALUES (?, ?, '2026')", (size, note(size)))
    return note(len(leaves))


@pytest.mark.parametrize("seq", [0, 1, 5])
def test_a_rewrite_with_the_stolen_key_is_found_by_its_witnesses(where: Ground, tmp_path: Path, seq: int) -> None:
    """Everything fits, and is signed; a grant in the hands of an agent, and an old anchor in a drawer, do not."""
    with where.copy() as db:
        forged = anew(db, where, seq)
        assert verify(db, checkpoint_in(forged, where.keys), where.keys).broken == []
        for kept in (where.note, where.grants[-1]):
            told = held_against(db, where, kept)
            assert told, kept
        (tmp_path / "log.db").write_bytes(db.serialize())
    for name, kept in (("anchor", where.note), ("grant.jws", where.grants[-1])):
        (tmp_path / name).write_text(kept, "utf-8")
        reports, _ = check_all([tmp_path / "log.db", tmp_path / name], Keys((where.keys[0],), given=True), 1)
        told = [fault["what"] for report in reports for fault in report.broken]
        assert any("history was rewritten" in what or "is of another log" in what for what in told), told


def first(told: list[tuple[int | None, str]]) -> int | None:
    """Where the trouble with the entries begins; a subtree or a checkpoint has no place of its own."""
    about = ("hash", "link", "calls itself", "columns")
    return min((seq for seq, what in told if seq is not None and any(word in what for word in about)), default=None)


@pytest.mark.parametrize("name", [name for name, damage in DAMAGES.items() if damage.table == "entries"])
def test_both_verifiers_see_the_trouble_begin_at_one_place(where: Ground, tmp_path: Path, name: str) -> None:
    """What an auditor is told by the one is what the other tells."""
    with where.copy() as db:
        DAMAGES[name].apply(db, ENTRIES // 2)
        assert first(told_of(db, where)) == first(told_by_file(db, where, tmp_path))


def test_a_reason_that_is_not_told_is_missed(where: Ground) -> None:
    """The matrix itself: a damage that nobody finds, or finds for another reason, is a fault of the row."""
    harmless = Damage("entries", "nothing", "was changed", lambda _db, _place: None)
    assert len(tried(where, harmless, 2).missed) == 2
    assert len(tried(where, harmless, 2).disagreed) == 2
