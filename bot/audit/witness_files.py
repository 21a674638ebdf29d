"""Reads what witnesses keep: a text, a folder of texts, a ZIP as Slack exports it, a git repository. It only looks."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from bot.audit.git_objects import NoRepositoryError, is_repository, texts_in
from bot.audit.statements import Found, Statement, statements_in
from bot.audit.time_stamp import STAMP, Roots, stamps_in

_LARGEST = 256 * 1024 * 1024
_MOST_TOGETHER = 4 * 1024 * 1024 * 1024


class NoWitnessError(Exception):
    """The file holds nothing that a log could be held against, or cannot be read; the message says which."""


def read_witness(path: Path, roots: Roots | None = None) -> Found:
    """Find every statement in a file, folder, ZIP or repository; time stamps lead to `roots`. Raises NoWitnessError."""
    statements: list[Statement] = []
    notes: tuple[str, ...] = ()
    unread = 0
    try:
        for text in _texts(path):
            found = statements_in(text)
            statements += found.statements
            # Of an export's other files, and of other people's messages, nothing is missing.
            unread += found.unread if path.is_file() and not zipfile.is_zipfile(path) else 0
        if path.is_dir():
            stamps = stamps_in(path, roots)
            statements += stamps.statements
            notes = stamps.notes
    except OSError as error:
        raise NoWitnessError(f"{path} cannot be read: {error.strerror or error}") from None
    except NoRepositoryError as error:
        raise NoWitnessError(str(error)) from None
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise NoWitnessError(f"{path} is no ZIP that can be read: {error}") from None
    if not statements:
        raise NoWitnessError(
            f"{path} holds no checkpoint, no callback and no grant: give signed checkpoints (a file, or a git"
            " repository), an export of the audit channel from Slack (ZIP, folder or JSON), or callback bodies or"
            " grants, one a line"
        )
    return Found(tuple(statements), unread, notes)


def _texts(path: Path) -> Iterator[str]:
    if is_repository(path):
        yield from texts_in(path)
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and file.suffix != STAMP:
                yield _file(file)
    elif zipfile.is_zipfile(path):
        yield from _zipped(path)
    else:
        yield _file(path)


def _file(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise NoWitnessError(f"{path} is larger than 256 MiB; give the part that matters")
    return _text(path.read_bytes())


def _zipped(path: Path) -> Iterator[str]:
    """Read a ZIP's files, none of which may be larger than it says, nor all together than a disk."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if any(info.file_size > _LARGEST for info in infos) or sum(info.file_size for info in infos) > _MOST_TOGETHER:
            raise NoWitnessError(f"{path} is larger than this program reads; give the audit channel alone")
        for info in infos:
            if not info.is_dir():
                yield _text(archive.read(info))


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")
