"""When to try again: over three days for callbacks, gently for Slack, never earlier than was asked for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.backoff import CALLBACK_DELAYS, SLACK_DELAYS, callback_delay, fraction_of, slack_delay

FRACTIONS = st.floats(0, 1, exclude_max=True)
WAITS = st.none() | st.timedeltas(timedelta(0), timedelta(days=1))


def test_callbacks_come_again_over_three_days() -> None:
    """Ten attempts after 0 s, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h; then the dead letters."""
    waits = [callback_delay(attempts, 0.5) for attempts in range(12)]
    assert waits[:4] == [timedelta(0), timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)]
    assert waits[4:10] == [timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)]
    assert waits[10:] == [None, None]
    assert sum(CALLBACK_DELAYS, timedelta(0)) > timedelta(days=3)


def test_slack_is_asked_ever_more_gently() -> None:
    """From one second to five minutes, for three days."""
    day = timedelta(days=1)
    waits = [slack_delay(attempts, day, 0.5) for attempts in range(9)]
    assert waits == [timedelta(seconds=seconds) for seconds in (0, 1, 2, 5, 10, 30, 60, 300, 300)]
    assert slack_delay(5000, day, 0.5) == SLACK_DELAYS[-1]
    assert slack_delay(1, 3 * day, 0.5) is None
    assert slack_delay(1, 3 * day, 0.5, timedelta(hours=1)) is None


@given(st.integers(0, 9), FRACTIONS, WAITS)
def test_a_wait_is_spread_by_a_tenth_and_never_cut(attempts: int, fraction: float, asked: timedelta | None) -> None:
    """Jitter stays within ten per cent either way; what was asked for is a lower bound."""
    waited = callback_delay(attempts, fraction, asked)
    slack = slack_delay(attempts, timedelta(0), fraction, asked)
    assert waited is not None
    assert slack is not None
    tick = timedelta(microseconds=1)
    for wait, table in ((waited, CALLBACK_DELAYS[attempts]), (slack, SLACK_DELAYS[min(attempts, 7)])):
        assert wait >= (asked or timedelta(0))
        assert table * 0.9 - tick <= wait <= max(table * 1.1, asked or timedelta(0)) + tick


def test_the_same_wait_for_the_same_fraction() -> None:
    """No dice: a restart computes the same due time; two fractions give two times."""
    assert callback_delay(3, 0.25) == callback_delay(3, 0.25) != callback_delay(3, 0.75)


@given(st.text(max_size=30), st.integers(0, 10))
def test_a_rows_fraction_is_its_own(row: str, attempts: int) -> None:
    """From 0 up to 1, and always the same for one row and attempt."""
    assert 0 <= fraction_of(row, attempts) == fraction_of(row, attempts) < 1


def test_fractions_are_spread() -> None:
    """A thousand rows that failed together do not come again together."""
    found = [fraction_of(f"row_{number}", 1) for number in range(1000)]
    assert len(set(found)) == 1000
    assert sum(found) / 1000 == pytest.approx(0.5, abs=0.05)
    assert {int(fraction * 10) for fraction in found} == set(range(10))
