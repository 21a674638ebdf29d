"""`audit export`: the whole log for an auditor; nothing of a broken one."""

import json

import foureyes_verify
import pytest

from bot.audit.signed_note import VerifierKey, checkpoint_in
from tests.bot.cli.shell import Shell

ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A shell whose database has three entries, two of them with a reason."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    ready("resume", "--tool", "payments.refund", "was fine")
    return ready


def test_the_log_is_written_with_the_key_that_signed_it(kept: Shell) -> None:
    """The folder verifies under the key that was told, and that is the server's."""
    ended = kept("audit", "export", "--tiles", "out")
    assert (ended.code, ended.err) == (0, "")
    first, _, key = ended.out.splitlines()
    assert first == "Wrote 3 entries to out."
    verifier = VerifierKey.parse(key.removeprefix("  --key "))
    note = (kept.folder / "out" / "checkpoint").read_text("utf-8")
    assert checkpoint_in(note, [verifier.public]).size == 3
    assert not (kept.folder / "out" / "disclosures.ndjson").exists()


def test_values_are_added_when_asked_for(kept: Shell) -> None:
    """What people wrote, each with its salt, and JSON for programs."""
    told = kept("audit", "export", "--tiles", "out", "--with-values", "--json").json()
    assert (told["folder"], told["entries"], len(told["root"])) == ("out", 4, 44), "the look is in it"
    assert [key.partition("+")[0] for key in told["keys"]] == [told["origin"]]
    lines = (kept.folder / "out" / "disclosures.ndjson").read_text("utf-8").splitlines()
    assert [(line["seq"], line["name"], line["value"]) for line in map(json.loads, lines)] == [
        (1, "reason", '"looks odd"'),
        (2, "reason", '"was fine"'),
    ]


def test_a_broken_log_is_not_exported(kept: Shell) -> None:
    """Signing what is broken would lend it a name: exit 7, and nothing is written."""
    kept.tamper("UPDATE detached SET value = '\"all well\"'")
    ended = kept("audit", "export", "--tiles", "out")
    assert (ended.code, ended.out) == (7, "")
    assert "the log is BROKEN" in ended.err
    assert not (kept.folder / "out").exists()


@pytest.mark.parametrize("where", ["there", "a-file/below"])
def test_a_folder_that_cannot_be_made_is_said(kept: Shell, where: str) -> None:
    """A folder that is there, or one that no folder can hold: one line, exit 1."""
    (kept.folder / "there").mkdir()
    (kept.folder / "a-file").write_text("x", "utf-8")
    ended = kept("audit", "export", "--tiles", where)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Not exported. ")
    assert ended.err.count("\n") == 1


def test_a_log_whose_key_was_exchanged_needs_both_keys(kept: Shell) -> None:
    """What the old key signed is checked with the old key: the auditor is told of both, and needs both."""
    rotated = kept("key", "rotate")
    assert rotated.code == 0, rotated.err
    kept("pause", "--tool", "payments.refund", "again")
    told = kept("audit", "export", "--tiles", "out", "--json").json()
    assert len(told["keys"]) == 2
    keys = [part for key in told["keys"] for part in ("--key", key)]
    assert foureyes_verify.main([*keys, str(kept.folder / "out")]) == 0
