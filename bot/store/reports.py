"""The kept reports on who may do what, each under the SHA-256 of its bytes. Finds what is wrong; changes nothing."""

import sqlite3
from collections.abc import Iterable, Iterator

from approval_rules.canonical import sha256_name

_EVERYTHING = "SELECT digest, content FROM access_reports ORDER BY digest"


def faults(connection: sqlite3.Connection, signed: Iterable[str]) -> Iterator[str]:
    """Say which report is not what its name says, and which one that was signed is gone."""
    found: set[str] = set()
    for digest, content in connection.execute(_EVERYTHING):
        found.add(digest)
        if sha256_name(bytes(content)) != digest:
            yield f"the access report {digest} was changed"
    for digest in signed:
        if digest not in found:
            yield f"the access report {digest} was signed and is missing"
