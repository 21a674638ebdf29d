"""What an auditor waits for: the one-file verifier over a long export, and one entry's proof out of a million."""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.place import place
from benchmarks.processes import CORES, FOUREYES, PYTHON, run
from benchmarks.proposals import fill, whole_life
from bot.audit.merkle import Frontier, grown, includes, inclusion_proof
from bot.audit.tiles import StoredNodes
from bot.store import schema
from bot.store.engine import open_reader, open_writer

_VERIFIER = str(Path(__file__).resolve().parent.parent / "verifier" / "foureyes_verify.py")
_ENTRY = "INSERT INTO entries (seq, subject, type, at, body, leaf_hash) VALUES (?, 's', 't', '2026', x'7b7d', ?)"
_NODE = "INSERT INTO tree (level, idx, hash) VALUES (?, ?, ?)"


def verifier(*, quick: bool) -> Iterator[Figure]:
    """Verify an export with the one-file verifier as an auditor does, start of Python included, on all cores."""
    lives, rounds = (2_000, 3) if quick else (10_000, 5)
    verified, ratios, started = [], [], []
    with place() as at, _all_cores():
        fill(at, whole_life(at), lives)
        run([FOUREYES, "audit", "export", "--tiles", "export"], env=at.env, cwd=at.folder)
        with closing(open_reader(at.database)) as connection:
            entries: int = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
        bundles = [
            path.read_bytes() for path in (at.folder / "export" / "tile" / "entries").rglob("*") if path.is_file()
        ]
        for _ in range(rounds):
            started.append(run([PYTHON, _VERIFIER, "--version"], env=at.env, cwd=at.folder).cpu)
            took = run([PYTHON, _VERIFIER, "export"], env=at.env, cwd=at.folder).wall
            begun = time.perf_counter()
            for bundle in bundles:
                hashlib.sha256(bundle).digest()
            ratios.append(took / (time.perf_counter() - begun))
            verified.append(entries / took)
        parts = [_parts(at.folder / "export", entries) for _ in range(rounds)]
    yield Figure("verifier: entries of an export verified", verified, "/s", 100_000)
    yield Figure("verifier: processor time of its start", started, "s")
    yield Figure("verifier: time to that of SHA-256 alone", ratios, "times")
    for part in parts[0]:
        yield Figure(f"verifier: processor time, {part}", [each[part] for each in parts], "us")


def _parts(export: Path, entries: int) -> dict[str, float]:
    """Give the processor time that each part of the work takes in one process, in microseconds an entry."""
    sys.path.append(str(Path(_VERIFIER).parent))
    verify = import_module("foureyes_verify")
    source = verify.Export(export, entries)
    tasks = [verify.Task(source.read, *piece, frozenset()) for piece in source.pieces()]
    marks = [time.process_time()]
    pieces = [task.read(task.first, task.end) for task in tasks]
    marks.append(time.process_time())
    leaves = [verify.leaf_hashes(piece.bodies) for piece in pieces]
    for each in leaves:
        verify.tiles_of(b"".join(each))
    marks.append(time.process_time())
    for piece, each in zip(pieces, leaves, strict=True):
        verify.read_entries(piece, each, whole=False)
    marks.append(time.process_time())
    for task in tasks:
        verify.check_piece(task)
    marks.append(time.process_time())
    names = ("files", "hashes", "entries' form", "all of it")
    return {name: 1e6 * (end - begun) / entries for name, (begun, end) in zip(names, pairwise(marks), strict=True)}


def proof(*, quick: bool) -> Iterator[Figure]:
    """Prove entries all over a long log, each with no tile of it in hand."""
    size, tries = (100_000, 50) if quick else (1_000_000, 400)
    took = []
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        database = Path(folder) / "foureyes.db"
        root = _long_log(database, size).root
        with closing(open_reader(database)) as connection:
            for number in range(tries):
                index = number * (size // tries)
                begun = time.perf_counter()
                proved = inclusion_proof(index, size, StoredNodes(connection))
                took.append(1000 * (time.perf_counter() - begun))
                if not includes(root, size, index, _leaf(index), proved):
                    raise RuntimeError(f"the proof of entry {index} is wrong")
    yield Figure(f"proof: one entry of {size}", took, "ms", 5, at_most=True)


@contextmanager
def _all_cores() -> Iterator[None]:
    """Let what is started here use every core; the benchmarks are pinned to one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _leaf(index: int) -> bytes:
    return hashlib.sha256(index.to_bytes(8, "big")).digest()


def _long_log(database: Path, size: int) -> Frontier:
    """Write a log that is nothing but its tree: what its entries say is of no matter for a proof."""
    schema.upgrade(database)
    with closing(open_writer(database, checkpoints=True)) as db:
        db.execute("BEGIN")
        db.executemany(_ENTRY, ((index, _leaf(index)) for index in range(size)))
        tree, full = grown(Frontier(), map(_leaf, range(size)))
        db.executemany(_NODE, full)
        db.execute("COMMIT")
    return tree
