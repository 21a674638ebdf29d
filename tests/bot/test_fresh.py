"""Answers are asked for once, kept while they are fresh, and never given after that."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.fresh import MOST_HELD, FreshAnswers

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Source:
    """Something to ask, which counts and can be made to wait or to fail."""

    def __init__(self) -> None:
        self.now = NOON
        self.up = timedelta()
        self.asked: list[str] = []
        self.stays = timedelta(seconds=60)
        self.open = asyncio.Event()
        self.open.set()
        self.bug = False
        self.answers = FreshAnswers[str, str](self.ask, lambda: self.now, lambda: self.up)

    async def ask(self, key: str) -> tuple[str, timedelta]:
        """Answer with a number that tells which question this was."""
        self.asked.append(key)
        await self.open.wait()
        if self.bug:
            raise RuntimeError("a bug")
        return f"{key}{len(self.asked)}", self.stays

    async def get(self, key: str) -> str:
        """The value alone."""
        return (await self.answers.get(key)).value


async def test_a_fresh_answer_is_given_again_and_a_stale_one_never() -> None:
    """Until its time, not at it."""
    source = Source()
    assert await source.get("a") == "a1"
    source.now += timedelta(seconds=59, microseconds=999_999)
    assert await source.get("a") == "a1"
    source.now = NOON + timedelta(seconds=60)
    assert await source.get("a") == "a2"


async def test_an_answer_grows_old_while_the_clock_stands_still() -> None:
    """The machine's clock was set back, and time waits for it: a minute is a minute all the same."""
    source = Source()
    assert await source.get("a") == "a1"
    source.up += timedelta(seconds=59, microseconds=999_999)
    assert await source.get("a") == "a1"
    source.up = timedelta(seconds=60)
    assert await source.get("a") == "a2"


async def test_an_answer_is_as_old_as_its_question() -> None:
    """The time that the question took is taken off its freshness."""
    source = Source()
    source.open.clear()
    waiting = asyncio.create_task(source.answers.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.now += timedelta(seconds=10)
    source.open.set()
    answer = await waiting
    assert (answer.known_at, answer.until) == (NOON, NOON + timedelta(seconds=60))


async def test_many_waiters_are_one_question() -> None:
    """Fifty at once ask once per key, and one that gives up takes nobody with it."""
    source = Source()
    source.open.clear()
    waiters = [asyncio.create_task(source.get("a")) for _ in range(50)]
    other = asyncio.create_task(source.get("b"))
    await asyncio.sleep(0.01)
    waiters[0].cancel()
    await asyncio.sleep(0)
    source.open.set()
    assert len(set(await asyncio.gather(*waiters[1:]))) == 1
    await other
    assert sorted(source.asked) == ["a", "b"]
    with pytest.raises(asyncio.CancelledError):
        await waiters[0]


async def test_a_bug_is_not_kept() -> None:
    """What breaks breaks for those who wait; the next one asks again."""
    source = Source()
    source.bug = True
    with pytest.raises(RuntimeError, match="a bug"):
        await source.get("a")
    source.bug = False
    assert await source.get("a") == "a2"


async def test_what_is_held_has_a_limit() -> None:
    """Stale answers make room; where all are fresh, all go."""
    source = Source()
    await source.get("old")
    source.now += timedelta(seconds=61)
    for number in range(MOST_HELD - 1):
        await source.get(f"k{number}")
    await source.get("new")
    assert len(source.answers._held) == MOST_HELD
    assert "old" not in source.answers._held
    await source.get("newer")
    assert list(source.answers._held) == ["newer"]
