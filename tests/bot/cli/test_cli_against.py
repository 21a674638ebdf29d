"""`audit verify --against`: who covers which part of the log, 7 where a witness contradicts, 2 for what is none."""

import json
from pathlib import Path

import pytest

from bot.audit.signed_note import signed_checkpoint
from bot.keys import load
from bot.store.engine import open_reader
from tests.bot.audit.signing import checkpoint_of
from tests.bot.cli.shell import Shell
from tests.bot.cli.test_cli_audit import ADD


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A shell whose database has two entries, whose witness saw both."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    (ready.folder / "witness.txt").write_bytes((ready.folder / "foureyes.head").read_bytes())
    return ready


def test_each_witness_is_named_with_its_range(kept: Shell) -> None:
    """What they cover and what they do not yet, for people and for programs; several at once."""
    root = checkpoint_of(open_reader(kept.folder / "foureyes.db"), 1).root.hex()
    body = json.dumps({"log": {"index": 0, "size": 1, "root": root}})
    (kept.folder / "callbacks.ndjson").write_text(f"{body}\n", "utf-8")
    kept("resume", "--tool", "payments.refund", "was fine")
    ended = kept("audit", "verify", "--against", "witness.txt", "--against", "callbacks.ndjson")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "The log is whole: 3 entries, 3 of them under the anchor.",
        "witness.txt: 1 checkpoint, for entries 0 to 1.",
        "callbacks.ndjson: 1 callback, for entries 0 to 0.",
        "Not covered by any of these yet: the newest 1 entry.",
    ]
    found = kept("audit", "verify", "--against", "witness.txt", "--json").json()
    assert found["witnesses"] == [
        {"source": "witness.txt", "kind": "checkpoint", "agree": 1, "entries": 2, "last": None}
    ]
    assert found["uncovered"] == 1
    assert kept("audit", "verify", "--json").json()["uncovered"] is None


def test_a_log_made_anew_with_the_stolen_key_is_found(kept: Shell) -> None:
    """Database and anchor rewritten together verify by themselves; the witness says 7."""
    for name in ("foureyes.db", "foureyes.db-wal", "foureyes.db-shm", "foureyes.head"):
        (kept.folder / name).unlink(missing_ok=True)
    kept("db", "upgrade")
    for _ in range(3):
        kept("pause", "--tool", "payments.refund", "all is well")
    assert kept("audit", "verify").code == 0
    ended = kept("audit", "verify", "--against", "witness.txt")
    assert ended.code == 7
    assert "BROKEN witness.txt: the checkpoint of 2 entries is of another log" in ended.out
    assert "The log is BROKEN" in ended.out


def test_a_missing_key_leaves_witnesses_unbelieved(kept: Shell) -> None:
    """Without the key nobody can say who signed; that the log is not checked is a fault already."""
    (kept.folder / "foureyes.key").unlink()
    ended = kept("audit", "verify", "--against", "witness.txt")
    assert ended.code == 7
    assert "there is no signing key" in ended.out
    assert "agrees, but no key that is known here has signed it" in ended.err


def test_a_file_that_is_no_witness_is_a_usage_error(kept: Shell) -> None:
    """Exit code 2, and what could be given; nothing is said of the log."""
    for name in ("foureyes.db", "nowhere"):
        ended = kept("audit", "verify", "--against", name)
        assert (ended.code, ended.out) == (2, "")
    assert "cannot be read: No such file" in ended.err


def test_an_empty_logs_checkpoint_covers_nothing(kept: Shell) -> None:
    """Its range is not said as a range."""
    key = load(Path("foureyes.key"))
    empty = checkpoint_of(open_reader(kept.folder / "foureyes.db"), 0)
    (kept.folder / "w").write_text(signed_checkpoint(empty, [key.signer]), "utf-8")
    assert "w: 1 checkpoint.\n" in kept("audit", "verify", "--against", "w").out
