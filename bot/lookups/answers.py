"""Keeps answers for a while, and asks once for all who want the same at the same time.

It must never keep a failure for more than a second, or more than a fixed number of bytes of other systems' data.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.clock import Clock
from bot.lookups.failure import LookupFailedError

FAILURES_LAST: Final = timedelta(seconds=1)
MOST_KEPT: Final = 4096
MOST_BYTES: Final = 8 * 1024 * 1024


class Question(NamedTuple):
    """One request: the whole address, which secret goes with it, and how long it may take."""

    url: str
    header_env: str | None
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Answered:
    """What came, and when; where nothing came, `body` is empty and `failed` says why."""

    at: datetime
    body: bytes = field(repr=False)
    failed: str | None = None


class Answers:
    """The one memory of a server. `ask` makes a request; it raises LookupFailedError."""

    def __init__(self, ask: Callable[[Question], Awaitable[bytes]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._kept: OrderedDict[Question, Answered] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Question, asyncio.Task[Answered]] = {}

    async def get(self, question: Question, cache: timedelta) -> Answered:
        """Give an answer that is at most `cache` old, or that is under way just now; raises LookupFailedError."""
        answered = self._kept.get(question)
        if answered is None or self._clock() - answered.at >= (FAILURES_LAST if answered.failed else cache):
            task = self._under_way.get(question)
            if task is None:
                task = self._under_way[question] = asyncio.create_task(self._answer(question))
                task.add_done_callback(lambda _: self._under_way.pop(question))
            # Whoever goes away leaves the request to the others.
            answered = await asyncio.shield(task)
            if cache or answered.failed:
                self._keep(question, answered)
        if answered.failed:
            raise LookupFailedError(answered.failed)
        return answered

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, question: Question) -> Answered:
        asked_at = self._clock()  # an answer is as old as its question
        try:
            return Answered(asked_at, await self._ask(question))
        except LookupFailedError as error:
            return Answered(self._clock(), b"", error.why)

    def _keep(self, question: Question, answered: Answered) -> None:
        self._forget(question)
        self._kept[question] = answered
        self._bytes += _size(question, answered)
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, question: Question) -> None:
        answered = self._kept.pop(question, None)
        if answered is not None:
            self._bytes -= _size(question, answered)


def _size(question: Question, answered: Answered) -> int:
    return len(question.url) + len(answered.body)
