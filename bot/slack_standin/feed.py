"""The numbered list of all that people could see happen, and a way to wait for the next thing; it decides nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.slack_standin.refusal import Json

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Entry:
    """One visible change: its number, its kind and what the page needs to draw it."""

    number: int
    event: str
    data: Json


class Feed:
    """An append-only journal in memory, for one event loop."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._tick = asyncio.Event()
        self.closed = False

    @property
    def cursor(self) -> int:
        """The number of the newest entry, 0 when there is none."""
        return len(self._entries)

    def publish(self, event: str, data: Json) -> None:
        """Append one change and wake everybody who waits."""
        self._entries.append(Entry(self.cursor + 1, event, data))
        self.wake()

    def after(self, number: int) -> list[Entry]:
        """Return the entries behind a number; a number from before a restart means all of them."""
        return self._entries[number:] if 0 <= number <= self.cursor else list(self._entries)

    def wake(self) -> None:
        """Let every waiter look again."""
        tick, self._tick = self._tick, asyncio.Event()
        tick.set()

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        self.wake()

    async def changed(self) -> None:
        """Return at the next change."""
        await self._tick.wait()

    async def until(self, find: Callable[[], Found | None], timeout_s: float, what: str) -> Found:
        """Return the first true value of `find`, looking at every change; TimeoutError says what was missing."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := find()):
                    await self.changed()
                return found
        except TimeoutError:
            raise TimeoutError(f"within {timeout_s} s there was no {what}") from None
