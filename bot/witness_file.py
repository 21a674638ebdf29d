"""Appends signed checkpoints to a file that is kept elsewhere. It never reads what it believes, and never rewrites.

The file is for others: nobody here decides by it. One that cannot be written stops nothing, and is said loudly.
"""

import os
from collections.abc import Sequence
from pathlib import Path


def append(path: Path, notes: Sequence[str]) -> None:
    """Append notes, each after an empty line, and have them on the disk; raises OSError.

    The line before each parts it from half a note that a stopped machine may have left.
    """
    data = "".join(f"\n{note}" for note in notes).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fault_of(path: Path) -> str | None:
    """Say why nothing can be appended; None where it can. It changes nothing but an empty file's being there."""
    try:
        append(path, [])
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None
