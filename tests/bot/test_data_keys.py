"""The data keys: on the disk before they seal, for their account alone, and gone for ever once shredded."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import new_token
from bot.data_keys import HELD, DataKeys, create, key_name
from bot.keys import KeyFileError
from bot.sealing import CannotOpenError
from bot.store.sealed import opener

DAY = "2026-01-31"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with no keys yet."""
    path = tmp_path / "foureyes.data-keys"
    create(path)
    return path


def keys_in(file: Path) -> list[str]:
    """Name what stands in the file."""
    return list(json.loads(file.read_bytes())["keys"])


def test_a_box_opens_in_its_place_alone(file: Path) -> None:
    """Moved to another entry, cut or changed, it is damage and never a value."""
    keys = DataKeys(file, new_token)
    name, box = keys.seal(DAY, 30, "Maya's «ü»", "7:reason")
    assert b"Maya" not in box
    assert keys.open(name, box, "7:reason") == "Maya's «ü»"
    for place, changed in (("8:reason", box), ("7:reason", box[:-1]), ("7:reason", b""), ("7:reason", box[:12])):
        with pytest.raises(CannotOpenError):
            keys.open(name, changed, place)


def test_a_key_is_on_the_disk_before_anything_is_sealed_with_it(file: Path) -> None:
    """A crash right after leaves a key too many, never a value that nobody can read."""
    keys = DataKeys(file, new_token)
    name, box = keys.seal(DAY, 30, "x", "p")
    assert keys_in(file) == [name]
    assert DataKeys(file, new_token).open(name, box, "p") == "x"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_one_key_a_day_and_term(file: Path) -> None:
    """What goes on different days can never have one key."""
    keys = DataKeys(file, new_token)
    names = [keys.seal(day, days, "x", "p")[0] for day in (DAY, DAY, "2026-02-01") for days in (30, 365)]
    assert len(set(names)) == 4
    assert [str(name) for name in keys.names()] == keys_in(file)
    assert key_name(names[0])[:2] == (DAY, 30)


def test_a_new_key_of_a_day_takes_over(file: Path) -> None:
    """One that holds what must outlive its term does not: nothing new comes under it."""
    keys = DataKeys(file, new_token)
    old, _ = keys.seal(DAY, 30, "x", "p")
    new = keys.make(DAY, 30)
    keys.make(DAY, 30, HELD)
    assert keys.seal(DAY, 30, "x", "p")[0] == new != old


def test_what_was_shredded_is_gone_for_everybody(file: Path) -> None:
    """For another process too, and for whoever had the key in memory; nothing of it stays in the file."""
    keys, other = DataKeys(file, new_token), DataKeys(file, new_token)
    name, box = keys.seal(DAY, 30, "x", "p")
    kept, other_box = keys.seal(DAY, 365, "y", "p")
    assert other.open(name, box, "p") == "x"
    keys.shred([name])
    other.refresh()
    assert (keys.open(name, box, "p"), other.open(name, box, "p")) == (None, None)
    assert other.open(kept, other_box, "p") == "y"
    assert keys_in(file) == [kept]
    before = file.stat().st_ino
    keys.shred([])
    assert file.stat().st_ino == before


def test_what_was_shown_is_not_shown_once_more(file: Path) -> None:
    """A connection that read a value reads nothing in its row once the key is gone."""
    keys = DataKeys(file, new_token)
    name, box = keys.seal(DAY, 30, "salt\n1", "7:reason")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("opened", 5, opener(keys))
        look = "SELECT opened(7, 'reason', :key, :box, 0), opened(7, 'reason', :key, :box, 1)"
        assert connection.execute(look, {"key": name, "box": box}).fetchone() == ("salt", "1")
        keys.shred([name])
        assert connection.execute(look, {"key": name, "box": box}).fetchone() == (None, None)


def test_two_processes_lose_no_key_of_each_other(file: Path) -> None:
    """Each reads what is there before it writes."""
    one, other = DataKeys(file, new_token), DataKeys(file, new_token)
    names = [keys.make(day, 30) for day in (DAY, "2026-02-01") for keys in (one, other)]
    assert sorted(keys_in(file)) == sorted(names)


def test_marks_say_nothing_without_the_key(file: Path) -> None:
    """The same text has the same mark on one day, and another on the next."""
    keys = DataKeys(file, new_token)
    mark = keys.mark(DAY, 2, "a")
    assert mark == keys.mark(DAY, 2, "a") == DataKeys(file, new_token).mark(DAY, 2, "a")
    assert len({mark, keys.mark(DAY, 2, "b"), keys.mark("2026-02-01", 2, "a")}) == 3
    assert len(mark) == 16


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"v": 1}',
        b'{"v": 2, "keys": {}}',
        b'{"v": 1, "keys": {"2026-01-31.30.x": "c2VjcmV0"}}',
        b'{"v": 1, "keys": {"nonsense": "c2VjcmV0"}}',
        b'{"v": 1, "keys": ["c2VjcmV0"]}',
    ],
)
def test_another_file_is_refused_without_quoting_it(file: Path, content: bytes) -> None:
    """The message says what to do; what stands in the file is a secret."""
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match="not a file of data keys; restore it") as refused:
        DataKeys(file, new_token)
    assert "c2VjcmV0" not in str(refused.value)


def test_a_file_that_others_can_reach_is_refused(file: Path) -> None:
    """At the start, and at the next write of a server that runs."""
    keys = DataKeys(file, new_token)
    create(file.with_name("other"))
    file.with_name("other").replace(file)
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.refresh()
    with pytest.raises(KeyFileError, match="chmod 600"):
        DataKeys(file, new_token)


def test_what_cannot_be_read_or_made_is_said(tmp_path: Path) -> None:
    """A missing file is told apart from one that is no file."""
    with pytest.raises(FileNotFoundError):
        DataKeys(tmp_path / "none", new_token)
    with pytest.raises(KeyFileError, match="cannot read"):
        DataKeys(tmp_path, new_token)
    with pytest.raises(KeyFileError, match="cannot create"):
        create(tmp_path / "none" / "keys")


def test_making_the_file_again_changes_nothing(file: Path) -> None:
    """Two first commands at once make one file."""
    name = DataKeys(file, new_token).make(DAY, 30)
    create(file)
    assert keys_in(file) == [name]


def test_no_key_shows(file: Path) -> None:
    """Neither keys nor names of them."""
    keys = DataKeys(file, new_token)
    keys.make(DAY, 30)
    assert repr(keys) == f"DataKeys({str(file)!r})"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_the_file_to_its_owner(file: Path) -> None:
    """A command of root's must not lock the server's account out."""
    os.chown(file, 4711, 4712)
    DataKeys(file, new_token).make(DAY, 30)
    assert (file.stat().st_uid, file.stat().st_gid) == (4711, 4712)
