"""The verifier: every kind of damage has its place and its sentence, and a whole log has none."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from bot.audit.log_format import FIRST_PREV, Entry, canonical, disclosure_digest, leaf_hash, seal
from bot.audit.report import Broken, Report
from bot.audit.signed_note import Checkpoint
from bot.audit.verify import verify
from tests.bot.audit.signing import checkpoint_of

AT = "2026-01-31T12:00:00.000000Z"
SALT = "c2FsdHNhbHRzYWx0c2FsdA"
LINK = "the entry does not link to the one before: one of them was changed, moved or removed"
HASH = "the stored hash is not the hash of the entry: one of them was changed"


class Log:
    """A log of six entries, two of them with detached values, in tables that guard nothing: an attacker has them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.db = connection
        self.entries: list[Entry] = []
        self.db.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, subject, type, at, body, leaf_hash)")
        self.db.execute("CREATE TABLE detached (seq, name, salt, value)")
        for seq in range(6):
            self.append({"reason": '"late"', "name": '"Maya"'} if seq in (1, 4) else {})

    def append(self, detached: dict[str, str], kind: str = "x.y", data: object = None) -> None:
        """Write an entry as the store does."""
        seq = len(self.entries)
        sd = [disclosure_digest(SALT, name, value) for name, value in detached.items()]
        prev = self.entries[-1].leaf_hash if self.entries else None
        entry = seal(
            seq=seq,
            prev=prev,
            entry_id=f"evt_{seq}",
            at=AT,
            kind=kind,
            actor={"kind": "system", "ref": "clock"},
            subject="s",
            policy=None,
            data={"n": seq} if data is None else data,  # type: ignore[arg-type]  # an attacker's entry
            sd=sd,
        )
        self.entries.append(entry)
        row = (seq, kind, AT, entry.body, entry.leaf_hash)
        self.db.execute("INSERT INTO entries VALUES (?, 's', ?, ?, ?, ?)", row)
        for name, value in detached.items():
            self.db.execute("INSERT INTO detached VALUES (?, ?, ?, ?)", (seq, name, SALT, value))

    def rewrite(self, seq: int, body: bytes) -> None:
        """Put another body in, with its right hash."""
        self.db.execute("UPDATE entries SET body = ?, leaf_hash = ? WHERE seq = ?", (body, leaf_hash(body), seq))

    def edited(self, place: int, **changed: Any) -> bytes:  # noqa: ANN401 - JSON
        """Give the body of an entry with fields changed."""
        return canonical({**json.loads(self.entries[place].body), **changed})

    def rebuild_from(self, seq: int) -> None:
        """Link everything from here on anew, as an administrator with time would."""
        prev = bytes(self.db.execute("SELECT leaf_hash FROM entries WHERE seq = ?", (seq,)).fetchone()[0])
        for later in range(seq + 1, len(self.entries)):
            body = self.edited(later, prev=prev.hex())
            self.rewrite(later, body)
            prev = leaf_hash(body)

    @property
    def anchor(self) -> Checkpoint:
        """What the server would have signed after the last entry."""
        return checkpoint_of(self.db)

    def broken(self, anchor: Checkpoint | None = None) -> list[tuple[int, str]]:
        """List what the verifier says."""
        return [(fault.seq, fault.what) for fault in verify(self.db, anchor).broken]


