"""Writes a log as C2SP's tlog-tiles lay it out: files that any such program reads. Never half an export in its place.

`tile/<level>/<n>` holds 256 hashes, `tile/entries/<n>` the 256 entries under them, each behind its length in two bytes;
what is not full yet ends in `.p/<width>`. Beside the layout lie `keys.txt` (who signs), `checkpoints` (those that the
database kept) and, when asked for, `disclosures.ndjson` (what lives of the values that entries hold only as digests).
`checkpoint` is written last, and the folder gets its name when all of it is there.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bot.audit.log_format import leaf_hash
from bot.audit.merkle import EMPTY_ROOT, KEPT, Frontier, grown
from bot.audit.signed_note import Checkpoint, Sign, VerifierKey, origin_of, signed_checkpoint

WIDTH = 1 << KEPT
UNFINISHED = ".part"
_ENTRIES = "SELECT body FROM entries ORDER BY seq"
_NOTES = "SELECT note FROM checkpoints ORDER BY size"
_GROUP = 1000

Disclosure = tuple[int, str, str, str]
"""A detached value: the entry's index, name, salt, and the value's JSON text."""


class ExportError(Exception):
    """The folder cannot be written; the message says what to do."""


def export(
    connection: sqlite3.Connection,
    folder: Path,
    signers: Sequence[tuple[bytes, Sign]],
    disclosures: Callable[[sqlite3.Connection], Iterable[Disclosure]] | None = None,
    retired: Mapping[bytes, int] = MappingProxyType({}),
) -> tuple[Checkpoint, list[str]]:
    """Write what one read transaction sees, and sign it. Raises ExportError for a folder that is not new.

    Gives what was signed, and every key that signed it or an older checkpoint, as C2SP writes keys; behind a `retired`
    one stands for how many entries its signatures count.
    """
    unfinished = folder.with_name(folder.name + UNFINISHED)
    if folder.exists():
        raise ExportError(f"{folder} is there already; name a folder that is new")
    if unfinished.exists():
        raise ExportError(f"{unfinished} is what an export left that was stopped; look at it and remove it")
    unfinished.mkdir(parents=True)
    connection.execute("BEGIN")
    try:
        checkpoint = _write_tiles(connection, unfinished)
        notes = [row[0] for row in connection.execute(_NOTES)]
        if disclosures is not None:
            _write_disclosures(unfinished / "disclosures.ndjson", disclosures(connection))
    finally:
        connection.execute("ROLLBACK")
    _write(unfinished / "checkpoints", "\n".join(notes).encode())
    keys = [str(VerifierKey(checkpoint.origin, public)) for public, _ in signers]
    keys += [f"{VerifierKey(checkpoint.origin, public)} retired {end}" for public, end in retired.items()]
    _write(unfinished / "keys.txt", "".join(f"{key}\n" for key in keys).encode())
    _write(unfinished / "checkpoint", signed_checkpoint(checkpoint, signers).encode())
    unfinished.rename(folder)
    return checkpoint, keys


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Name a tile as tlog-tiles does: the index in groups of three digits, each but the last behind an x."""
    groups = [f"{index % _GROUP:03}"]
    while index := index // _GROUP:
        groups.insert(0, f"x{index % _GROUP:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def _write_tiles(connection: sqlite3.Connection, folder: Path) -> Checkpoint:
    rows: list[list[bytes]] = []  # the hashes of each level's tile that is being filled
    counts: list[int] = []  # and how many of the level were filled before
    size, first, frontier = 0, None, Frontier()
    cursor = connection.execute(_ENTRIES)
    while bodies := [bytes(row[0]) for row in cursor.fetchmany(WIDTH)]:
        bundle = b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
        _write(folder / tile_path("entries", size // WIDTH, len(bodies)), bundle)
        leaves = [leaf_hash(body) for body in bodies]
        first = first or leaves[0]
        frontier, _ = grown(frontier, leaves)
        size += len(bodies)
        _fill(folder, rows, counts, leaves)
    for level, row in enumerate(rows):
        if row:
            _write(folder / tile_path(level, counts[level], len(row)), b"".join(row))
    return Checkpoint(origin_of(first), size, frontier.root if size else EMPTY_ROOT)


def _fill(folder: Path, rows: list[list[bytes]], counts: list[int], leaves: list[bytes]) -> None:
    """Put hashes into the lowest level's tile, and the root of each full tile into the level above."""
    level, new = 0, leaves
    while True:
        if level == len(rows):
            rows.append([])
            counts.append(0)
        rows[level] += new
        if len(rows[level]) < WIDTH:
            return
        _write(folder / tile_path(level, counts[level]), b"".join(rows[level]))
        new = [grown(Frontier(), rows[level])[0].root]
        rows[level] = []
        counts[level] += 1
        level += 1


def _write_disclosures(path: Path, disclosures: Iterable[Disclosure]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for seq, name, salt, value in disclosures:
            line = {"seq": seq, "name": name, "salt": salt, "value": value}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        if path.name == "checkpoint":
            os.fsync(file.fileno())
