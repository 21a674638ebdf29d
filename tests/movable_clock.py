"""A clock that a test moves; everything that waits for a time then finds that it has come."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.clock import SteadyClock


class MovableClock:
    """The steady clock (or another), and as far ahead of it as a test has moved."""

    def __init__(self, steady: Callable[[], datetime] | None = None) -> None:
        self._steady = steady or SteadyClock()
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Give the time now."""
        return self._steady() + self._ahead

    def move(self, by: timedelta) -> None:
        """Go ahead (or, with a negative time, back)."""
        self._ahead += by
