"""Tries every damage at some places of every table and tells who found it: `python -m tests.tamper.matrix [ENTRIES]`.

`make tamper` prints the table. It judges by what must be told (`damages.py`), and never by what is told today.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from foureyes_verify import Keys, check_all

from bot.audit.signed_note import checkpoint_in
from bot.audit.verify import verify
from bot.store.check import differences
from tests.tamper.damages import OUTSIDE, OUTSIDE_COLUMNS, Damage, damages
from tests.tamper.ground import Ground, ground
from tests.tamper.reasons import reason_by_file

ENTRIES = 504
PLACES = 5
SHOWN = 110


@dataclass
class Row:
    """One line of the matrix."""

    damage: Damage
    tried: int = 0
    found: int = 0
    by_file: int = 0
    said: str = ""  # the right reason, as `audit verify` told it of the last place
    missed: list[str] = field(default_factory=list)
    disagreed: list[str] = field(default_factory=list)


def told_of(db: sqlite3.Connection, where: Ground) -> list[tuple[int | None, str]]:
    """Give what `audit verify` finds: in the log's bytes, or else in the folds."""
    broken = verify(db, checkpoint_in(where.note, where.keys), where.keys).broken
    return [(fault.seq, fault.what) for fault in broken] or [(None, what) for what in differences(db)]


def told_by_file(db: sqlite3.Connection, where: Ground, folder: Path) -> list[tuple[int | None, str]]:
    """Give what the verifier of one file finds, with the anchor beside it as an auditor has it."""
    database, anchor = folder / "log.db", folder / "anchor"
    database.write_bytes(db.serialize())
    anchor.write_text(where.note, "utf-8")
    reports, unreadable = check_all([database, anchor], Keys((where.keys[0],), given=True), 1)
    assert unreadable == []
    return [(fault["entry"], fault["what"]) for report in reports for fault in report.broken]


def told_at(fault: tuple[int | None, str]) -> str:
    """Write a fault as `audit verify` does, shortened to a line."""
    seq, what = fault
    line = what if seq is None else f"entry {seq}: {what}"
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def seq_of(db: sqlite3.Connection, damage: Damage, place: int) -> int | None:
    """Give the entry at which a damage to one row must be told; None where it shows elsewhere, or has no entry."""
    if damage.table not in ("entries", "detached") or not damage.in_bytes or not damage.is_of_one_row:
        return None
    rows = f"SELECT seq FROM main.{damage.table} WHERE {damage.only} ORDER BY 1"  # noqa: S608 - our own names
    (seq,) = db.execute(f"{rows} LIMIT 1 OFFSET ?", (place,)).fetchone()
    return int(seq)


def places(count: int, most: int) -> Sequence[int]:
    """Pick the first, the last and some between; all of them where there are no more."""
    if count <= most:
        return range(count)
    return sorted({*(place * (count - 1) // (most - 1) for place in range(most))})


def tried(where: Ground, damage: Damage, most: int = PLACES) -> Row:
    """Do one damage at several places, each in a copy of its own."""
    row = Row(damage)
    with where.copy() as db, TemporaryDirectory() as folder:
        rows = f"SELECT count(*) FROM main.{damage.table} WHERE {damage.only}"  # noqa: S608 - our own names
        (count,) = db.execute(rows).fetchone()
        for place in places(count, most):
            with where.copy() as copy:
                at = seq_of(copy, damage, place)
                damage.apply(copy, place)
                told = told_of(copy, where)
                row.tried += 1
                right = [fault for fault in told if damage.is_told([fault[1]]) and at in (None, fault[0])]
                if right:
                    row.found += 1
                    row.said = told_at(right[0])
                else:
                    row.missed.append(f"{damage.name} at {place}: {told[:3]}")
                by_file = told_by_file(copy, where, Path(folder))
                rightly = [
                    seq for seq, what in by_file if re.search(reason_by_file(damage), what) and at in (None, seq)
                ]
                row.by_file += bool(rightly)
                if bool(rightly if damage.in_bytes else by_file) != damage.in_bytes:
                    row.disagreed.append(f"{damage.name} at {place}: {told[:3]} and {by_file[:3]}")
    return row


def rows(where: Ground, most: int) -> Iterator[Row]:
    """Go through the matrix."""
    for damage in damages():
        yield tried(where, damage, most)


def main() -> int:
    """Print the matrix; 1 where something was missed."""
    where = ground(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
    missed = 0
    print(f"{'what is done':<66}{'tried':>6}{'verify':>8}{'one file':>10}")
    for row in rows(where, PLACES):
        by_file = row.by_file if row.damage.in_bytes else "-"
        print(f"{row.damage.name:<66}{row.tried:>6}{row.found:>8}{by_file:>10}")
        print(f"    {row.said}")
        missed += len(row.missed) + len(row.disagreed)
        for line in (*row.missed, *row.disagreed):
            print(f"  MISSED {line}")
    print("\nNot the record, and why:")
    for table, reason in OUTSIDE.items():
        print(f"  {table}: {reason}")
    for table, columns in OUTSIDE_COLUMNS.items():
        for column, reason in columns.items():
            print(f"  {table}.{column}: {reason}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
