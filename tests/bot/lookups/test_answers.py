"""The memory of answers: no older than allowed, asked once for all, bounded, and short about failures."""

import asyncio
from datetime import timedelta

import pytest

from bot.lookups import answers
from bot.lookups.answers import Answers, Question
from bot.lookups.failure import LookupFailedError, words_for
from tests.movable_clock import MovableClock

NONE, MINUTE, WAIT = timedelta(), timedelta(minutes=1), timedelta(seconds=2)
A, B = Question("https://a/1", None, WAIT), Question("https://a/2", "T", WAIT)


class Source:
    """Answers with a number that grows; fails where a test says so; waits while `gate` is closed."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.fails: str | None = None
        self.size = 1
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, question: Question) -> bytes:
        """Answer."""
        self.asked.append(question)
        number = len(self.asked)
        await self.gate.wait()
        if self.fails:
            raise LookupFailedError(self.fails)
        return str(number).encode().ljust(self.size)


async def test_an_answer_is_as_old_as_its_question_and_no_older_than_allowed() -> None:
    """Each asker says how old it may be; without a cache everybody asks."""
    source, clock = Source(), MovableClock()
    memory = Answers(source, clock)
    began = clock()
    assert began <= (await memory.get(A, MINUTE)).at <= clock()
    clock.move(timedelta(seconds=30))
    assert (await memory.get(A, MINUTE)).body == b"1"
    assert (await memory.get(A, timedelta(seconds=30))).body == b"2"
    assert (await memory.get(A, NONE)).body == b"3"
    assert (await memory.get(A, NONE)).body == b"4"
    assert (await memory.get(B, MINUTE)).body == b"5"  # another address, another secret, another time-out: not the same
    assert (await memory.get(B._replace(header_env=None), MINUTE)).body == b"6"


async def test_many_at_once_ask_once_and_nobody_takes_it_from_the_others() -> None:
    """One who goes away leaves the request to those who stay."""
    source = Source()
    source.gate.clear()
    memory = Answers(source, MovableClock())
    first = asyncio.create_task(memory.get(A, NONE))
    others = [asyncio.create_task(memory.get(A, NONE)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert [(await one).body for one in others] == [b"1"] * 5
    assert len(source.asked) == 1


async def test_a_failure_is_kept_for_a_second() -> None:
    """A system that is down is not asked by everybody, and is asked again soon, whatever the cache."""
    source, clock = Source(), MovableClock()
    memory = Answers(source, clock)
    source.fails = "no connection"
    for _ in range(3):
        with pytest.raises(LookupFailedError, match="no connection"):
            await memory.get(A, MINUTE)
    assert len(source.asked) == 1
    source.fails = None
    clock.move(timedelta(seconds=1))
    assert (await memory.get(A, MINUTE)).body == b"2"


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes; the oldest goes first."""
    monkeypatch.setattr(answers, "MOST_KEPT", 3)
    monkeypatch.setattr(answers, "MOST_BYTES", 1000)
    source = Source()
    memory = Answers(source, MovableClock())
    questions = [Question(f"https://a/{number}", None, WAIT) for number in range(5)]
    for question in questions:
        await memory.get(question, MINUTE)
    assert (await memory.get(questions[4], MINUTE)).body == b"5"
    assert (await memory.get(questions[0], MINUTE)).body == b"6"
    source.size = 900
    await memory.get(A, MINUTE)
    await memory.get(B, MINUTE)
    assert len(source.asked) == 8
    await memory.get(A, MINUTE)
    assert len(source.asked) == 9


async def test_closing_gives_up_what_is_under_way() -> None:
    """A server that stops waits for nobody."""
    source = Source()
    source.gate.clear()
    memory = Answers(source, MovableClock())
    waiting = asyncio.create_task(memory.get(A, NONE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await memory.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_every_code_of_the_guard_has_words() -> None:
    """What cannot happen with a checked address is said too."""
    assert words_for("timeout") == "timed out"
    assert words_for("url-malformed") == "its address cannot be called"
