"""What witnesses hold is found in every form in which people keep it, and nothing else is taken for it."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.people import AgentId, ProposalId
from bot.audit.signed_note import Checkpoint
from bot.audit.statements import Kind, Statement, statements_in
from bot.audit.witness_files import NoWitnessError, read_witness
from bot.grants import GrantClaims, LogHead, sign_grant
from bot.keys import SigningKey, generate
from tests.bot.audit.signing import KEY, KEYS, note_of
from tests.movable_clock import MovableClock

ROOT, HEAD = bytes(range(32)), b"h" * 32
NOTE = note_of(Checkpoint("foureyes/0f", 42, ROOT))
LOG = {"index": 41, "size": 42, "head": HEAD.hex(), "root": ROOT.hex()}
MESSAGE = {
    "type": "message",
    "ts": "1700000000.000100",
    "text": "The audit log has 42 entries.",
    "blocks": [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": NOTE.strip()}]}],
        }
    ],
}


def grant_of(log: LogHead, key: SigningKey = KEY) -> str:
    """Sign a grant that says this of the log."""
    now, digest = MovableClock()(), "sha256:" + "0f" * 32
    soon = now + timedelta(minutes=1)
    return sign_grant(
        key, GrantClaims("foureyes", AgentId("a"), "g", ProposalId("p"), "t", digest, "v", (), now, soon, log)
    )


GRANT = grant_of(LogHead(41, 42, HEAD.hex(), ROOT.hex()))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NOTE, Kind.CHECKPOINT),
        (f"\n{NOTE}\n{NOTE}", Kind.CHECKPOINT),
        (json.dumps([{"type": "message", "ts": "1", "text": "hello"}, MESSAGE]), Kind.SLACK),
        (json.dumps({"type": "message", "ts": "1700000000.000100", "text": f"see\n{NOTE}"}), Kind.SLACK),
        (json.dumps({"type": "proposal.approved", "data": {}, "log": LOG}), Kind.CALLBACK),
        (json.dumps({"type": "a", "log": LOG}) + "\n" + json.dumps({"type": "a", "log": LOG}) + "\n", Kind.CALLBACK),
        (GRANT, Kind.GRANT),
        (json.dumps({"grant": GRANT, "claimed_at": "now"}), Kind.GRANT),
    ],
)
def test_every_form_is_found_once(text: str, kind: Kind) -> None:
    """A note, many notes, a day of Slack, one callback or many, a grant bare or in its answer; twice is once."""
    found = statements_in(text)
    (statement,) = found.statements
    assert (statement.kind, statement.size, statement.root, found.unread) == (kind, 42, ROOT, 0)
    assert statement.is_signed(KEYS)
    assert statement.is_signed([generate().public_bytes(), *KEYS])
    assert statement.is_signed([]) is (kind is Kind.CALLBACK)
    assert statement.where == (MESSAGE["ts"] if kind is Kind.SLACK else None)


def test_lines_of_several_kinds() -> None:
    """One file may hold all of them; a line that is nothing is counted."""
    text = f"{NOTE}\n{GRANT}\n{json.dumps({'log': LOG})}\nfoureyes/0f\n17\n"
    found = statements_in(text)
    assert [each.kind for each in found.statements] == [Kind.CHECKPOINT, Kind.GRANT, Kind.CALLBACK]
    assert found.unread == 2


@pytest.mark.parametrize("cut", range(1, len(NOTE), 7))
def test_half_a_checkpoint_hides_no_other(cut: int) -> None:
    """Wherever a line was torn when the machine stopped, the whole notes before and after are found and believed."""
    after = note_of(Checkpoint("foureyes/0f", 43, ROOT))
    found = statements_in(f"\n{NOTE}\n{NOTE[:cut]}\n{after}")
    believed = {each.size for each in found.statements if each.is_signed(KEYS)}
    assert believed == {42, 43}
    assert found.unread or len(found.statements) > 2 or cut >= len(NOTE) - 1


@pytest.mark.parametrize(
    "log",
    [
        "x",
        {},
        {"size": 42},
        {"size": "42", "root": ROOT.hex()},
        {"size": True, "root": ROOT.hex()},
        {"size": 0, "root": ROOT.hex()},
        {"size": 2**53, "root": ROOT.hex()},
        {"size": 42, "root": "zz"},
        {"size": 42, "root": 7},
    ],
)
def test_what_is_no_statement_of_a_log(log: object) -> None:
    """A body whose `log` says something else is none of ours."""
    assert statements_in(json.dumps({"log": log})).statements == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '"hello"',
        "17",
        "[" * 100_000,
        NOTE.replace("\n42\n", "\n042\n"),
        "eyJhbGciOiJFZERTQSJ9.e30eyJ9bm9qc29u." + "A" * 86,
        "eyJhbGciOiJFZERTQSJ9aaa.W10xxxxxxxxxxxx." + "A" * 86,
        GRANT.replace(".", "!", 1),
    ],
)
def test_what_is_nothing(text: str) -> None:
    """Other texts, deep ones, and things that only look like a checkpoint or a grant hold no statement."""
    assert statements_in(text).statements == ()


def test_a_grant_of_an_earlier_version_has_a_head_only() -> None:
    """What was given out before roots were told is a witness too, by the hash of its entry."""
    assert statements_in(json.dumps({"log": {"index": 41, "size": 42, "head": HEAD.hex()}})).statements == (
        Statement(Kind.CALLBACK, 42, None, HEAD),
    )


def test_a_changed_proof_is_signed_by_nobody() -> None:
    """A grant or a note in which a letter was changed still says something, but nobody has signed it."""
    (grant,) = statements_in(GRANT[:-10] + ("A" if GRANT[-10] != "A" else "B") + GRANT[-9:]).statements
    (note,) = statements_in(NOTE.replace("\n42\n", "\n43\n")).statements
    assert not grant.is_signed(KEYS)
    assert not note.is_signed(KEYS)
    assert not Statement(Kind.GRANT, 42, ROOT, None).is_signed(KEYS)


# --- files


def test_an_export_from_slack(tmp_path: Path) -> None:
    """A ZIP and a folder, with the files that Slack puts beside the days: the messages are found in their order."""
    folder = tmp_path / "export"
    (folder / "audit").mkdir(parents=True)
    (folder / "users.json").write_text('[{"id": "U1", "name": "x"}]', "utf-8")
    (folder / "audit" / "2026-11-22.json").write_text(json.dumps([MESSAGE]), "utf-8")
    (folder / "readme.txt").write_text("of no meaning", "utf-8")
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.mkdir("audit")
        for file in folder.rglob("*.*"):
            zipped.write(file, file.relative_to(folder))
    for path in (folder, archive, folder / "audit" / "2026-11-22.json"):
        found = read_witness(path)
        assert [(each.kind, each.size) for each in found.statements] == [(Kind.SLACK, 42)]
        assert found.unread == 0


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, one without any statement, a broken ZIP and one that is too large are said, each for itself."""
    path = tmp_path / "file"

    def told() -> str:
        with pytest.raises(NoWitnessError) as caught:
            read_witness(path)
        return str(caught.value).removeprefix(str(path))

    assert told() == " cannot be read: No such file or directory"
    path.write_bytes(b"\xff\xfe\x00 nothing")
    assert told().startswith(" holds no checkpoint, no callback and no grant")
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.json", NOTE)
    data = bytearray(path.read_bytes())
    data[40:60] = b"x" * 20
    path.write_bytes(data)
    assert told().startswith(" is no ZIP that can be read")
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.json", NOTE)
    monkeypatch.setattr("bot.audit.witness_files._LARGEST", 10)
    assert told() == " is larger than this program reads; give the audit channel alone"
    path.write_text(NOTE, "utf-8")
    assert told() == " is larger than 256 MiB; give the part that matters"
