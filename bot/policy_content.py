"""What a policy folder holds, as bytes: the files that decide, and the version that names them. Reads no file.

The version is the SHA-256 of a list of the files' own SHA-256, so whoever holds the list can check every file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from approval_rules.canonical import Digest, sha256_name

CALENDAR = ".ics"
MAX_CALENDAR = 256 * 1024
_LINE = re.compile(r"(?P<hash>[0-9a-f]{64})  (?P<name>[^\n]+)\n")


@dataclass(frozen=True)
class PolicyContent:
    """The files by their names: `TOOL.yml`, `roles.yml`, `holidays.yml`, `NAME.ics`, `contracts/NAME.json`."""

    files: Mapping[str, bytes]

    @cached_property
    def listing(self) -> bytes:
        """Write what `LC_ALL=C sha256sum *.ics *.yml contracts/*.json` prints in the folder."""
        hashes = (
            (sha256_name(self.files[name]).removeprefix("sha256:"), name) for name in sorted(self.files, key=_order)
        )
        return "".join(f"{digest}  {name}\n" for digest, name in hashes).encode()

    @cached_property
    def version(self) -> Digest:
        """Name the content."""
        return sha256_name(self.listing)


def listed(listing: bytes) -> dict[str, Digest]:
    """Read a listing back: the digest of each file by its name."""
    return {line["name"]: Digest(f"sha256:{line['hash']}") for line in _LINE.finditer(listing.decode())}


def _order(name: str) -> tuple[bool, bool, str]:
    return "/" in name, not name.endswith(CALENDAR), name
