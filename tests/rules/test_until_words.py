"""`until friday`, `for 3 days`: read by the wall of the person's own zone, and never guessed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.until_words import MOST_AWAY, until_when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 23, 10, 0, tzinfo=UTC)  # a Friday, noon in Berlin; summer time ends on Sunday


@pytest.mark.parametrize(
    ("words", "wall"),
    [
        ("until monday", (2026, 10, 26, 0, 0)),
        ("UNTIL  Mon 09:00", (2026, 10, 26, 9, 0)),
        ("until monday at 9:00", (2026, 10, 26, 9, 0)),
        ("till tomorrow", (2026, 10, 24, 0, 0)),
        ("until tomorrow 09:00", (2026, 10, 24, 9, 0)),
        ("until friday", (2026, 10, 30, 0, 0)),
        ("until friday 17:00", (2026, 10, 23, 17, 0)),
        ("until fri 11:00", (2026, 10, 30, 11, 0)),
        ("until today", (2026, 10, 24, 0, 0)),
        ("until today 17:00", (2026, 10, 23, 17, 0)),
        ("until 17:00", (2026, 10, 23, 17, 0)),
        ("until 11:00", (2026, 10, 24, 11, 0)),
        ("until 2026-12-01", (2026, 12, 1, 0, 0)),
        ("until 2026-12-01 08:30", (2026, 12, 1, 8, 30)),
        ("until 2027-10-22", (2027, 10, 22, 0, 0)),
    ],
)
def test_a_day_and_a_time_are_those_on_the_wall(words: str, wall: tuple[int, ...]) -> None:
    """Also across the end of summer time; a day alone begins it, `today` ends it."""
    assert until_when(words, NOW, BERLIN) == datetime(*wall, tzinfo=BERLIN)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("words", "lasts"),
    [
        ("for 3 days", timedelta(days=3)),
        ("for 30m", timedelta(minutes=30)),
        ("for an hour", timedelta(hours=1)),
        ("for a week", timedelta(days=7)),
        ("for 2 weeks", timedelta(days=14)),
    ],
)
def test_a_time_is_as_long_as_it_says(words: str, lasts: timedelta) -> None:
    """From now on."""
    assert until_when(words, NOW, BERLIN) == NOW + lasts


@pytest.mark.parametrize(
    "words",
    [
        *("", "until", "for", "friday", "until doomsday", "until m", "until 25:00", "until 9:75", "until 2026-13-01"),
        *("until today 09:00", "until 2026-10-22", "until 2028-01-01", "for 0 days", "for 900 weeks", "for 3 moons"),
        *("until 2026-10-24 and then", "until fridayish"),
    ],
)
def test_what_cannot_be_told_or_is_over_or_too_far_is_nothing(words: str) -> None:
    """Nobody is away by a guess."""
    assert until_when(words, NOW, BERLIN) is None


@given(st.text(max_size=40), st.sampled_from(["until ", "for ", ""]))
def test_any_words_are_read_or_not(words: str, before: str) -> None:
    """Whatever somebody types, the end is ahead and within a year, or there is none."""
    found = until_when(before + words, NOW, BERLIN)
    assert found is None or NOW < found <= NOW + MOST_AWAY
