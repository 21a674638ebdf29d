"""A shell in an empty folder, and one in a folder with a fresh database."""

from pathlib import Path

import pytest

from tests.bot.cli.shell import Shell
from tests.world import empty_database


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Open a shell where nothing has been set up."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Shell(folder, monkeypatch, capsys)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Open a shell where `foureyes db upgrade` has been run, and nothing else."""
    (shell.folder / "foureyes.db").write_bytes(empty_database())
    return shell
