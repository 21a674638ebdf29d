"""What the tree and its signed checkpoints cost the intake: a server with them beside one without."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.intake import measured, proposal, requests
from benchmarks.place import place, site
from benchmarks.processes import PYTHON

_WITHOUT = str(Path(__file__).with_name("without_tree.py"))


def tree(*, quick: bool) -> Iterator[Figure]:
    """Measure rounds of both, one after the other, in pairs; the processor time is the steadier of the two."""
    rounds, seconds = (3, 1.5) if quick else (7, 4.0)
    body = proposal()
    extra: list[float] = []
    lost: list[float] = []
    with place() as one, place() as other, site(one) as whole, site(other, [PYTHON, _WITHOUT, "serve"]) as bare:
        pairs = [(whole.server, one.agent.key), (bare.server, other.agent.key)]
        for server, key in pairs:
            measured(server, requests(body, key), 1.0)
        for _ in range(rounds):
            (load, cpu), (bare_load, bare_cpu) = [
                measured(server, requests(body, key), seconds) for server, key in pairs
            ]
            extra.append(100 * (cpu - bare_cpu) / bare_cpu)
            lost.append(100 * (1 - load.per_second / bare_load.per_second))
    yield Figure("tree: processor time that it adds to a proposal", extra, "%", 15, at_most=True)
    yield Figure("tree: proposals a second that it costs", lost, "%", 15, at_most=True)
