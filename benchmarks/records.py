"""Whether a large log is verified fast enough, and whether health checks stay the same beside it."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.figures import Figure
from benchmarks.load import Load, drive
from benchmarks.place import place, site
from benchmarks.processes import FOUREYES, run
from benchmarks.proposals import fill, submitted, whole_life
from bot.audit.verify import verify
from bot.store.check import differences
from bot.store.engine import open_reader

_ENTRIES_OF_A_LIFE = 10
_CHECKS = ("/healthz", "/readyz", "/metrics")
_GET = "GET {} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


def audit(*, quick: bool) -> Iterator[Figure]:
    """Verify a log of whole lives: a hundred thousand entries, built by the writer."""
    lives, rounds = (1_000, 3) if quick else (10_000, 5)
    with place() as at:
        fill(at, whole_life(at), lives)
        verified, refolded, commanded = [], [], []
        for _ in range(rounds):
            with closing(open_reader(at.database)) as connection:
                begun = time.perf_counter()
                report = verify(connection, None)
                verified.append(report.entries / (time.perf_counter() - begun))
                begun = time.perf_counter()
                faults = [*report.broken, *differences(connection)]
                refolded.append(report.entries / (time.perf_counter() - begun))
            if faults or report.entries < lives * _ENTRIES_OF_A_LIFE:
                raise RuntimeError(f"{report.entries} entries, {faults[:3]}")
            commanded.append(report.entries / run([FOUREYES, "audit", "verify"], env=at.env, cwd=at.folder).wall)
    yield Figure("audit: entries verified", verified, "/s", 30_000)
    yield Figure("audit: entries refolded and compared", refolded, "/s")
    yield Figure("audit: `foureyes audit verify`, both", commanded, "/s")


def health(*, quick: bool) -> Iterator[Figure]:
    """Ask the health checks of an empty server and of one with a hundred thousand proposals, round by round."""
    proposals, rounds, seconds = (5_000, 3, 0.5) if quick else (100_000, 7, 1.5)
    with place() as empty, place() as full:
        fill(full, submitted(full), proposals)
        with site(empty) as without, site(full) as with_many:
            for path in _CHECKS:
                pairs = [
                    (_asked(without.server.port, path, seconds), _asked(with_many.server.port, path, seconds))
                    for _ in range(rounds)
                ]
                ratios = [_middle(there) / _middle(here) for here, there in pairs]
                name = f"health: {path} with {proposals} proposals to none"
                yield Figure(name, ratios, "times", 1.2, at_most=True)


def _asked(port: int, path: str, seconds: float) -> Load:
    request = itertools.repeat(_GET.format(path).encode())
    return asyncio.run(drive(port, request, clients=1, seconds=seconds, expected=200))


def _middle(load: Load) -> float:
    return sorted(load.latencies)[len(load.latencies) // 2]
