"""The stand-in's only source of time and of ids; no other file here may read a clock or make up an id."""

import hashlib
import time
from collections.abc import Callable
from itertools import count
from typing import Final

MICROSECOND: Final = 0.000_001


class Clock:
    """Two times: a monotonic one that limits are measured with, and the wall's, which stamps messages and signatures.

    They are separate so that a test can leap half an hour ahead without its signatures coming from the future.
    """

    def __init__(self, monotonic: Callable[[], float] | None = None, wall: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic or time.monotonic
        self._wall = wall or time.time
        self._last_ts = 0

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self._monotonic()

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._wall()

    def ts(self) -> str:
        """Return a Slack timestamp that no earlier call returned: it is a message's id, so two must never be equal."""
        self._last_ts = max(int(self._wall() / MICROSECOND), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"


class Ids:
    """Ids in Slack's shapes, reproducible for one seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = count(1)

    def _digits(self, length: int) -> str:
        return hashlib.sha256(f"{self._seed}:{next(self._count)}".encode()).hexdigest()[:length]

    def typed(self, letter: str) -> str:
        """Return an id such as V0A1B2C3D4E: a letter for the kind, then ten upper-case characters."""
        return letter + "0" + self._digits(9).upper()

    def short(self) -> str:
        """Return what Slack fills in for a missing block_id or action_id."""
        return self._digits(5)

    def opaque(self) -> str:
        """Return a long name that says nothing: the end of a response_url, a view's hash."""
        return self._digits(32)

    def trigger(self, wall: float) -> str:
        """Return a trigger_id in Slack's shape."""
        return f"{int(wall * 1000)}.{next(self._count)}.{self._digits(32)}"
