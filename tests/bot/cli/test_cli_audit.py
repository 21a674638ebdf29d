"""`audit verify | show | checkpoint`: 7 for every damage, 3 where nothing can be said, 0 only for a whole log."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from approval_rules.decide import CLOCK
from approval_rules.log_events import GuardsPutBack
from bot.cli.session import write
from tests.bot.cli.shell import Shell

ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A shell whose database has three entries."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    ready("resume", "--tool", "payments.refund", "was fine")
    return ready


def test_a_whole_log(kept: Shell) -> None:
    """One sentence, exit 0; JSON says the same in figures."""
    ended = kept("audit", "verify")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "The log is whole: 3 entries, 3 of them under the anchor.\n"
    found = kept("audit", "verify", "--json").json()
    assert (found["entries"], found["anchored"], found["broken"], found["warnings"]) == (3, 3, [], [])
    assert len(found["head"]) == 64
    assert kept("audit", "verify", "--log-only").code == 0


def test_an_empty_log_is_whole(ready: Shell) -> None:
    """A database that was just made has nothing to be broken."""
    assert ready("audit", "verify").out == "The log is whole: 0 entries, 0 of them under the anchor.\n"


def test_entries_newer_than_the_anchor_are_a_note(kept: Shell) -> None:
    """Between two ticks of a server the log is ahead; that is no fault."""
    head = kept.folder / "foureyes.head"
    older = head.read_bytes()
    kept("pause", "--tool", "a.b", "x")
    head.write_bytes(older)
    ended = kept("audit", "verify")
    assert ended.code == 0
    assert ended.err == "Note: the last entry is newer than the anchor, which a running server writes each second\n"
    kept("pause", "--tool", "a.c", "x")
    head.write_bytes(older)
    assert "the last 2 entries are newer than the anchor" in kept("audit", "verify").err


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'paused', 'passed') AS BLOB) WHERE seq = 1",
            "BROKEN entry 1: the stored hash is not the hash of the entry",
        ),
        ("DELETE FROM entries WHERE seq = 2", "BROKEN entry 2: the last 1 of 3 anchored entries are missing"),
        ("UPDATE detached SET value = '\"all well\"'", "BROKEN entry 1: the detached value 'reason' was changed"),
        ("DELETE FROM detached", "BROKEN entry 1: 1 of its detached values are gone"),
        (
            "INSERT INTO proposals VALUES ('prop_1', 'a', 't', 'blocked', NULL, NULL, NULL, NULL, NULL, '2026', 1)",
            "BROKEN index: prop_1 is in the index and not in the log",
        ),
        ("DROP TABLE detached", "BROKEN the database file is damaged: no such table: main.detached; restore it"),
    ],
)
def test_every_damage_is_found(kept: Shell, damage: str, told: str) -> None:
    """An administrator who edits the file is caught, with the place and exit code 7."""
    kept.tamper("PRAGMA foreign_keys = OFF", damage)
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert told in ended.out
    assert "The log is BROKEN" in ended.out
    assert kept("audit", "verify", "--json").code == 7
    if "index" in told:
        assert kept("audit", "verify", "--log-only").code == 0


def test_a_torn_page_is_damage(kept: Shell) -> None:
    """A file that SQLite itself cannot read is broken, and not a traceback."""
    file = kept.folder / "foureyes.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'entries'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(file.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    file.write_bytes(data)
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "BROKEN the database file is damaged: database disk image is malformed" in ended.out
    other = kept("agent", "add", "b", "--owner", "U0SAM", "--tool", "a.b")
    assert (other.code, other.out) == (3, "")
    other = kept("audit", "show")
    assert other.code == 3
    assert "the database cannot be read: database disk image is malformed; `foureyes doctor` looks closer" in other.err


@pytest.mark.parametrize("name", ["foureyes.head", "foureyes.key"])
def test_a_missing_file_beside_the_database_is_no_whole_log(kept: Shell, name: str) -> None:
    """Without the anchor, or the key to check it with, nobody can say that nothing was cut off."""
    (kept.folder / name).unlink()
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert ended.out.startswith(f"BROKEN {name}")
    assert "restore it from" in ended.out
    assert "Note: the entries, links and hashes are whole among themselves" in ended.err
    kept.tamper("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = 1")
    assert "whole among themselves" not in kept("audit", "verify").err


def test_an_anchor_of_another_log_covers_nothing(kept: Shell) -> None:
    """Signed with this key, for a database that was here before: no entry of this one is under it."""
    for name in ("foureyes.db", "foureyes.db-wal", "foureyes.db-shm"):
        (kept.folder / name).unlink(missing_ok=True)
    head = (kept.folder / "foureyes.head").read_bytes()
    (kept.folder / "foureyes.head").unlink()
    kept("db", "upgrade")
    kept("pause", "--tool", "payments.refund", "another log")
    (kept.folder / "foureyes.head").write_bytes(head)
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "the anchor is of another log" in ended.out
    assert ended.out.endswith("The log is BROKEN: 1 entry, 0 of them under the anchor.\n")
    assert "newer than the anchor" not in ended.err


def test_a_forged_anchor_is_broken(kept: Shell) -> None:
    """An anchor that the key did not sign counts for nothing; the log is checked nevertheless."""
    head = kept.folder / "foureyes.head"
    head.write_text(head.read_text("utf-8").replace("\n3\n", "\n1\n"), "utf-8")
    kept.tamper("UPDATE detached SET value = '\"all well\"'")
    ended = kept("audit", "verify", "--json")
    assert ended.code == 7
    assert [fault["seq"] for fault in ended.json()["broken"]] == [None, 1, 2]


def test_no_database_is_not_ready(shell: Shell) -> None:
    """Where there is nothing to verify, the exit code is not that of a broken log."""
    ended = shell("audit", "verify")
    assert ended.code == 3
    assert ended.err == "foureyes: there is no database at foureyes.db; run `foureyes init` or `foureyes db upgrade`\n"


def test_checkpoint_signs_a_whole_log_only(kept: Shell) -> None:
    """The way out of a lost anchor; never a way to bless damage."""
    (kept.folder / "foureyes.head").unlink()
    ended = kept("audit", "checkpoint")
    assert (ended.code, ended.out) == (0, "Anchored 3 entries in foureyes.head.\n")
    assert kept("audit", "verify").code == 0
    kept.tamper("UPDATE detached SET value = '\"all well\"'")
    before = (kept.folder / "foureyes.head").read_bytes()
    ended = kept("audit", "checkpoint")
    assert (ended.code, ended.out) == (7, "")
    assert ended.err.startswith("Not anchored. BROKEN entry 1: the detached value 'reason' was changed\n")
    assert (kept.folder / "foureyes.head").read_bytes() == before
    (kept.folder / "foureyes.key").unlink()
    kept.tamper("UPDATE detached SET value = '\"was fine\"' WHERE seq = 2")
    assert "Not anchored. BROKEN foureyes.key: there is no signing key" in kept("audit", "checkpoint").err


def test_show_lists_entries_with_their_values(kept: Shell) -> None:
    """Oldest first, by subject, from an index on; one JSON object a line for programs."""
    lines = kept("audit", "show").out.splitlines()
    assert len(lines) == 3
    assert "switch.paused" in lines[1]
    assert '"reason": "looks odd"' in lines[1]
    entries = [json.loads(line) for line in kept("audit", "show", "--json").out.splitlines()]
    assert [(entry["seq"], entry["type"]) for entry in entries[2:]] == [(2, "switch.resumed"), (3, "auditor.looked")]
    assert entries[2]["detached"] == {"reason": "was fine"}
    assert len(kept("audit", "show", "--subject", "switch").out.splitlines()) == 2
    assert kept("audit", "show", "--since", "2", "--limit", "1").out.startswith("     2  ")
    assert len(kept("audit", "show", "--limit", "1").out.splitlines()) == 1
    assert kept("audit", "show", "--limit", "0").code == 2


def test_no_command_moves_the_anchor_back(kept: Shell) -> None:
    """With an older copy in place a pause still works, and the evidence that it is older stays."""
    for end in ("-wal", "-shm"):
        assert not (kept.folder / f"foureyes.db{end}").exists()
    older = (kept.folder / "foureyes.db").read_bytes()
    kept("pause", "--tool", "mail.send", "odd too")
    head = (kept.folder / "foureyes.head").read_bytes()
    (kept.folder / "foureyes.db").write_bytes(older)
    for _ in range(3):
        assert kept("pause", "--tool", "mail.send", "odd too").code == 0
        assert (kept.folder / "foureyes.head").read_bytes() == head
        assert kept("audit", "verify").code == 7


def test_a_clock_that_was_set_back_puts_nothing_before_what_stands(
    kept: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command's entry has the time of the one before it at least; an entry that has not is a note, and no fault."""
    early = datetime(2001, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("bot.cli.session.SteadyClock", lambda: lambda: early)
    assert kept("pause", "--tool", "mail.send", "odd too").code == 0
    times = [row[0] for row in kept.rows("SELECT at FROM entries ORDER BY seq")]
    assert times == sorted(times)
    assert kept("audit", "verify").err == ""
    monkeypatch.setattr("bot.cli.session.not_before", lambda clock, _: clock)
    kept("pause", "--tool", "mail.read", "odd too")
    ended = kept("audit", "verify")
    assert ended.code == 0
    assert "says an earlier time than the one before it: a clock was set back" in ended.err


def test_an_entry_that_is_too_large_is_not_recorded(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence, and a log that is as it was."""
    ready(*ADD)
    monkeypatch.setattr("bot.audit.log_format.MAX_ENTRY_BYTES", 300)
    ended = ready("pause", "--tool", "payments.refund", "looks odd")
    assert ended.code == 3
    assert ended.err.startswith("foureyes: an entry switch.paused of ")
    assert ended.err.endswith(" bytes is over 300: nothing was recorded; give less\n")
    assert ready("audit", "verify").out == "The log is whole: 1 entry, 1 of them under the anchor.\n"


def test_a_dropped_trigger_is_found(ready: Shell) -> None:
    """Though every entry is there still: somebody could have changed the log, and may again."""
    ready(*ADD)
    with closing(sqlite3.connect(ready.folder / "foureyes.db")) as db:
        db.execute("DROP TRIGGER entries_never_change")
        db.commit()
    for arguments in ((), ("--log-only",)):
        ended = ready("audit", "verify", *arguments)
        assert ended.code == 7
        assert "BROKEN schema: the trigger entries_never_change is gone: somebody dropped it" in ended.out


def test_that_triggers_were_put_back_is_said_for_ever(ready: Shell) -> None:
    """The log is whole, and whoever reads it learns that it could have been changed."""
    ready(*ADD)
    write(lambda tx: tx.record(GuardsPutBack(tx.at, CLOCK, ("entries_never_change", "entries_never_go"))))
    ended = ready("audit", "verify")
    assert ended.code == 0
    assert "Note: entry 1: the triggers entries_never_change, entries_never_go were gone or changed" in ended.err
