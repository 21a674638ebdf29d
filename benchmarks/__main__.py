"""`python -m benchmarks [NAME ...] [--quick]`: prints a line for each figure."""

import argparse
import os
from collections.abc import Callable, Iterator

import uvloop

from benchmarks.clicks import clicks
from benchmarks.commands import commands, server
from benchmarks.erasing import erase
from benchmarks.figures import HEADING, Figure
from benchmarks.indexing import indexing
from benchmarks.intake import intake
from benchmarks.packing import evidence
from benchmarks.pausing import pausing
from benchmarks.policies import loading, rules
from benchmarks.processes import LOAD_CORE
from benchmarks.proving import proof, verifier
from benchmarks.records import audit, health
from benchmarks.replay import replay
from benchmarks.searching import search
from benchmarks.tree import tree

BENCHMARKS: dict[str, Callable[..., Iterator[Figure]]] = {
    "intake": intake,
    "clicks": clicks,
    "pause": pausing,
    "policy": rules,
    "load": loading,
    "replay": replay,
    "commands": commands,
    "server": server,
    "audit": audit,
    "health": health,
    "search": search,
    "tree": tree,
    "index": indexing,
    "verifier": verifier,
    "proof": proof,
    "evidence": evidence,
    "erase": erase,
}


def main() -> int:
    """Measure what was asked for; exit 1 where a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, smaller logs")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    os.sched_setaffinity(0, {LOAD_CORE})
    uvloop.install()
    print(HEADING)
    below = False
    for name in asked.names or BENCHMARKS:
        for figure in BENCHMARKS[name](quick=asked.quick):
            print(figure.line(), flush=True)
            below = below or figure.reached is False
    return int(below)


if __name__ == "__main__":
    main()
