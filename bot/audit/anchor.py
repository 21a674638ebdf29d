"""The newest signed checkpoint in a file outside the database: a cut-off tail, or an old copy, shows.

The file lies beside the signing key, never in the database or its backups. Imports nothing of ours but the format.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from bot.audit.signed_note import Checkpoint, NoteError, checkpoint_in


class AnchorError(Exception):
    """The anchor file is missing, broken, forged, or of another log; the message says what to do."""


def write(path: Path, note: str) -> None:
    """Replace the file in one step."""
    # A name of its own: the server and a command may write at the same moment.
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())  # a name must never lead to half an anchor after a power cut
    new.replace(path)


def read(path: Path, keys: Sequence[bytes]) -> Checkpoint | None:
    """Read the file; None where there is none. Raises AnchorError for one that none of the public keys has signed."""
    try:
        return checkpoint_in(path.read_text(encoding="utf-8"), keys)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AnchorError(
            f"{path} is not an anchor that this key has signed ({_why(error)}); put back the key that has signed it,"
            " or restore it from beside the key. Only if you know why neither is to be had: move the file away, and"
            " `foureyes audit checkpoint` makes a new one"
        ) from error


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror}"
    return str(error) if isinstance(error, NoteError) else "it is no text"


def sync_folder(path: Path) -> None:
    """Make the replaced file survive a power cut."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
