"""The anchor file: only what the key signed is believed, and it is replaced whole or not at all."""

import os
from pathlib import Path

import pytest

from bot.audit.anchor import AnchorError, read, sync_folder, write
from bot.audit.signed_note import Checkpoint
from bot.keys import generate
from tests.bot.audit.signing import KEYS, note_of

ANCHOR = Checkpoint("foureyes/0123456789abcdef0123456789abcdef", 3, bytes(range(32)))
FORGED = "is not an anchor that this key has signed"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A written anchor."""
    path = tmp_path / "foureyes.head"
    write(path, note_of(ANCHOR))
    return path


def test_what_was_written_is_read(file: Path) -> None:
    """A round trip; the folder holds nothing else afterwards."""
    assert read(file, KEYS) == ANCHOR
    later = Checkpoint(ANCHOR.origin, 4, bytes(32))
    write(file, note_of(later))
    assert read(file, KEYS) == later
    sync_folder(file)
    assert list(file.parent.iterdir()) == [file]


def test_no_file_is_no_anchor(tmp_path: Path) -> None:
    """A missing file is told apart from a broken one."""
    assert read(tmp_path / "none", KEYS) is None


@pytest.mark.parametrize(("old", "new"), [("foureyes/0", "foureyes/1"), ("\n3\n", "\n4\n"), ("AAEC", "AAED")])
def test_a_changed_line_is_a_forgery(file: Path, old: str, new: str) -> None:
    """Every line is under the signature, and so is the name of the log."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(AnchorError, match=FORGED):
        read(file, KEYS)


def test_an_added_line_is_a_forgery(file: Path) -> None:
    """Nothing can be slipped in beside what was signed."""
    file.write_text(file.read_text("utf-8").replace("\n\n", "\nmore\n\n"), "utf-8")
    with pytest.raises(AnchorError, match=FORGED):
        read(file, KEYS)


def test_another_key_is_said(file: Path) -> None:
    """Who lost the key and made a new one is told, not accepted; while two are valid, either is enough."""
    other = generate().public_bytes()
    with pytest.raises(AnchorError, match="no known key has signed this note"):
        read(file, [other])
    assert read(file, [other, *KEYS]) == ANCHOR


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[" * 100_000, b"a\n1\nb\n\n", b"\n\n\n", b"a+b\n1\n\n\xe2\x80\x94 a+b x\n"]
)
def test_rubbish_is_an_error_that_says_what_to_do(file: Path, content: bytes) -> None:
    """Whatever stands in the file, the answer is one sentence with the file's name."""
    file.write_bytes(content)
    with pytest.raises(AnchorError, match=rf"{FORGED} .*restore it from beside the key") as caught:
        read(file, KEYS)
    assert str(caught.value).startswith(str(file))


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    """An unreadable file is not a missing one."""
    with pytest.raises(AnchorError, match=FORGED):
        read(tmp_path, KEYS)


def test_a_crash_while_writing_leaves_the_old_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new anchor takes the old one's place in one step."""

    def crash(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        write(file, note_of(Checkpoint(ANCHOR.origin, 9, bytes(32))))
    assert read(file, KEYS) == ANCHOR
