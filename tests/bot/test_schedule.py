"""The metronome: it ticks on, one tick at a time, whatever a sweep does."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from bot.schedule import Ticks


async def test_a_failing_sweep_is_logged_and_runs_again() -> None:
    """An error does not end the ticking; it is logged with the sweep's name."""
    rounds: list[int] = []
    enough = asyncio.Event()

    async def sweep() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise RuntimeError("the first time")
        enough.set()

    ticks = Ticks()
    ticks.every(0.01, "broken", sweep)
    with capture_logs() as logs:
        ticks.start()
        await asyncio.wait_for(enough.wait(), 10)
        ticks.stop()
    assert [(log["event"], log["sweep"]) for log in logs] == [("sweep_failed", "broken")]


async def test_a_slow_sweep_is_never_beside_itself() -> None:
    """Late ticks become one, after the slow one; another sweep goes on meanwhile."""
    running = 0
    most = 0
    others = 0
    enough = asyncio.Event()

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1

    async def quick() -> None:
        nonlocal others
        others += 1
        if others == 20:
            enough.set()

    ticks = Ticks()
    ticks.every(0.01, "slow", slow)
    ticks.every(0.01, "quick", quick)
    ticks.start()
    await asyncio.wait_for(enough.wait(), 10)
    ticks.stop()
    await asyncio.sleep(0.15)
    assert most == 1
    stopped_at = others
    await asyncio.sleep(0.05)
    assert others == stopped_at


async def test_a_stop_in_the_middle_of_a_tick_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """A tick that is due when the server stops is dropped without a word: a stop is no fault."""

    async def sweep() -> None:
        pytest.fail("it was stopped before it began")

    ticks = Ticks()
    ticks.every(0.01, "due", sweep)
    ticks.start()
    time.sleep(0.05)  # noqa: ASYNC251 - the loop must find the tick due when the stop has already come
    ticks.stop()
    await asyncio.sleep(0.05)
    assert caplog.records == []
