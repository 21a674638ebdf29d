"""The kept reports, on who may do what and on weeks, each under the SHA-256 of its bytes. Judges nothing.

One that the log names as signed, and every one on a week, is kept for ever; another goes when its term is over.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from approval_rules.canonical import canonical_bytes, sha256_name
from approval_rules.times import format_time
from bot.store.policies import Look
from bot.store.transaction import Transaction

_KEEP: Final = "INSERT INTO access_reports (digest, made_at, content) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING"
# What was signed is named in the log, which nobody can shorten, so it is found there and not in a column.
_FORGET: Final = (
    "DELETE FROM access_reports WHERE made_at < ? AND digest NOT IN"
    " (SELECT json_extract(CAST(body AS TEXT), '$.data.report') FROM entries"
    " WHERE subject IN ('access', 'review') AND type IN ('access.reviewed', 'review.reported'))"
)
_FIND: Final = "SELECT digest, made_at, content FROM access_reports WHERE digest = :digest"
_FIND_START: Final = (
    "SELECT digest, made_at, content FROM access_reports WHERE substr(digest, 1, :length) = :digest LIMIT 2"
)
_SHORTEST: Final = len("sha256:") + 8
_EVERYTHING: Final = "SELECT digest, content FROM access_reports ORDER BY digest"


class Kept(NamedTuple):
    """A report and its name."""

    digest: str
    report: Mapping[str, Any]


def named(report: Mapping[str, Any]) -> Kept:
    """Give a report its name."""
    return Kept(sha256_name(canonical_bytes(report)), report)


def keep(tx: Transaction, report: Mapping[str, Any]) -> Kept:
    """Keep a report under its name."""
    kept = named(report)
    tx.write(_KEEP, (kept.digest, format_time(tx.at), canonical_bytes(report)))
    return kept


def forget(tx: Transaction, before: datetime) -> None:
    """Drop the reports of an earlier time that the log does not name."""
    tx.write(_FORGET, (format_time(before),))


def find(look: Look, digest: str) -> Kept | None:
    """Give a report by its name, or by the beginning of it where only one begins so; None for another's bytes."""
    found = look(_FIND, {"digest": digest})
    if not found and len(digest) >= _SHORTEST:
        found = look(_FIND_START, {"digest": digest, "length": len(digest)})
    if len(found) != 1:
        return None
    name, _, content = found[0]
    return Kept(str(name), json.loads(content)) if sha256_name(bytes(content)) == name else None


def faults(connection: sqlite3.Connection, signed: Iterable[str]) -> Iterator[str]:
    """Say which report is not what its name says, and which one that was signed is gone."""
    found: set[str] = set()
    for digest, content in connection.execute(_EVERYTHING):
        found.add(digest)
        if sha256_name(bytes(content)) != digest:
            yield f"the report {digest} was changed"
    for digest in signed:
        if digest not in found:
            yield f"the report {digest} was signed and is missing"
