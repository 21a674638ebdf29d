"""git is run on one repository: what it commits, what it never runs, and what it says where it cannot."""

import asyncio
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import repository
from bot.repository import GitError, Repository

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def git(path: Path, *arguments: str) -> str:
    """Run git as somebody at a shell, without this machine's own configuration."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1"}
    run = subprocess.run(  # noqa: S603 - a test's own words
        ["git", "-C", path, *arguments],  # noqa: S607 - the machine's own
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a work tree, in which somebody has files of his own."""
    made = tmp_path / "repository"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch", "main")
    (made / "own").write_text("mine\n", "utf-8")
    git(made, "add", "own")
    git(made, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "mine")
    return made


async def test_each_commit_continues_the_one_before(folder: Path) -> None:
    """The branch grows, says what and when, and the work tree and its branch are left alone."""
    found = Repository(folder)
    await found.require()
    assert await found.newest("checkpoint") is None
    for number in (1, 2):
        await found.commit("checkpoint", f"{number}\n".encode(), f"Checkpoint {number}", AT)
    assert await found.newest("checkpoint") == b"2\n"
    told = git(folder, "log", "--format=%s %aI %an", "foureyes")
    assert told.splitlines() == [f"Checkpoint {number} 2026-11-22T12:00:00+00:00 Foureyes" for number in (2, 1)]
    assert git(folder, "show", "foureyes~1:checkpoint") == "1\n"
    assert git(folder, "status", "--porcelain") == ""
    assert await found.push() == []


async def test_it_runs_nothing_that_the_repository_names(folder: Path, tmp_path: Path) -> None:
    """No hook, no monitor; and of this process's secrets git sees none."""
    remote = tmp_path / "remote.git"
    remote.mkdir()
    git(remote, "init", "--quiet", "--bare")
    git(folder, "remote", "add", "origin", str(remote))
    for name in ("reference-transaction", "pre-push", "post-commit", "post-update"):
        hook = folder / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\nenv > {tmp_path}/ran-{name}\n", "ascii")
        hook.chmod(0o755)
    git(folder, "config", "core.fsmonitor", f"env > {tmp_path}/ran-monitor; false")
    git(folder, "config", "core.pager", f"env > {tmp_path}/ran-pager")
    await Repository(folder).commit("checkpoint", b"1\n", "Checkpoint", AT)
    assert await Repository(folder).push() == []
    assert git(remote, "show", "foureyes:checkpoint") == "1\n"
    assert not any(name.startswith("ran-") for name in os.listdir(tmp_path))  # noqa: PTH208 - short, and blocks nobody


async def test_git_sees_no_secret(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it starts for a remote has a path and a home, and no token of ours; nobody is asked for a password."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    seen = tmp_path / "seen"
    git(folder, "config", "core.sshCommand", f"env > {seen}; false")
    git(folder, "remote", "add", "far", "ssh://user:pass@far.example/x")
    await Repository(folder).commit("checkpoint", b"1\n", "Checkpoint", AT)
    (told,) = await Repository(folder).push()
    assert told == f"not pushed; try it by hand: git -C {folder} push far foureyes"
    assert "GIT_TERMINAL_PROMPT=0" in seen.read_text("utf-8")
    assert not any(secret in seen.read_text("utf-8") for secret in ("xoxb", f"GIT_DIR={tmp_path}\n"))


async def test_a_remote_that_was_rewritten(folder: Path, tmp_path: Path) -> None:
    """Nothing is forced: that the remote holds something else is said, and stays there."""
    remote = tmp_path / "remote.git"
    remote.mkdir()
    git(remote, "init", "--quiet", "--bare")
    git(folder, "remote", "add", "origin", str(remote))
    found = Repository(folder)
    await found.commit("checkpoint", b"1\n", "Checkpoint", AT)
    assert await found.push() == []
    await Repository(remote).commit("checkpoint", b"other\n", "Checkpoint", AT)
    await found.commit("checkpoint", b"2\n", "Checkpoint", AT)
    (told,) = await found.push()
    assert told.startswith("THE REMOTE origin HOLDS OTHER CHECKPOINTS")
    assert git(remote, "show", "foureyes:checkpoint") == "other\n"


async def test_what_is_no_repository(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, one inside a repository, somebody's branch, none to write, no git: each has its sentence."""
    inside = folder / "inside"
    inside.mkdir()
    for path in (tmp_path, inside, tmp_path / "none"):
        with pytest.raises(GitError, match="is it a repository of this account"):
            await Repository(path).require()
    git(folder, "branch", "foureyes")
    with pytest.raises(GitError, match=r"the branch foureyes in .* is somebody else's"):
        await Repository(folder).newest("checkpoint")
    # root may write everywhere
    monkeypatch.setattr("bot.repository.os.access", lambda path, _: not str(path).endswith("objects"))
    with pytest.raises(GitError, match="cannot be written; give this account the right to"):
        await Repository(folder).require()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed; install it, or unset FOUREYES_WITNESS_GIT"):
        await Repository(folder).require()


async def test_git_that_does_not_end(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed with what it has started."""
    started = tmp_path / "started"
    git(folder, "config", "core.sshCommand", f"echo $$ > {started}; sleep 60; :")
    git(folder, "remote", "add", "far", "ssh://far.example/x")
    await Repository(folder).commit("checkpoint", b"1\n", "Checkpoint", AT)
    monkeypatch.setattr(repository, "_SECONDS", 1)
    with pytest.raises(GitError, match="`git push` did not end within 1 s"):
        await Repository(folder).push()
    process = Path("/proc") / started.read_text("ascii").strip()
    for _ in range(200):
        if not process.exists():
            break
        await asyncio.sleep(0.01)
    assert not process.exists()
