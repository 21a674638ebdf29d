"""The key's file while it is rotated: who signs, what stays derived, and whose signature counts for how long."""

import os
import stat
from pathlib import Path

import pytest

from bot.audit.signed_note import Checkpoint, NoteError, checkpoint_in, counting, signed_checkpoint
from bot.keys import KeyFileError, callback_secret, generate, load, load_or_create, save

ROOT = bytes(32)


def test_the_newest_signs_and_the_one_before_beside_it(tmp_path: Path) -> None:
    """Both count until the old one is retired; then it counts for its own time, also after the file is read again."""
    path = tmp_path / "key"
    first = load_or_create(path)
    both = first.rotated()
    save(path, both)
    both = load(path)
    assert both.publics == [both.public_bytes(), first.public_bytes()]
    assert [one["kid"] for one in both.jwks()] == [both.kid, first.kid]
    assert (both.retired, both.root_public) == ({}, first.public_bytes())
    note = signed_checkpoint(Checkpoint("foureyes/a", 7, ROOT), both.signers)
    for key in (first, both):
        assert checkpoint_in(note, [key.public_bytes()]).size == 7
    save(path, both.with_retired(7))
    one = load(path)
    assert one.publics == [both.public_bytes()]
    assert one.retired == {first.public_bytes(): 7}
    assert one.with_retired(9).retired == one.retired
    assert counting(one.publics, one.retired, 7) == [both.public_bytes(), first.public_bytes()]
    assert counting(one.publics, one.retired, 8) == [both.public_bytes()]
    with pytest.raises(NoteError, match="no known key"):
        checkpoint_in(signed_checkpoint(Checkpoint("foureyes/a", 8, ROOT), first.signers), one.publics)


def test_what_was_derived_stays(tmp_path: Path) -> None:
    """Callback secrets and seals hang on the first key, for ever: nobody must be given new ones by a rotation."""
    path = tmp_path / "key"
    first = load_or_create(path)
    later = first.rotated().with_retired(3).rotated()
    save(path, later)
    assert callback_secret(load(path), "agent_1", 1) == callback_secret(first, "agent_1", 1)
    assert load(path).derive("x") == first.derive("x")
    assert load(path).sign(b"x") != first.sign(b"x")


def test_the_file_stays_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, a link stays a link, and nothing is left beside it."""
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / "key", tmp_path / "key"
    key = load_or_create(path)
    link.symlink_to(path)
    old = os.umask(0)
    try:
        save(link, key.rotated())
    finally:
        os.umask(old)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]
    assert len(load(link).publics) == 2


def test_a_place_that_cannot_be_written_keeps_its_key(tmp_path: Path) -> None:
    """The sentence says that nothing was changed, and it is so."""
    path = tmp_path / "key"
    key = load_or_create(path)
    (tmp_path / "key.new").mkdir()
    with pytest.raises(KeyFileError, match="nothing was changed"):
        save(path, key.rotated())
    assert load(path).kid == key.kid


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pem: b"Retired: 7\n" + pem, "its first key is retired"),
        (lambda pem: pem + pem.replace(b"PRIVATE", b"PUBLIC"), "not an unencrypted PEM private key"),
        (lambda pem: pem[:-30], "not an unencrypted PEM private key"),
    ],
)
def test_a_file_that_is_half_or_wrong(tmp_path: Path, change: object, said: str) -> None:
    """It is refused whole: a key less would be noticed only when it is needed."""
    path = tmp_path / "key"
    load_or_create(path)
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(KeyFileError, match=said):
        load(path)


def test_another_first_key_is_not_taken_up() -> None:
    """A running server must not go on with other secrets than it began with."""
    key = generate()
    kid = key.kid
    with pytest.raises(KeyFileError, match="another first key"):
        key.become(generate().rotated())
    assert key.kid == kid
