"""Reads every small file that a git repository has ever held, by git itself. It only looks, and runs nothing of it.

Asked is for objects, not for branches: what a later commit replaced, or a force took off its branch, is read too.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_LARGEST = 64 * 1024
_SECONDS = 120
_EVERY = ("--batch-all-objects", "--batch-check=%(objecttype) %(objectsize) %(objectname)")


class NoRepositoryError(Exception):
    """git cannot read it; the message says why."""


def is_repository(path: Path) -> bool:
    """Tell whether a folder is a repository, bare or with a work tree."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def texts_in(path: Path) -> Iterator[str]:
    """Give every file of at most 64 KiB in every version; raises NoRepositoryError."""
    listed = [line.split() for line in _git(path, b"", *_EVERY).splitlines()]
    wanted = [name for kind, size, name in listed if kind == b"blob" and int(size) <= _LARGEST]
    answer = _git(path, b"\n".join(wanted) + b"\n", "--batch=%(objectsize)") if wanted else b""
    start = 0
    while start < len(answer):
        end = answer.index(b"\n", start)
        size = int(answer[start:end])
        yield answer[end + 1 : end + 1 + size].decode("utf-8", errors="replace")
        start = end + 1 + size + 1


def _git(path: Path, given: bytes, *arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise NoRepositoryError(f"{path} is a git repository, and git is not installed here")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {"LC_ALL": "C", "GIT_CEILING_DIRECTORIES": str(path.absolute().parent)}
    try:
        run = subprocess.run(  # noqa: S603 - git by its full path, and no text of others among the arguments
            [git, "-C", path, "cat-file", *arguments],
            input=given,
            env=environment,
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NoRepositoryError(f"{path} is too large for git to read within {_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        raise NoRepositoryError(f"git cannot read {path}: {_first_line(error.stderr)}") from None
    return run.stdout


def _first_line(said: bytes) -> str:
    return said.decode("utf-8", errors="replace").partition("\n")[0]
