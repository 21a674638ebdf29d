"""The file that checkpoints are appended to: nothing is rewritten, and a place that cannot be written is said."""

from pathlib import Path

import pytest

from bot.doctor import State, examine
from bot.witness_file import append, fault_of
from tests.bot.cli.shell import Shell


def test_it_only_grows(tmp_path: Path) -> None:
    """What stood in it stays, half lines too; each note begins after an empty line."""
    path = tmp_path / "w"
    path.write_text("half", "utf-8")
    append(path, ["a\n", "b\n"])
    assert path.read_text("utf-8") == "half\na\n\nb\n"
    assert fault_of(path) is None
    assert path.read_text("utf-8") == "half\na\n\nb\n"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """The fault names the place and why."""
    assert fault_of(tmp_path) == f"{tmp_path}: Is a directory"
    with pytest.raises(FileNotFoundError):
        append(tmp_path / "none" / "w", ["a\n"])


def test_the_doctor_looks(ready: Shell) -> None:
    """With what to do: the file is worth as much as its place."""
    for place, state in ((ready.folder, State.FAIL), (ready.folder / "w", State.GOOD)):
        ready.set(FOUREYES_WITNESS_FILE=place)
        (found,) = [one for one in examine() if one.name == "witness file"]
        assert found.state is state
        assert str(place) in found.detail
