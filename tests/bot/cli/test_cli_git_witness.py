"""A running server commits its checkpoints to git; `audit verify --against` reads all that the repository ever held."""

import shutil
from pathlib import Path

import pytest

from bot.git_witness import COMMIT_EVERY, TRY_AGAIN
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Ended
from tests.bot.test_repository import git
from tests.scenarios.test_cosigning import anchored
from tests.world import World


@pytest.fixture
async def repository(living: Living, tmp_path: Path) -> Path:
    """A bare repository with a remote, which the living server commits to."""
    made, remote = tmp_path / "witness.git", tmp_path / "remote.git"
    for path in (made, remote):
        path.mkdir()
        git(path, "init", "--quiet", "--bare")
    git(made, "remote", "add", "origin", str(remote))
    await living.world.stop()
    living.world.witness_git = made
    await living.world.start()
    return made


async def ask(world: World) -> str:
    """Let the server commit where it wants to, and give what /readyz says of it."""
    await world.running.witnesses.ask()
    answer = await world.http.get("/readyz")
    assert answer.status_code == 200
    return str(next(check["detail"] for check in answer.json()["checks"] if check["name"] == "git witness"))


def commits(repository: Path) -> list[str]:
    """What was committed, newest first."""
    return git(repository, "log", "--format=%s", "foureyes").splitlines()


async def test_each_hour_in_which_the_log_grew(living: Living, repository: Path, tmp_path: Path) -> None:
    """Committed and pushed; a quiet log and a restart commit nothing; a clone of the remote covers the log."""
    world = living.world
    await world.propose(42)
    assert "entries signed in" in await ask(world)
    for _ in range(2):
        world.clock.move(COMMIT_EVERY)
        await ask(world)
    assert len(commits(repository)) == 1
    await world.propose(43)
    world.clock.move(COMMIT_EVERY)
    await ask(world)
    await world.restart()
    await ask(world)
    assert len(commits(repository)) == 2
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch", "foureyes", str(tmp_path / "remote.git"), str(clone))
    ended = await living("audit", "verify", "--against", str(clone))
    assert ended.code == 0
    size = int((clone / "checkpoint").read_text("utf-8").splitlines()[1])
    assert f"{clone}: 2 checkpoints, for entries 0 to {size - 1}." in ended.out
    assert 'foureyes_witness_ok{witness="git"} 1.0' in (await world.http.get("/metrics")).text


async def test_a_remote_that_is_away(living: Living, repository: Path, tmp_path: Path) -> None:
    """The commit stands, the push is tried again in a minute, and decisions go on."""
    world = living.world
    (tmp_path / "remote.git").rename(tmp_path / "away")
    assert "not pushed; try it by hand: git -C" in await ask(world)
    assert len(commits(repository)) == 1
    assert 'foureyes_witness_ok{witness="git"} 0.0' in (await world.http.get("/metrics")).text
    assert (await world.post_proposal(42)).status_code == 201
    (tmp_path / "away").rename(tmp_path / "remote.git")
    world.clock.move(TRY_AGAIN)
    assert "signed in" in await ask(world)
    assert commits(tmp_path / "remote.git") == commits(repository)


async def test_a_log_made_anew_is_refused_and_found(living: Living, repository: Path) -> None:
    """An older copy goes on with the stolen key: nothing is committed over what was there, and verify says 7.

    Nor does it help whoever forces the branch to the new log: what was there before is still in the repository.
    """
    world = living.world
    await world.stop()
    older = shutil.copy(world.database, world.folder / "older.db")
    await world.start()
    await world.propose(42)
    await ask(world)
    before = commits(repository)
    await world.stop()
    shutil.copy(older, world.database)
    world.settings.anchor_file.unlink()
    await anchored(world)
    assert "ENTRIES THAT THIS LOG DOES NOT HAVE" in await ask(world)
    for amount in (50, 51, 52):
        await world.propose(amount)
    world.clock.move(TRY_AGAIN)
    assert "ENTRIES THAT THIS LOG DOES NOT HAVE" in await ask(world)
    assert commits(repository) == before
    git(repository, "update-ref", "-d", "refs/heads/foureyes")
    await world.restart()
    assert "THE REMOTE origin HOLDS OTHER CHECKPOINTS" in await ask(world)
    ended = await living("audit", "verify", "--log-only", "--against", str(repository))
    assert ended.code == 7
    assert f"BROKEN {repository}: the checkpoint of " in ended.out
    assert "has another root: the log was rewritten within its first" in ended.out


async def test_a_repository_that_is_none(living: Living, repository: Path, tmp_path: Path) -> None:
    """The server runs and says it; the doctor says what to do; a branch of somebody else's is left alone."""
    world = living.world
    assert "ok    git witness:" in (await _doctor(living, repository)).out
    assert f"FAIL  git witness: `git rev-parse` failed in {tmp_path}" in (await _doctor(living, tmp_path)).out
    await world.stop()
    world.witness_git = tmp_path
    await world.start()
    assert "failed in" in await ask(world)
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(repository), str(work))
    (work / "checkpoint").write_text("not ours\n", "utf-8")
    git(work, "add", "checkpoint")
    git(work, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x")
    git(work, "push", "--quiet", "origin", "HEAD:foureyes")
    await world.stop()
    world.witness_git = repository
    await world.start()
    assert "somebody else committed to the branch" in await ask(world)
    assert git(repository, "show", "foureyes:checkpoint") == "not ours\n"


async def _doctor(living: Living, path: Path) -> Ended:
    living.shell.set(FOUREYES_WITNESS_GIT=path)
    return await living("doctor")
