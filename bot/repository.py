"""Runs git on one repository: commits one file to one branch, and pushes it. No shell, no hook, no prompt, no secret.

It never touches a work tree, never forces, and never repeats what git says: that may quote a remote's password.
"""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

BRANCH: Final = "foureyes"
_REF: Final = f"refs/heads/{BRANCH}"
_SECONDS: Final = 30.0
# Whatever the repository or the machine configures, nothing of it is run; and what is committed is on the disk.
_SAFELY: Final = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "core.fsync=all")
_WHO: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Foureyes"), ("EMAIL", "foureyes@localhost"))
}


class GitError(Exception):
    """git cannot do it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, bare or with a work tree, and the branch in it that is ours alone."""

    path: Path

    async def require(self) -> None:
        """Raise GitError where nothing can be committed."""
        folder = self.path / os.fsdecode(await self._git("rev-parse", "--git-dir")).strip()
        if not os.access(folder / "objects", os.W_OK):
            raise GitError(f"{self.path} cannot be written; give this account the right to")

    async def newest(self, file: str) -> bytes | None:
        """Give the file as it was committed last; None where nothing was. Raises GitError."""
        if not await self._tip():
            return None
        status, said = await self._run("cat-file", "blob", f"{_REF}:{file}")
        if status:
            raise GitError(f"the branch {BRANCH} in {self.path} is somebody else's; it must be this server's alone")
        return said

    async def commit(self, file: str, data: bytes, message: str, at: datetime) -> None:
        """Commit a file as all that the branch holds, on top of what it held; raises GitError."""
        tip = await self._tip()
        blob = await self._id("hash-object", "-w", "--stdin", given=data)
        tree = await self._id("mktree", given=f"100644 blob {blob}\t{file}\n".encode())
        date = f"{int(at.timestamp())} +0000"
        new = await self._id(
            *("commit-tree", tree, *(("-p", tip) if tip else ()), "-m", message),
            more={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        )
        await self._git("update-ref", _REF, new, tip)

    async def push(self) -> list[str]:
        """Push the branch to every remote; gives what failed, one line each. Raises GitError."""
        failed = []
        for remote in os.fsdecode(await self._git("remote")).split():
            status, said = await self._run("push", "--porcelain", "--", remote, f"{_REF}:{_REF}")
            if b"[rejected]" in said:
                failed.append(
                    f"THE REMOTE {remote} HOLDS OTHER CHECKPOINTS THAN {self.path}: one was rewritten; keep both"
                )
            elif status:
                failed.append(f"not pushed; try it by hand: git -C {self.path} push {remote} {BRANCH}")
        return failed

    async def _tip(self) -> str:
        """Give the branch's newest commit; nothing where there is none."""
        return await self._id("for-each-ref", "--format=%(objectname)", _REF)

    async def _id(self, *arguments: str, given: bytes = b"", more: dict[str, str] | None = None) -> str:
        return (await self._git(*arguments, given=given, more=more)).decode("ascii").strip()

    async def _git(self, *arguments: str, given: bytes = b"", more: dict[str, str] | None = None) -> bytes:
        status, said = await self._run(*arguments, given=given, more=more)
        if status:
            raise GitError(f"`git {arguments[0]}` failed in {self.path}; is it a repository of this account?")
        return said

    async def _run(self, *arguments: str, given: bytes = b"", more: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Run git and give its status and output; raises GitError where it does not run or does not end."""
        git = shutil.which("git")
        if git is None:
            raise GitError("git is not installed; install it, or unset FOUREYES_WITNESS_GIT")
        process = await asyncio.create_subprocess_exec(
            *(git, "-C", str(self.path), *_SAFELY, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment() | (more or {}),
            start_new_session=True,  # without a terminal nobody is asked for a password
        )
        try:
            async with asyncio.timeout(_SECONDS):
                said, _ = await process.communicate(given)
        except TimeoutError:
            raise GitError(f"`git {arguments[0]}` did not end within {_SECONDS:.0f} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with what it started, such as ssh
                await process.wait()
        return process.returncode or 0, said

    def _environment(self) -> dict[str, str]:
        """Give git what it needs to find itself and a key for ssh, and nothing that was meant for us."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ceiling = {"GIT_CEILING_DIRECTORIES": str(self.path.absolute().parent)}  # no repository around it is meant
        return kept | ceiling | _WHO | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
