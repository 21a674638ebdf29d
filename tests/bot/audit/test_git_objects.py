"""Every version of every file that a git repository has held is read, whatever its branches say now."""

import shutil
from pathlib import Path

import pytest

from bot.audit.git_objects import NoRepositoryError, is_repository, texts_in
from bot.audit.witness_files import NoWitnessError, read_witness
from tests.bot.test_repository import git


def commit(path: Path, text: str) -> None:
    """Commit a text as one file."""
    (path / "checkpoint").write_text(text, "utf-8")
    git(path, "add", "checkpoint")
    git(path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two versions, the first of which was taken off its branch by force."""
    made = tmp_path / "repository"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch", "main")
    commit(made, "one\n")
    git(made, "checkout", "--quiet", "--orphan", "other")
    commit(made, "two\n")
    git(made, "branch", "--quiet", "-D", "main")
    return made


def test_what_a_force_took_away_is_read(repository: Path, tmp_path: Path) -> None:
    """With a work tree or bare; what is larger than any checkpoint is left out, and an empty one holds nothing."""
    commit(repository, "x" * (64 * 1024 + 1))
    assert sorted(texts_in(repository)) == ["one\n", "two\n"]
    bare = tmp_path / "bare"
    shutil.copytree(repository / ".git", bare)
    assert is_repository(bare)
    assert sorted(texts_in(bare)) == ["one\n", "two\n"]
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    assert list(texts_in(empty)) == []


def test_what_git_cannot_read(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that only looks like one, one that is too slow, no git at all: each is said."""
    (tmp_path / "false").mkdir()
    (tmp_path / "false" / ".git").write_text("nonsense", "utf-8")
    assert is_repository(tmp_path / "false")
    with pytest.raises(NoWitnessError, match=r"git cannot read .*false: fatal: invalid gitfile format"):
        read_witness(tmp_path / "false")
    assert not is_repository(tmp_path)
    monkeypatch.setattr("bot.audit.git_objects._SECONDS", 0)
    with pytest.raises(NoRepositoryError, match="too large for git to read"):
        list(texts_in(repository))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRepositoryError, match="git is not installed here"):
        list(texts_in(repository))
