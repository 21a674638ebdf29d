"""The only source of time, of ids and of chance; everything else is handed a `Clock`, a `NewId` or a `NewToken`.

It must never give an earlier time than it gave before: a clock that is set back cannot reopen a deadline.
"""

import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
NewId = Callable[[str], str]
NewToken = Callable[[int], bytes]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_CHANCE_BITS = 80
_CHANCE_MASK = (1 << _CHANCE_BITS) - 1
_CHANCE_BYTES = 10
_CHANCE_LETTERS = 16
_TIME_LETTERS = 10
_SALT_BYTES = 18  # 128 bits are asked for; 18 bytes fill their letters, so that all are written at once
_SALT_LETTERS = 24
_STEP_BYTES = 4
_SHIFTS = {letters: tuple(range(5 * letters - 10, -1, -10)) for letters in range(2, 28, 2)}


class SteadyClock:
    """Wall time in UTC that never goes back.

    When the machine's clock is set back, time goes on at half speed until the machine has caught up: deadlines stay
    passed, timers still fire, and an error of an hour heals within two without a restart. Set forward, it follows at
    once: expiring early is the safe side.
    """

    def __init__(self, wall: Callable[[], int] = time.time_ns, elapsed: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._last = wall()
        self._last_elapsed = elapsed()

    def __call__(self) -> datetime:
        """Give the time now, aware and in UTC."""
        with self._lock:
            elapsed = self._elapsed()
            self._last = max(self._wall(), self._last + (elapsed - self._last_elapsed) // 2)
            self._last_elapsed = elapsed
            return _EPOCH + timedelta(microseconds=self._last // 1000)


class TimeOrderedIds:
    """Ids of 128 bits: milliseconds since 1970, then chance; as text they sort by the order in which they were made.

    Within one millisecond, and after the clock was set back, the next id is the last one plus a random step.
    """

    def __init__(self, wall: Callable[[], int] = time.time_ns, chance: NewToken = os.urandom) -> None:
        self._wall = wall
        self._draw = chance
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._time = ""
        self._chance = 0

    def __call__(self, prefix: str) -> str:
        """Make `prefix_` and 26 letters of Crockford's base 32 in lower case."""
        with self._lock:
            now = self._wall() // 1_000_000
            if now > self._milliseconds:
                self._begin(now, int.from_bytes(self._draw(_CHANCE_BYTES), "big"))
            else:
                self._chance += 1 + int.from_bytes(self._draw(_STEP_BYTES), "big")
                if self._chance >> _CHANCE_BITS:
                    self._begin(self._milliseconds + 1, self._chance & _CHANCE_MASK)
            return f"{prefix}_{self._time}{base32(self._chance, _CHANCE_LETTERS)}"

    def _begin(self, milliseconds: int, chance: int) -> None:
        self._milliseconds = milliseconds
        self._time = base32(milliseconds, _TIME_LETTERS)
        self._chance = chance


def base32(number: int, letters: int) -> str:
    """Write a number in Crockford's base 32, lower case, in an even count of letters; higher bits are left out."""
    return "".join([_PAIRS[number >> shift & 0x3FF] for shift in _SHIFTS[letters]])


def new_token(nbytes: int) -> bytes:
    """Give `nbytes` bytes that nobody can guess."""
    return os.urandom(nbytes)


def salts(count: int) -> list[str]:
    """Make salts of 144 bits as URL-safe text (RFC 9901 asks for 128)."""
    letters = urlsafe_b64encode(os.urandom(_SALT_BYTES * count)).decode()
    return [letters[i : i + _SALT_LETTERS] for i in range(0, len(letters), _SALT_LETTERS)]


def elapsed() -> timedelta:
    """Give how long the machine has been up: it goes on while wall time stands still, and nobody can set it."""
    return timedelta(microseconds=time.monotonic_ns() // 1000)


def not_before(clock: Clock, earliest: datetime | None) -> Clock:
    """Give a clock that stands still at `earliest` until the given one has passed it."""
    if earliest is None:
        return clock
    return lambda: max(clock(), earliest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

system_clock: Clock = SteadyClock()
new_id: NewId = TimeOrderedIds()
