"""Verifies a log from its bytes alone: order, links, hashes, canonical form, detached values, tree and checkpoints.

Shares nothing with the writer but the format, and reads the database with no code of the store. It only looks.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec.json import Decoder

from bot.audit.log_format import FIELDS, FIRST_PREV, VERSION, EntryError, canonical, disclosure_digest, leaf_hash
from bot.audit.report import Report
from bot.audit.signed_note import Checkpoint
from bot.audit.verify_tree import Tree

_ENTRIES = "SELECT seq, subject, type, at, body, leaf_hash FROM entries ORDER BY seq"
ERASED = "values.erased"
_decode = Decoder().decode
_DETACHED = "SELECT seq, name, salt, value FROM detached ORDER BY seq"


def verify(
    connection: sqlite3.Connection,
    anchor: Checkpoint | None,
    keys: Sequence[bytes] = (),
    retired: Mapping[bytes, int] = MappingProxyType({}),
    *,
    opens: bool = True,
) -> Report:
    """Check every entry of a database in one read transaction, and each checkpoint in it that one of the keys signed.

    `retired` are keys of the past, with the number of entries that their signatures count for. Without `keys` nobody
    can say who signed those; they are held against the entries all the same. A connection that `opens` no sealed values
    shows NULL for them: then only those are missed that are not there at all.
    """
    report = Report()
    connection.execute("BEGIN")
    try:
        detached, tree = _Detached(connection, opens=opens), Tree(connection, report, anchor, keys, retired)
        prev = FIRST_PREV
        for row in connection.execute(_ENTRIES):
            leaf = _check_entry(report, row, prev, detached)
            tree.add(leaf)
            prev = leaf.hex()
        detached.finish(report)
        tree.finish()
        report.head = prev
        report.anchored = tree.anchored()
    finally:
        connection.execute("ROLLBACK")
    return report


def _check_entry(report: Report, row: tuple[Any, ...], prev: str, detached: "_Detached") -> bytes:
    seq, subject, kind, at, raw, kept_hash = row
    body = raw if isinstance(raw, bytes) else str(raw).encode()  # whoever rewrote the schema must not stop us
    expected = report.entries
    report.entries += 1
    if seq != expected:
        report.add(expected, f"entry {expected} is missing: the next one is {seq}")
        report.entries = seq + 1
    found = leaf_hash(body)
    if found != kept_hash:
        report.add(seq, "the stored hash is not the hash of the entry: one of them was changed")
    entry = _parse(report, seq, body)
    if entry is not None:
        if entry["v"] != VERSION:
            report.add(seq, f"the entry is of format {entry['v']}, which this program does not know; use a newer one")
        if entry["seq"] != seq:
            report.add(seq, f"the entry calls itself {entry['seq']}")
        if entry["prev"] != prev:
            report.add(seq, "the entry does not link to the one before: one of them was changed, moved or removed")
        if (entry["subject"], entry["type"], entry["at"]) != (subject, kind, at):
            report.add(seq, "the look-up columns differ from the entry")
        detached.check(report, seq, entry)
        if entry["type"] == ERASED:
            detached.note_erasure(report, entry["data"])
    return found


def _parse(report: Report, seq: int, body: bytes) -> Mapping[str, Any] | None:
    try:
        entry = _decode(body)
        if not isinstance(entry, dict) or tuple(sorted(entry)) != FIELDS or not isinstance(entry["_sd"], list):
            report.add(seq, "the entry does not have the fields of an entry")
            return None
        if canonical(entry) != body:
            report.add(seq, "the entry is not in canonical form")
    except (ValueError, EntryError, RecursionError):
        report.add(seq, "the entry cannot be read")
        return None
    return entry


class _Detached:
    """Walks the detached values beside the entries, both in the order of the log."""

    def __init__(self, connection: sqlite3.Connection, *, opens: bool) -> None:
        self._opens = opens
        self._gone: list[tuple[int, str, int]] = []
        self._erased: Counter[str] = Counter()
        self._rows: Iterator[tuple[int, str, str | None, str | None]] = iter(connection.execute(_DETACHED))
        self._next = next(self._rows, None)

    def check(self, report: Report, seq: int, entry: Mapping[str, Any]) -> None:
        """Hold the values of one entry against the digests in it."""
        self._skip(report, seq)
        promised = entry["_sd"]
        found = set()
        changed = unopened = 0
        while self._next is not None and self._next[0] == seq:
            _, name, salt, value = self._next
            self._next = next(self._rows, None)
            if value is None and salt is None:
                unopened += 1
                continue
            digest = "" if value is None or salt is None else disclosure_digest(salt, name, value)
            if digest not in promised:
                report.add(seq, f"the detached value {name!r} was changed")
                changed += 1
            found.add(digest)
        gone = len([digest for digest in promised if digest not in found]) - changed
        if not self._opens:
            report.unopened += unopened
            gone -= unopened
        if gone > 0:
            self._gone.append((seq, str(entry["at"])[:10], gone))

    def note_erasure(self, report: Report, data: Any) -> None:  # noqa: ANN401 - JSON of anybody
        """Take in how many values of which days an entry says were erased."""
        try:
            for gone in data["gone"]:
                day, days, count = str(gone["day"]), int(gone["days"]), int(gone["count"])
                self._erased[day] += count
                report.erased[str(data["why"]), days] += count
        except (KeyError, TypeError, ValueError):
            pass  # whoever wrote that has erased nothing

    def _weigh(self, report: Report) -> None:
        """Hold what is gone, day by day, against what was recorded of it."""
        by_day: Counter[str] = Counter()
        for _, day, gone in self._gone:
            by_day[day] += gone
        for seq, day, gone in self._gone:
            if not self._erased[day]:
                report.add(seq, f"{gone} of its detached values are gone and no erasure was recorded")
            elif by_day[day] > self._erased[day]:
                recorded = self._erased[day]
                report.add(
                    seq, f"{by_day[day]} detached values of {day} are gone, and the erasure of {recorded} was recorded"
                )
                by_day[day] = 0  # said once

    def _skip(self, report: Report, before: int) -> None:
        while self._next is not None and self._next[0] < before:
            report.add(self._next[0], f"the detached value {self._next[1]!r} belongs to no entry")
            self._next = next(self._rows, None)

    def finish(self, report: Report) -> None:
        """Find values after the last entry, and those that are gone and should not be."""
        self._skip(report, 2**63)
        self._weigh(report)