@pytest.fixture
def log() -> Iterator[Log]:
    """A whole log."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield Log(connection)


def test_a_whole_log_has_no_fault(log: Log) -> None:
    """The report tells how far the log goes, and how far the anchor covers it."""
    assert verify(log.db, None) == Report(6, log.entries[-1].leaf_hash.hex(), 0, [])
    assert verify(log.db, log.anchor) == Report(6, log.entries[-1].leaf_hash.hex(), 6, [])
    assert verify(log.db, checkpoint_of(log.db, 4)) == Report(6, log.entries[-1].leaf_hash.hex(), 4, [])
    assert not log.db.in_transaction


def test_an_empty_log_is_whole(log: Log) -> None:
    """Before the first entry there is nothing to be wrong, unless the anchor remembers some."""
    anchor = log.anchor
    log.db.executescript("DELETE FROM entries; DELETE FROM detached")
    assert verify(log.db, None) == Report(0, FIRST_PREV, 0, [])
    assert log.broken(anchor) == [(0, "the last 6 of 6 anchored entries are missing")]


def test_a_changed_byte_is_found(log: Log) -> None:
    """A body that was changed does not fit its hash, its form, or the link of the next."""
    log.db.execute("UPDATE entries SET body = replace(CAST(body AS TEXT), '\"n\":2', '\"n\":7') WHERE seq = 2")
    assert log.broken() == [(2, HASH), (3, LINK)]


def test_a_changed_body_with_its_right_hash_is_found(log: Log) -> None:
    """Recomputing the hash moves the fault to the link of the next entry."""
    log.rewrite(2, log.edited(2, data={"n": 7}))
    assert log.broken() == [(3, LINK)]


def test_a_rewritten_history_is_found_by_the_anchor_alone(log: Log) -> None:
    """Who links everything anew has a log that is whole in itself, and is caught by what was signed before."""
    anchor = log.anchor
    log.rewrite(2, log.edited(2, data={"n": 7}))
    log.rebuild_from(2)
    assert log.broken() == []
    assert log.broken(anchor) == [(5, "the log differs from the signed anchor at this entry: history was rewritten")]


def test_a_log_made_anew_is_of_another_origin(log: Log) -> None:
    """A log that was begun again has another first entry than the anchor knows."""
    origin = log.anchor.origin
    log.rewrite(0, log.edited(0, data={"n": 9}))
    log.rebuild_from(0)
    anchor = replace(checkpoint_of(log.db, 3), origin=origin)
    ((seq, told),) = log.broken(anchor)
    assert (seq, told.partition(":")[0]) == (0, f"the anchor is of another log, {anchor.origin}")


def test_a_changed_hash_is_found(log: Log) -> None:
    """The stored hash is checked against the body, and the next entry does not follow a wrong one."""
    log.db.execute("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 2")
    assert log.broken() == [(2, HASH)]
    log.db.execute("UPDATE entries SET leaf_hash = 'text' WHERE seq = 2")
    assert log.broken() == [(2, HASH)]


def test_a_removed_entry_is_found(log: Log) -> None:
    """A gap is named, and the link over it does not hold."""
    log.db.execute("DELETE FROM entries WHERE seq = 2")
    assert log.broken() == [(2, "entry 2 is missing: the next one is 3"), (3, LINK)]


def test_the_first_entry_removed_is_found(log: Log) -> None:
    """The log has to begin at 0."""
    log.db.execute("DELETE FROM entries WHERE seq = 0")
    assert log.broken() == [(0, "entry 0 is missing: the next one is 1"), (1, LINK)]


def test_a_cut_tail_is_found_by_the_anchor_alone(log: Log) -> None:
    """A log whose tail was cut is whole in itself; the anchor says how many are gone."""
    anchor = log.anchor
    log.db.executescript("DELETE FROM entries WHERE seq > 2; DELETE FROM detached WHERE seq > 2")
    assert log.broken() == []
    assert log.broken(anchor) == [(3, "the last 3 of 6 anchored entries are missing")]
    assert verify(log.db, anchor).anchored == 3


def test_swapped_entries_are_found(log: Log) -> None:
    """Two entries that changed places call themselves by their old numbers and link wrongly."""
    for seq, other in ((2, 3), (3, 2)):
        log.rewrite(seq, log.entries[other].body)
    assert log.broken() == [
        (2, "the entry calls itself 3"),
        (2, LINK),
        (3, "the entry calls itself 2"),
        (3, LINK),
        (4, LINK),
    ]


def test_an_inserted_entry_is_found(log: Log) -> None:
    """An entry pushed in before the first one, or between, cannot link."""
    body = log.edited(0, seq=-1)
    log.db.execute("INSERT INTO entries VALUES (-1, 's', 'x.y', ?, ?, ?)", (AT, body, leaf_hash(body)))
    assert (0, "entry 0 is missing: the next one is -1") in log.broken()
    assert (0, LINK) in log.broken()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"a":NaN}',
        b"1" * 5000,
    ],
)
def test_an_unreadable_entry_is_found(log: Log, body: bytes) -> None:
    """Whatever the bytes are, the verifier goes on to the next entry."""
    log.rewrite(5, body)
    assert [fault[0] for fault in log.broken()] == [5]
    assert log.broken()[0][1].startswith("the entry ")


@pytest.mark.parametrize("field", ["_sd", "seq", "actor"])
def test_a_missing_field_is_found(log: Log, field: str) -> None:
    """An entry has exactly its fields."""
    found = json.loads(log.entries[5].body)
    del found[field]
    log.rewrite(5, canonical(found))
    assert log.broken() == [(5, "the entry does not have the fields of an entry")]


@pytest.mark.parametrize("value", ["", None, {}])
def test_digests_are_a_list(log: Log, value: Any) -> None:  # noqa: ANN401 - JSON
    """What is no list of digests is no entry."""
    log.rewrite(5, log.edited(5, _sd=value))
    assert log.broken() == [(5, "the entry does not have the fields of an entry")]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"'])
def test_what_is_no_object_is_no_entry(log: Log, body: bytes) -> None:
    """JSON that is no object is said to be none."""
    log.rewrite(5, body)
    assert log.broken() == [(5, "the entry does not have the fields of an entry")]


def test_a_number_that_is_no_integer_cannot_be_read(log: Log) -> None:
    """A float cannot be in an entry, so it cannot have been written by us."""
    log.rewrite(5, log.entries[5].body.replace(b'"n":5', b'"n":5.0'))
    assert log.broken() == [(5, "the entry cannot be read")]


@pytest.mark.parametrize(
    ("old", "new"), [(b'"n":5', b'"n": 5'), (b'{"n":5}', b'{"n":4,"n":5}'), (b"x.y", rb"x\u002ey")]
)
def test_another_spelling_of_the_same_entry_is_found(log: Log, old: bytes, new: bytes) -> None:
    """Two spellings of one meaning have two hashes; only the canonical one is ours."""
    log.rewrite(5, log.entries[5].body.replace(old, new))
    assert log.broken() == [(5, "the entry is not in canonical form")]


def test_a_version_from_the_future_is_said(log: Log) -> None:
    """A format that this program does not know is not passed as whole."""
    log.rewrite(5, log.edited(5, v=2))
    assert log.broken() == [(5, "the entry is of format 2, which this program does not know; use a newer one")]


@pytest.mark.parametrize("column", ["subject", "type", "at"])
def test_a_changed_look_up_column_is_found(log: Log, column: str) -> None:
    """A column that repeats the entry cannot be used to hide it from a search."""
    log.db.execute(f"UPDATE entries SET {column} = 'other' WHERE seq = 3")  # noqa: S608 - a parameter of this test
    assert log.broken() == [(3, "the look-up columns differ from the entry")]


@pytest.mark.parametrize(
    "change", ["value = '\"early\"'", "salt = 'another'", "name = 'other'", "value = NULL", "salt = x'00'"]
)
def test_a_changed_detached_value_is_found(log: Log, change: str) -> None:
    """Value, salt and name are all under the digest in the entry."""
    log.db.execute(f"UPDATE detached SET {change} WHERE seq = 4 AND name = 'reason'")  # noqa: S608 - a parameter
    name = "other" if "name" in change else "reason"
    assert log.broken() == [(4, f"the detached value '{name}' was changed")]


def test_a_removed_detached_value_is_found(log: Log) -> None:
    """A value that is gone without a recorded erasure is damage, even where another row fills its place."""
    gone = "of its detached values are gone and no erasure was recorded"
    log.db.execute("DELETE FROM detached WHERE seq = 4 AND name = 'reason'")
    assert log.broken() == [(4, f"1 {gone}")]
    log.db.execute("INSERT INTO detached SELECT * FROM detached WHERE seq = 4 AND name = 'name'")
    assert log.broken() == [(4, f"1 {gone}")]
    log.db.execute("DELETE FROM detached")
    assert log.broken() == [(1, f"2 {gone}"), (4, f"2 {gone}")]


def test_a_changed_and_a_removed_value_are_two_faults(log: Log) -> None:
    """One fault does not hide the other."""
    log.db.execute("DELETE FROM detached WHERE seq = 4 AND name = 'name'")
    log.db.execute("UPDATE detached SET value = '\"early\"' WHERE seq = 4")
    assert log.broken() == [
        (4, "the detached value 'reason' was changed"),
        (4, "1 of its detached values are gone and no erasure was recorded"),
    ]


@pytest.mark.parametrize("seq", [-1, 3, 99])
def test_a_detached_value_of_nothing_is_found(log: Log, seq: int) -> None:
    """A value that no entry promised is damage, wherever it stands."""
    log.db.execute("INSERT INTO detached VALUES (?, 'extra', 's', '1')", (seq,))
    what = "was changed" if seq == 3 else "belongs to no entry"
    assert log.broken() == [(seq, f"the detached value 'extra' {what}")]


def erased(count: object, day: str = AT[:10]) -> dict[str, object]:
    """Give what an entry says that tells of an erasure."""
    return {"why": "term", "gone": [{"day": day, "days": 30, "count": count}]}


def test_a_recorded_erasure_is_no_fault(log: Log) -> None:
    """So many of that day may be gone, and the report says how many under which term."""
    log.db.execute("DELETE FROM detached WHERE seq = 1")
    log.append({}, "values.erased", erased(2))
    report = verify(log.db, None)
    assert (report.broken, report.erased) == ([], {("term", 30): 2})


def test_what_was_recorded_and_is_still_there_is_no_fault(log: Log) -> None:
    """Between the commit of the erasure and its keys' end the values can be read."""
    log.append({}, "values.erased", erased(2))
    assert log.broken() == []


