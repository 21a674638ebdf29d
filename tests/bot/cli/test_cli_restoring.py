"""`audit accept-restore`: an older copy goes on only when a person says what is lost, and everybody can see it."""

import json

import pytest

from bot.keys import load
from bot.store.engine import lock_server
from tests.bot.cli.shell import Shell
from tests.bot.cli.test_cli_audit import ADD


@pytest.fixture
def old(ready: Shell) -> Shell:
    """A database of two entries, whose anchor and whose witness have seen four."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    older = (ready.folder / "foureyes.db").read_bytes()
    for tool in ("a.b", "c.d"):
        ready("pause", "--tool", tool, "looks odd")
    (ready.folder / "witness.txt").write_bytes((ready.folder / "foureyes.head").read_bytes())
    (ready.folder / "foureyes.db").write_bytes(older)
    return ready


def test_what_is_lost_must_be_said(old: Shell) -> None:
    """Anything but the exact entries changes nothing, and says what they are."""
    head = (old.folder / "foureyes.head").read_bytes()
    ended = old("audit", "accept-restore", "the disk died", "--lost", "2..4")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Nothing changed: what is lost is 2..3.\n"
    assert (old.folder / "foureyes.head").read_bytes() == head
    assert old("audit", "verify").code == 7


def test_an_accepted_restore_is_an_entry_a_pause_and_a_fork(old: Shell) -> None:
    """It is recorded, everything is paused, the old anchor is kept, and its witness sees the other branch for ever."""
    head = (old.folder / "foureyes.head").read_bytes()
    ended = old("audit", "accept-restore", "the disk died", "--lost", "2..3")
    assert (ended.code, ended.out) == (0, "Accepted: entries 2 to 3 are lost, and everything is paused.\n")
    assert "foureyes.head.lost-2-3" in ended.err
    assert (old.folder / "foureyes.head.lost-2-3").read_bytes() == head
    assert old("status").code == 6
    entries = [json.loads(line) for line in old("audit", "show", "--json").out.splitlines()]
    assert [entry["type"] for entry in entries[2:]] == ["log.restore_accepted", "switch.paused"]
    told = entries[2]
    assert (told["data"]["size"], told["data"]["seen"], told["detached"]["reason"]) == (2, 4, "the disk died")
    assert "log entries 2 to 3 are lost" in entries[3]["detached"]["reason"]
    planned = old.rows("SELECT subject FROM outbox WHERE kind = 'announce' AND wanted_seq = 3")
    assert [tuple(row) for row in planned] == [("switch",)]
    ended = old("audit", "verify")
    assert ended.code == 0
    assert "Note: entry 2: a restore was accepted here; the entries 2 to 3 that were signed then are lost" in ended.err
    ended = old("audit", "verify", "--against", "witness.txt")
    assert ended.code == 7
    assert "entry 2 says that a restore gave up entries 2 to 3: this may be what was there" in ended.out


def test_a_second_restore_of_the_same_keeps_both_anchors(old: Shell) -> None:
    """No evidence is written over."""
    older = (old.folder / "foureyes.db").read_bytes()
    old("audit", "accept-restore", "the disk died", "--lost", "2..3")
    (old.folder / "foureyes.db").write_bytes(older)
    assert old("audit", "accept-restore", "again", "--lost", "2..3").code == 0
    kept = sorted(path.name for path in old.folder.glob("foureyes.head.lost*"))
    assert kept == ["foureyes.head.lost-2-3", "foureyes.head.lost-2-3-1"]


def test_only_an_older_copy_of_this_log_is_accepted(old: Shell) -> None:
    """Not a log that is not behind, not another one, not a broken one, and not under a running server."""
    with lock_server(old.folder / "foureyes.db"):
        assert "stop it" in old("audit", "accept-restore", "x", "--lost", "2..3").err
    good = (old.folder / "foureyes.db").read_bytes()
    old.tamper("UPDATE detached SET value = '\"all well\"'")
    ended = old("audit", "accept-restore", "x", "--lost", "2..3")
    assert (ended.code, "Nothing changed. BROKEN entry" in ended.err) == (7, True)
    (old.folder / "foureyes.db").write_bytes(good)
    old.tamper("DELETE FROM detached", "DELETE FROM checkpoints", "DELETE FROM entries")
    assert "it is another one" in old("audit", "accept-restore", "x", "--lost", "0..3").err
    (old.folder / "foureyes.db").write_bytes(good)
    assert old("audit", "accept-restore", "x", "--lost", "2..3").code == 0
    assert "is not behind" in old("audit", "accept-restore", "x", "--lost", "2..3").err
    assert load(old.folder / "foureyes.key").retired == {}


def test_it_asks_a_person(old: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --lost the entries are typed."""
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "2..3"

    monkeypatch.setattr("typer.prompt", prompt)
    assert old("audit", "accept-restore", "the disk died").code == 0
    assert asked == ["Entries 2 to 3 are lost. Type 2..3"]
