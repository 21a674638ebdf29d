"""Reads what lives of the detached values with the salts under which the log holds their digests. It only looks."""

import sqlite3
from collections.abc import Iterator

_LIVING = "SELECT seq, name, salt, value FROM detached WHERE value IS NOT NULL ORDER BY seq, name"


def disclosures(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str, str]]:
    """Give each living value: the entry's index, its name, its salt, and its canonical JSON text."""
    yield from connection.execute(_LIVING)