def test_more_gone_than_was_recorded_is_found(log: Log) -> None:
    """An erasure is no cover for another one, on its day or on any other."""
    log.db.execute("DELETE FROM detached WHERE name = 'reason'")
    log.append({}, "values.erased", erased(1))
    several = "2 detached values of 2026-01-31 are gone, and the erasure of 1 was recorded"
    assert log.broken() == [(1, several)]
    log.append({}, "values.erased", erased(7, "2026-02-01"))
    assert log.broken() == [(1, several)]
    log.append({}, "values.erased", erased(1))
    assert log.broken() == []


@pytest.mark.parametrize(
    "data", [{"why": "term"}, {"gone": []}, erased("many"), erased(None), {"why": "x", "gone": 7}, [1], {"gone": ["x"]}]
)
def test_an_erasure_that_cannot_be_read_has_erased_nothing(log: Log, data: object) -> None:
    """Whatever an attacker writes there, it excuses nothing and stops no verification."""
    log.db.execute("DELETE FROM detached WHERE seq = 1")
    log.append({}, "values.erased", data)
    assert log.broken() == [(1, "2 of its detached values are gone and no erasure was recorded")]


def test_what_cannot_be_opened_here_is_counted(log: Log) -> None:
    """Without the keys only those values are missed that are not there at all."""
    log.db.execute("UPDATE detached SET salt = NULL, value = NULL WHERE seq = 4")
    assert log.broken() == [(4, "2 of its detached values are gone and no erasure was recorded")]
    report = verify(log.db, None, opens=False)
    assert (report.broken, report.unopened) == ([], 2)
    log.db.execute("DELETE FROM detached WHERE seq = 4 AND name = 'name'")
    (fault,) = verify(log.db, None, opens=False).broken
    assert fault == Broken(4, "1 of its detached values are gone and no erasure was recorded")


def test_a_body_of_another_type_does_not_stop_the_verifier(log: Log) -> None:
    """Text with the same bytes is the same entry; a number is damage and no crash."""
    log.db.execute("UPDATE entries SET body = CAST(body AS TEXT) WHERE seq = 1")
    assert log.broken() == []
    log.db.execute("UPDATE entries SET body = 99999999999 WHERE seq = 5")
    assert log.broken() == [(5, HASH), (5, "the entry does not have the fields of an entry")]


def test_the_first_fifty_faults_are_enough() -> None:
    """A log that is broken all over does not fill the screen or the memory."""
    report = Report()
    for seq in range(100):
        report.add(seq, "x")
    assert len(report.broken) == 50
    assert report.broken[-1] == Broken(49, "x")


def test_an_unusable_table_ends_the_transaction(log: Log) -> None:
    """An error of the database is the caller's to tell; the connection stays usable."""
    log.db.execute("DROP TABLE detached")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        verify(log.db, None)
    assert not log.db.in_transaction
