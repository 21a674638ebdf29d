"""The metronome: it ticks on, one tick at a time, whatever a sweep does."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from bot import schedule
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
        await ticks.stop()
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
    await ticks.stop()
    await asyncio.sleep(0.15)
    assert most == 1
    stopped_at = others
    await asyncio.sleep(0.05)
    assert others == stopped_at


async def test_a_stop_waits_for_the_tick_under_way() -> None:
    """What a tick uses is closed after the stop; a tick that was cut off there could wait for ever."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def sweep() -> None:
        began.set()
        await asyncio.sleep(0.1)
        ended.set()

    ticks = Ticks()
    ticks.every(0.01, "slow", sweep)
    ticks.start()
    await asyncio.wait_for(began.wait(), 10)
    await ticks.stop()
    assert ended.is_set()


async def test_a_tick_that_hangs_does_not_hold_up_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience it is cut off."""
    monkeypatch.setattr(schedule, "_PATIENCE_SECONDS", 0.05)
    began, cut = asyncio.Event(), asyncio.Event()

    async def sweep() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            cut.set()

    ticks = Ticks()
    ticks.every(0.01, "hangs", sweep)
    ticks.start()
    await asyncio.wait_for(began.wait(), 10)
    await ticks.stop()
    await asyncio.wait_for(cut.wait(), 10)


async def test_a_tick_that_is_due_at_the_stop_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """A tick that falls due while the server stops ends whole or is never begun, without a word: a stop is no fault."""
    rounds = 0

    async def sweep() -> None:
        nonlocal rounds
        rounds += 1

    ticks = Ticks()
    ticks.every(0.01, "due", sweep)
    ticks.start()
    time.sleep(0.05)  # noqa: ASYNC251 - the loop must find the tick due when the stop has already come
    await ticks.stop()
    stopped_at = rounds
    await asyncio.sleep(0.05)
    assert rounds == stopped_at
    assert caplog.records == []
