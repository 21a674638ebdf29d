"""How long a person waits for the command line and for the server to start, and how much memory it takes then."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.figures import Figure
from benchmarks.names import TOOL
from benchmarks.place import Place, place, site
from benchmarks.processes import FOUREYES, Ran, run
from benchmarks.proposals import fill, whole_life

_IDLE_SECONDS = 3


def commands(*, quick: bool) -> Iterator[Figure]:
    """Run each command that must be quick, warm, on a log of a thousand entries."""
    rounds = 3 if quick else 11
    with place() as at:
        fill(at, whole_life(at), 100)
        for words in (["--help"], ["status"], ["pause", "--tool", TOOL, "a benchmark"], ["audit", "verify"]):
            ran = [_run(at, words) for _ in range(rounds + 1)][1:]
            name = " ".join(words[:2] if words[0] == "audit" else words[:1])
            yield Figure(f"command: foureyes {name}", [one.wall for one in ran], "s", 0.5, at_most=True)
            yield Figure(f"command: foureyes {name}, processor time", [one.cpu for one in ran], "s")


def _run(at: Place, words: list[str]) -> Ran:
    return run([FOUREYES, *words], env=at.env, cwd=at.folder)


def server(*, quick: bool) -> Iterator[Figure]:
    """Start the server on an empty database, and let it idle."""
    rounds = 2 if quick else 5
    ready, resident = [], []
    with place() as at:
        for _ in range(rounds + 1):
            with ExitStack() as stack:
                running = stack.enter_context(site(at))
                time.sleep(_IDLE_SECONDS)
                ready.append(running.server.ready_after)
                resident.append(running.server.resident_mb())
    yield Figure("server: from start to ready", ready[1:], "s", 4, at_most=True)
    yield Figure("server: memory when idle", resident[1:], "MB", 120, at_most=True)
