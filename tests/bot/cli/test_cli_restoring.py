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


@pytest.fixture
def rotated(ready: Shell) -> Shell:
    """A database of two entries, put back after the signing key was exchanged in the entries that are lost."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    older = (ready.folder / "foureyes.db").read_bytes()
    ready("pause", "--tool", "a.b", "looks odd")
    assert ready("key", "rotate").code == 0
    assert ready("key", "retire", "--now").code == 0
    assert ready("audit", "verify").code == 0
    (ready.folder / "foureyes.db").write_bytes(older)
    return ready


def said_of_keys(shell: Shell) -> list[tuple[str, int | None]]:
    """Give what the log says of signing keys."""
    entries = [json.loads(line) for line in shell("audit", "show", "--json").out.splitlines()]
    told = [entry["data"] for entry in entries if entry["type"] == "log.key_changed"]
    return [(data["change"], data.get("size")) for data in told]


def test_a_restore_that_lost_an_exchange_of_the_key_says_it_again(rotated: Shell) -> None:
    """The log says who signs and who does not; the old key counts for no entry that took the place of a lost one."""
    old_key = next(iter(load(rotated.folder / "foureyes.key").retired))
    ended = rotated("audit", "accept-restore", "the disk died", "--lost", "2..4")
    assert ended.code == 0, ended.err
    assert "The log says again which signing keys were retired" in ended.err
    assert said_of_keys(rotated) == [("added", None), ("retired", 2)]
    assert "Signing keys that were retired stay so" in rotated("audit", "show", "--json").out
    assert load(rotated.folder / "foureyes.key").retired == {old_key: 2}
    ended = rotated("audit", "verify")
    assert ended.code == 0, ended.out
    told = rotated("audit", "export", "--tiles", "export").out
    assert told.endswith(" retired 2'\n"), told  # quoted, for a shell
    assert (rotated.folder / "export" / "keys.txt").read_text("utf-8").splitlines()[1].endswith(" retired 2")


def test_what_was_accepted_before_can_be_said_again_too(rotated: Shell) -> None:
    """`key retire` ends what a restore of an earlier version left; a second time there is nothing to do."""
    (rotated.folder / "foureyes.head").unlink()
    assert rotated("audit", "checkpoint").code == 0
    ended = rotated("audit", "verify")
    assert (ended.code, "`foureyes key retire` ends what was begun" in ended.out) == (7, True)
    ended = rotated("key", "retire")
    assert (ended.code, "says it again" in ended.out) == (0, True), ended.err
    assert said_of_keys(rotated) == [("added", None), ("retired", 2)]
    assert rotated("audit", "verify").code == 0
    assert "one key that signs" in rotated("key", "retire").err


def test_a_restore_that_was_stopped_before_the_keys_file_is_ended_by_the_same_command(rotated: Shell) -> None:
    """The log has the earlier end and the file the later one: `audit verify` says so, and the file follows."""
    path = rotated.folder / "foureyes.key"
    kept = path.read_bytes()
    assert rotated("audit", "accept-restore", "the disk died", "--lost", "2..4").code == 0
    path.write_bytes(kept)
    ended = rotated("audit", "verify")
    assert (ended.code, "`foureyes key retire` ends what was begun" in ended.out) == (7, True)
    assert rotated("key", "retire").code == 0
    assert said_of_keys(rotated) == [("added", None), ("retired", 2)]
    assert list(load(path).retired.values()) == [2]
    assert rotated("audit", "verify").code == 0
