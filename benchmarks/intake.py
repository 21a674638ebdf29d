"""How fast proposals that ask people come in: whole requests, durable before the answer, beside a bare POST."""

import asyncio
import itertools
import json
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.figures import Figure, per_cent
from benchmarks.load import Load, drive, post
from benchmarks.names import TOOL
from benchmarks.place import place, site
from benchmarks.processes import PYTHON, SERVER_CORE, Process

CLIENTS = 16
_NUMBER = "@" * 12
_numbers = itertools.count(1)


def proposal() -> bytes:
    """Write a proposal of 2 KB as agents send them."""
    sentence = "The customer was charged twice for one order and asked for one of the two charges back. "
    body = {
        "tool": TOOL,
        "arguments": {"order_id": f"ORD-{_NUMBER}", "amount_usd": 180.25, "currency": "USD", "customer_id": "C-4411"},
        "summary": sentence,
        "context": {
            "facts": {"customer_tier": "pro", "environment": "production", "days_since_order": 12},
            "history": [{"at": f"2026-0{month}-11T09:30:00Z", "what": sentence} for month in range(1, 5)],
            "steps_attempted": [sentence, sentence],
            "evidence": [
                {"title": "Ticket 8812", "url": "https://tickets.example/8812", "excerpt": sentence * 3},
                {"title": "Payment log", "url": "https://pay.example/log/20931", "excerpt": sentence * 4},
            ],
            "if_declined": "The customer is told that a person will look at it within a day.",
        },
        "run": {"id": "run-77", "model": "a-model-1", "prompt_version": "14", "tokens": 8211, "tool_calls": 5},
    }
    return json.dumps(body).encode()


def requests(body: bytes, key: str = "") -> Iterator[bytes]:
    """Write requests with one body but for the order, and an Idempotency-Key each: one action again would be a loop."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "idempotency-key": _NUMBER}
    parts = post("/v1/proposals", body, headers).split(_NUMBER.encode())
    while True:
        yield (b"%012d" % next(_numbers)).join(parts)


def intake(*, quick: bool) -> Iterator[Figure]:
    """Measure rounds of the floor and of the product, one after the other."""
    rounds, seconds = (3, 1.5) if quick else (7, 4.0)
    body = proposal()
    floors: list[tuple[Load, float]] = []
    whole: list[tuple[Load, float]] = []
    with (
        place() as at,
        site(at) as running,
        processes.server([PYTHON, "-m", "benchmarks.floor"], ready="/healthz", core=SERVER_CORE) as floor,
    ):
        measured(running.server, requests(body, at.agent.key), 1.0)
        for _ in range(rounds):
            floors.append(measured(floor, requests(body), seconds / 2))
            whole.append(measured(running.server, requests(body, at.agent.key), seconds))
    bare, product = [load.per_second for load, _ in floors], [load.per_second for load, _ in whole]
    bare_cpu, product_cpu = [cpu for _, cpu in floors], [cpu for _, cpu in whole]
    yield Figure("intake: bare POST with pydantic (the floor)", bare, "/s")
    yield Figure("intake: floor, processor time a request", bare_cpu, "us")
    yield Figure("intake: proposals answered after COMMIT", product, "/s")
    yield Figure("intake: share of the floor", per_cent(product, bare), "%", 15)
    yield Figure("intake: p99", [load.p99_ms() for load, _ in whole], "ms", 60, at_most=True)
    yield Figure("intake: processor time a request", product_cpu, "us")
    yield Figure("intake: floor's processor time as a share of it", per_cent(bare_cpu, product_cpu), "%", 15)


def measured(process: Process, sent: Iterator[bytes], seconds: float) -> tuple[Load, float]:
    """Give what a round gave, and the server's processor time a request in microseconds."""
    before = process.cpu_seconds()
    load = asyncio.run(drive(process.port, sent, clients=CLIENTS, seconds=seconds, expected=201))
    return load, 1e6 * (process.cpu_seconds() - before) / len(load.latencies)
