"""Quiet hours: by the wall of their zone, over midnight and over the change of summer time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.quiet_hours import QuietHours, quiet_until

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)
WEEKEND = QuietHours(time(0), time(0), BERLIN, frozenset({5, 6}))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
SPANS = st.builds(
    QuietHours,
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0, fold=0)),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0, fold=0)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]).map(ZoneInfo),
    st.frozensets(st.integers(0, 6)),
)


def wall(*when: int) -> datetime:
    """Name a moment by what the wall shows in Berlin."""
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (wall(2026, 6, 3, 21, 59), None),
        (wall(2026, 6, 3, 22), wall(2026, 6, 4, 7)),
        (wall(2026, 6, 4, 6, 59), wall(2026, 6, 4, 7)),
        (wall(2026, 6, 4, 7), None),
        (wall(2026, 3, 28, 23), wall(2026, 3, 29, 7)),
        (wall(2026, 10, 25, 2, 30).replace(fold=1), wall(2026, 10, 25, 7)),
    ],
)
def test_a_night_ends_at_seven_on_the_wall(at: datetime, until: datetime | None) -> None:
    """Also where the night is an hour shorter or longer."""
    assert quiet_until([NIGHT], at.astimezone(UTC)) == until


def test_spans_that_follow_each_other_are_one() -> None:
    """From Friday night on it is quiet until Monday morning."""
    assert quiet_until([NIGHT, WEEKEND], wall(2026, 6, 5, 23)) == wall(2026, 6, 8, 7)


def test_days_name_when_a_span_begins() -> None:
    """The night of Friday lasts into Saturday, and Saturday's own night is none of it."""
    friday = QuietHours(time(22), time(7), BERLIN, frozenset({4}))
    assert quiet_until([friday], wall(2026, 6, 6, 3)) == wall(2026, 6, 6, 7)
    assert quiet_until([friday], wall(2026, 6, 6, 23)) is None


def test_where_it_is_never_loud_it_is_quiet_for_weeks() -> None:
    """A folder that says so reminds nobody until it is late; it does not compute for ever."""
    always = QuietHours(time(0), time(0), BERLIN)
    until = quiet_until([always], wall(2026, 6, 6, 3))
    assert until is not None
    assert until - wall(2026, 6, 6, 3) > timedelta(days=14)


@given(st.lists(SPANS, max_size=4), INSTANTS)
def test_it_is_loud_when_it_is_said_to_be(spans: list[QuietHours], at: datetime) -> None:
    """Whatever the spans: the end is ahead, and then no span lies, unless all of the weeks before are quiet."""
    until = quiet_until(spans, at)
    if until is None:
        assert all(span.ends(at) is None for span in spans)
    else:
        assert until > at
        assert until - at > timedelta(days=7) or all(span.ends(until) is None for span in spans)
