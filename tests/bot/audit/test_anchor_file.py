"""The anchor file: only what the key signed is believed, and it is replaced whole or not at all."""

import json
from pathlib import Path

import pytest

from bot.anchoring import verifier_of
from bot.audit.anchor import Anchor, AnchorError, read, sync_folder, write
from bot.keys import generate

KEY = generate()
ANCHOR = Anchor(3, "ab" * 32, "cd" * 32, "2026-01-31T12:00:00.000000Z")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A written anchor."""
    path = tmp_path / "foureyes.head"
    write(path, ANCHOR, KEY.sign)
    return path


def test_what_was_written_is_read(file: Path) -> None:
    """A round trip; the folder holds nothing else afterwards."""
    assert read(file, verifier_of(KEY)) == ANCHOR
    write(file, Anchor(4, "ef" * 32, ANCHOR.origin, ANCHOR.at), KEY.sign)
    found = read(file, verifier_of(KEY))
    assert found is not None
    assert (found.size, found.head) == (4, "ef" * 32)
    sync_folder(file)
    assert list(file.parent.iterdir()) == [file]


def test_no_file_is_no_anchor(tmp_path: Path) -> None:
    """A missing file is told apart from a broken one."""
    assert read(tmp_path / "none", verifier_of(KEY)) is None


@pytest.mark.parametrize("name", ["v", "size", "head", "origin", "at"])
def test_a_changed_field_is_a_forgery(file: Path, name: str) -> None:
    """Every field is under the signature."""
    found = json.loads(file.read_text("ascii"))
    found[name] = 2 if isinstance(found[name], int) else found[name].replace("a", "b").replace("c", "d") + "0"
    file.write_text(json.dumps(found), "ascii")
    with pytest.raises(AnchorError, match="was not signed by this key; somebody changed the file or the key"):
        read(file, verifier_of(KEY))


def test_an_added_field_is_a_forgery(file: Path) -> None:
    """Nothing can be slipped in beside what was signed."""
    file.write_text(json.dumps({**json.loads(file.read_text("ascii")), "more": 1}), "ascii")
    with pytest.raises(AnchorError, match="was not signed"):
        read(file, verifier_of(KEY))


def test_another_key_is_said(file: Path) -> None:
    """Who lost the key and made a new one is told, not accepted."""
    with pytest.raises(AnchorError, match="was not signed by this key"):
        read(file, verifier_of(generate()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"sig"',
        b'{"size": 1}',
        b'{"sig": 1}',
        b'{"sig": "?"}',
        b'{"sig": "YQ=="}',
        b'{"sig": "YQ==", "size": 1.5}',
        b'{"sig": "YQ==", "size": "many", "head": "", "origin": "", "at": ""}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_rubbish_is_an_error_that_says_what_to_do(file: Path, content: bytes) -> None:
    """Whatever stands in the file, the answer is one sentence with the file's name."""
    file.write_bytes(content)
    with pytest.raises(AnchorError, match=r"is not an anchor file .*restore it from a backup|was not signed") as caught:
        read(file, verifier_of(KEY))
    assert str(caught.value).startswith(str(file))


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    """An unreadable file is not a missing one."""
    with pytest.raises(AnchorError, match=r"is not an anchor file"):
        read(tmp_path, verifier_of(KEY))


def test_a_crash_while_writing_leaves_the_old_one(file: Path) -> None:
    """The new anchor takes the old one's place in one step."""

    def crash(_data: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(file, Anchor(9, "00" * 32, ANCHOR.origin, ANCHOR.at), crash)
    assert read(file, verifier_of(KEY)) == ANCHOR
