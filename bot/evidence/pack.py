"""The evidence pack as files: deterministic, with a list of the SHA-256 of each, as a folder or a ZIP.

It knows names and bytes, never what they mean.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUMS: Final = "SHA256SUMS"
PAGE: Final = "index.html"
_THE_SAME_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_FILE_MODE: Final = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Pack:
    """A finished pack. `broken` says what is wrong with the log where it was made; `final` that nothing is open."""

    proposal: str
    files: Mapping[str, bytes]
    broken: tuple[str, ...]
    final: bool

    @property
    def digest(self) -> str:
        """Name the pack by its list of files, in hex."""
        return hashlib.sha256(self.files[SUMS]).hexdigest()


def summed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the files with the list that `sha256sum -c` reads, sorted by name."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return {**files, SUMS: "".join(lines).encode()}


def zipped(pack: Pack) -> bytes:
    """Write a ZIP that is the same for the same files: sorted, without dates, and stored, for deflating differs."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(pack.files):
            info = zipfile.ZipInfo(name, _THE_SAME_DATE)
            info.create_system, info.external_attr = _UNIX, _FILE_MODE
            archive.writestr(info, pack.files[name])
    return made.getvalue()


def write_folder(pack: Pack, folder: Path) -> None:
    """Write the pack into a folder that is new or empty. Raises FileExistsError and other OSErrors."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(17, "Name a folder that is new or empty", str(folder))
    for name, data in pack.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
