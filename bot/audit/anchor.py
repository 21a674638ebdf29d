"""The log's newest known head in a signed file outside the database: a cut-off tail, or an old copy, shows.

The file lies beside the signing key, never in the database or its backups. Imports nothing of ours but the format.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.audit.log_format import Plain, canonical

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]


class AnchorError(Exception):
    """The anchor file is missing, broken, forged, or of another log; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The log had `size` entries, the last with leaf hash `head` (hex), the first with `origin` (hex)."""

    size: int
    head: str
    origin: str
    at: str


def write(path: Path, anchor: Anchor, sign: Sign) -> None:
    """Replace the file in one step."""
    payload: dict[str, Plain] = {"v": 1, **asdict(anchor)}
    signature = base64.b64encode(sign(canonical(payload))).decode()
    # A name of its own: the server and a command may write at the same moment.
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with new.open("w", encoding="ascii") as file:
        file.write(json.dumps({**payload, "sig": signature}, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())  # a name must never lead to half an anchor after a power cut
    new.replace(path)


def read(path: Path, verify: Verify) -> Anchor | None:
    """Read the file; None where there is none. Raises AnchorError for one that the key did not sign."""
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        signature = base64.b64decode(found.pop("sig"), validate=True)
        genuine = verify(signature, canonical(found))
        anchor = Anchor(int(found["size"]), str(found["head"]), str(found["origin"]), str(found["at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise AnchorError(f"{path} is not an anchor file ({type(error).__name__}); restore it from a backup") from error
    if not genuine:
        raise AnchorError(f"{path} was not signed by this key; somebody changed the file or the key")
    return anchor


def sync_folder(path: Path) -> None:
    """Make the replaced file survive a power cut."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
