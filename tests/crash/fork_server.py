"""Forks engines out of a process that has everything imported: a life costs milliseconds, and each ends by kill -9.

Orders come as lines of JSON on standard input, reports go out as lines on standard output. A child writes its reports
itself, each in one write, so that what was reported before the kill arrives.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from bot.store.commit import no_crash
from tests.crash.deeds import Chooser, Deed, done
from tests.crash.engine import Engine, Place, lay_out, started
from tests.planted.bugs import plant_named
from tests.planted.planting import planted_here

Report: TypeAlias = Callable[[dict[str, Any]], None]
HANDS = 4
DEEDS = 8
DRAIN_STEPS = 400


def die_at(point: str, nth: int, linger: float) -> Callable[[str], None]:
    """Kill this process when it passes a named point for the nth time; lingering lets a premature answer get out."""
    left = nth

    def crash_point(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                time.sleep(linger)
                os.kill(os.getpid(), signal.SIGKILL)

    return crash_point


async def live(order: dict[str, Any], report: Report) -> None:
    """Start the engine, do again what was not answered, then work until somebody kills us."""
    crash_point = die_at(order["point"], order["nth"], order["linger"])
    async with started(Place(Path(order["folder"])), timedelta(seconds=order["ahead"]), crash_point) as engine:
        report({"started": True})
        for deed in order["again"]:
            await tell(engine, deed, report)
        if order["drain"]:
            await drain(engine)
            report({"idle": True})
        else:
            chooser = Chooser(engine, order["seed"])
            await asyncio.gather(*(hand(engine, chooser, report) for _ in range(HANDS)))
            report({"idle": True})
        await asyncio.sleep(60)


async def hand(engine: Engine, chooser: Chooser, report: Report) -> None:
    """Do some deeds, one after the other."""
    for _ in range(DEEDS):
        await tell(engine, await chooser.next(), report)


async def tell(engine: Engine, deed: Deed, report: Report) -> None:
    """Say what is asked, do it, and say what the answer was."""
    report({"asked": deed})
    report({"answered": deed["name"], "answer": await done(engine, deed)})


async def drain(engine: Engine) -> None:
    """Let hours pass until nothing waits to be told and everything has ended."""
    sql = "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')"
    for _ in range(DRAIN_STEPS):
        engine.clock.ahead += timedelta(minutes=10)
        await engine.sweeps.pass_time()
        await asyncio.sleep(0.005)
        async with engine.wiring.reads.snapshot() as snapshot:
            waiting = await snapshot.rows(sql, {})
            switch = await snapshot.switch()
            due = await snapshot.due(engine.clock() + timedelta(hours=5), switch, 1)
        if waiting[0][0] == 0 and not due:
            return


async def warm_up(folder: Path) -> None:
    """Live once and end in peace: what is imported at the first use is there for every child."""
    async with started(lay_out(folder), timedelta(), no_crash) as engine:
        chooser = Chooser(engine, 0)
        for _ in range(20):
            await done(engine, await chooser.next())


def serve() -> None:
    """Take orders until standard input ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # the log must not get between the reports

    def report(line: dict[str, Any]) -> None:
        os.write(out, json.dumps(line).encode() + b"\n")

    plant_named(planted_here())
    with TemporaryDirectory() as folder:
        asyncio.run(warm_up(Path(folder) / "warm"))
    gc.freeze()
    for text in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(live(json.loads(text), report))
            except BaseException:  # noqa: BLE001 - a child must never return into the server's loop
                traceback.print_exc()
            finally:
                with suppress(OSError):
                    sys.stderr.flush()
                os._exit(1)
        report({"pid": pid})
        _, status = os.waitpid(pid, 0)
        report({"ended": status})


if __name__ == "__main__":
    serve()
