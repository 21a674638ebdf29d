"""Answers from outside, kept for as long as they are fresh, and asked for once however many wait for them.

It must never give an answer that is past its time; what to do without one is the asker's matter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from bot.clock import Clock, elapsed

K = TypeVar("K")
V = TypeVar("V")

MOST_HELD: Final = 4096


@dataclass(frozen=True, slots=True)
class Fresh(Generic[V]):
    """An answer; `known_at` is when it was asked for, so it is at least as new as that.

    It lasts `until` a time, and at most until the machine has been up for `until_up`.
    """

    value: V
    known_at: datetime
    until: datetime
    until_up: timedelta


class FreshAnswers(Generic[K, V]):
    """A cache over `ask`, which gives an answer and how long it stays fresh, and MUST NOT raise for an outage.

    A waiter that is cancelled cancels nobody else's question. Where the machine's clock was set back, `clock` goes on
    slowly or stands still: no answer lasts longer for that.
    """

    def __init__(
        self, ask: Callable[[K], Awaitable[tuple[V, timedelta]]], clock: Clock, up: Callable[[], timedelta] = elapsed
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._up = up
        self._held: dict[K, Fresh[V]] = {}
        self._asking: dict[K, asyncio.Task[Fresh[V]]] = {}

    async def get(self, key: K) -> Fresh[V]:
        """Give a fresh answer, asking for it where none is held."""
        held = self._held.get(key)
        if held is not None and self._is_fresh(held):
            return held
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._renew(key))
            asking.add_done_callback(lambda _: self._asking.pop(key))
        return await asyncio.shield(asking)

    async def _renew(self, key: K) -> Fresh[V]:
        known_at, up = self._clock(), self._up()
        value, stays = await self._ask(key)
        if len(self._held) >= MOST_HELD:
            self._forget_stale()
        self._held[key] = fresh = Fresh(value, known_at, known_at + stays, up + stays)
        return fresh

    def _is_fresh(self, held: Fresh[V]) -> bool:
        return self._clock() < held.until and self._up() < held.until_up

    def _forget_stale(self) -> None:
        held = {key: fresh for key, fresh in self._held.items() if self._is_fresh(fresh)}
        self._held = held if len(held) < MOST_HELD else {}
