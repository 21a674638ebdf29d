"""When to try again: pure tables, without a clock and without dice."""

import hashlib
from datetime import timedelta
from typing import Final

_JITTER: Final = 0.1

CALLBACK_DELAYS: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
SLACK_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (0, 1, 2, 5, 10, 30, 60, 300))
SLACK_GIVES_UP_AFTER: Final = timedelta(days=3)


def callback_delay(attempts: int, fraction: float, retry_after: timedelta | None = None) -> timedelta | None:
    """Tell how long to wait after `attempts` failed callbacks, at least `retry_after`; None: the dead letters.

    `fraction`, from 0 up to 1, spreads the wait over ten per cent either way.
    """
    if attempts >= len(CALLBACK_DELAYS):
        return None
    return _spread(CALLBACK_DELAYS[attempts], fraction, retry_after)


def slack_delay(
    attempts: int, age: timedelta, fraction: float, retry_after: timedelta | None = None
) -> timedelta | None:
    """Tell how long to wait after `attempts` failed calls to Slack for a row this old; None: the dead letters.

    A row that is three days old is given up.
    """
    if age >= SLACK_GIVES_UP_AFTER:
        return None
    return _spread(SLACK_DELAYS[min(attempts, len(SLACK_DELAYS) - 1)], fraction, retry_after)


def fraction_of(row: str, attempts: int) -> float:
    """Give a number from 0 up to 1 that is the same for one row and attempt, and spread over all of them."""
    digest = hashlib.sha256(f"{row}/{attempts}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)


def _spread(delay: timedelta, fraction: float, retry_after: timedelta | None) -> timedelta:
    return max(delay * (1 - _JITTER + 2 * _JITTER * fraction), retry_after or timedelta(0))
