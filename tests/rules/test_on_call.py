"""A rota: exactly one person is on call at every instant, and turns are handed over at the same time on the wall."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.on_call import Override, Rota, moment_of, next_change, turns
from approval_rules.people import RoleName
from approval_rules.roles import AHEAD, RoleMembers, Shift, shifts

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Pacific/Apia")
MAYA, JONAS, PRIYA, SAM = "U0MAYA", "U0JONAS", "U0PRIYA", "U0SAM"
WEEKLY = Rota((MAYA, JONAS, PRIYA), 7, time(9), date(2026, 1, 5), BERLIN)
START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def local(*when: int) -> datetime:
    """Name a moment by what the wall shows in Berlin."""
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[misc,arg-type]


ROTAS = st.builds(
    Rota,
    st.lists(st.sampled_from([MAYA, JONAS, PRIYA, SAM]), min_size=1, max_size=5).map(tuple),
    st.integers(1, 21),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0, fold=0)),
    st.dates(date(2005, 1, 1), date(2026, 1, 1)),
    st.sampled_from(ZONES).map(ZoneInfo),
)
INSTANTS = st.datetimes(datetime(2006, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(ROTAS, INSTANTS)
def test_exactly_one_person_is_on_call_at_every_instant(rota: Rota, at: datetime) -> None:
    """Over thirty years and every kind of zone, from the first turn on there is one, who is in the rota."""
    began = moment_of(rota.start, rota.handover, rota.zone)
    assert len(rota.on_call(at)) == (1 if at >= began else 0)
    assert rota.on_call(at) <= rota.people


@given(ROTAS, INSTANTS, st.integers(1, 60))
def test_turns_follow_each_other_in_order(rota: Rota, since: datetime, days: int) -> None:
    """Between two hand-overs nobody else is on call, the next one is next in the list, and no moment is left out."""
    until = since + timedelta(days=days)
    listed = turns(rota, since, until)
    assert (listed[0].start, listed[-1].end) == (since, until)
    for one, two in pairwise(listed):
        assert one.end == two.start
        handed_over = two.start.astimezone(rota.zone)
        assert (handed_over.hour, handed_over.minute) == (rota.handover.hour, rota.handover.minute) or _is_in_a_gap(
            rota, two.start
        )
    for turn in listed:
        middle = turn.start + (turn.end - turn.start) / 2
        last = turn.end - timedelta(microseconds=1)
        assert rota.on_call(turn.start) == rota.on_call(middle) == rota.on_call(last) == turn.users


def _is_in_a_gap(rota: Rota, handed_over: datetime) -> bool:
    """Tell whether the hour of the hand-over was left out that day, so that it came with the next one."""
    day = handed_over.astimezone(rota.zone).date()
    wanted = datetime.combine(day, rota.handover, rota.zone)
    return wanted.astimezone(UTC).astimezone(rota.zone).replace(tzinfo=None) != wanted.replace(tzinfo=None)


@pytest.mark.parametrize(
    "handover",
    [local(2026, 3, 30, 9), local(2026, 10, 26, 9), local(2027, 3, 29, 9), local(2026, 7, 6, 9), local(2026, 1, 12, 9)],
)
def test_the_hand_over_is_at_nine_on_the_wall_on_both_sides_of_summer_time(handover: datetime) -> None:
    """The Mondays after both changes, in UTC an hour apart, and any other Monday."""
    before, after = WEEKLY.on_call(handover - timedelta(microseconds=1)), WEEKLY.on_call(handover)
    assert before != after
    (old,), (new,) = before, after
    users = WEEKLY.users
    assert users[(users.index(old) + 1) % 3] == new


def test_a_turn_over_the_change_is_an_hour_shorter_or_longer() -> None:
    """A week with the change of March has 167 hours, the one of October 169: the wall decides, not a count."""
    for since, hours in ((local(2026, 3, 23, 9), 167), (local(2026, 10, 19, 9), 169)):
        first = turns(WEEKLY, since.astimezone(UTC), since.astimezone(UTC) + timedelta(days=10))[0]
        assert (first.end - first.start) == timedelta(hours=hours)


def test_a_daily_hand_over_in_the_hour_that_comes_twice_happens_once() -> None:
    """At 02:30 of 25 October the first of the two counts; at 02:30 of 29 March, which is left out, it is 03:30."""
    daily = Rota((MAYA, JONAS), 1, time(2, 30), date(2026, 1, 1), BERLIN)
    autumn = turns(daily, local(2026, 10, 24, 12).astimezone(UTC), local(2026, 10, 26, 12).astimezone(UTC))
    assert [turn.start.hour for turn in autumn[1:]] == [0, 1]
    assert [len(turn.users) for turn in autumn] == [1, 1, 1]
    spring = turns(daily, local(2026, 3, 28, 12).astimezone(UTC), local(2026, 3, 30, 12).astimezone(UTC))
    assert [turn.start for turn in spring[1:]] == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), local(2026, 3, 30, 2, 30)]


def test_an_override_replaces_whoever_has_the_turn_and_nothing_else() -> None:
    """Until just before it and from its end on the rota counts; whoever stands in is one of its people."""
    swap = Override(local(2026, 1, 7, 9), local(2026, 1, 8, 9), SAM)
    rota = Rota(WEEKLY.users, 7, time(9), date(2026, 1, 5), BERLIN, (swap,))
    moments = [local(2026, 1, 7, 8, 59), local(2026, 1, 7, 9), local(2026, 1, 8, 8, 59), local(2026, 1, 8, 9)]
    assert [rota.on_call(at) for at in moments] == [{MAYA}, {SAM}, {SAM}, {MAYA}]
    assert rota.people == {MAYA, JONAS, PRIYA, SAM}
    assert [turn.users for turn in turns(rota, START, START + timedelta(days=7))] == [{MAYA}, {SAM}, {MAYA}]


def test_nobody_is_on_call_before_the_first_turn() -> None:
    """A rota that begins later is empty until then, and says so in a listing."""
    assert WEEKLY.on_call(START - timedelta(seconds=1)) == frozenset()
    first, second = turns(WEEKLY, START - timedelta(days=1), START + timedelta(days=1))
    assert (first.users, second.users, second.start) == (frozenset(), frozenset({MAYA}), START)


def test_when_somebodys_turn_changes() -> None:
    """Whoever is on call hears until when, whoever is not from when on; who never is, nothing."""
    week, day = timedelta(days=7), timedelta(days=1)
    assert next_change(WEEKLY, MAYA, START, 3 * week) == START + week
    assert next_change(WEEKLY, PRIYA, START, 3 * week) == START + 2 * week
    assert next_change(WEEKLY, SAM, START, 3 * week) is None
    assert next_change(WEEKLY, MAYA, START, day) is None
    assert WEEKLY.source is None
    assert WEEKLY.at_once == 1


@given(ROTAS, INSTANTS)
def test_a_shift_is_the_first_of_the_turns(rota: Rota, at: datetime) -> None:
    """Whoever has the turn now, and until when, is what the list of turns begins with."""
    lead = RoleName("lead")
    first, *later = turns(rota, at, at + AHEAD)
    [shift] = shifts({lead: RoleMembers(rota.people, None, on_call=rota)}, at)
    assert shift == Shift(lead, first.users, first.end if later else None)


def test_a_role_without_a_schedule_has_no_shift() -> None:
    """Everybody in it may act at any time; several schedules come in the order of their names."""
    people = RoleMembers(frozenset({MAYA}), None)
    lead = RoleMembers(frozenset(), None, on_call=WEEKLY)
    found = shifts({RoleName("b"): lead, RoleName("c"): people, RoleName("a"): lead}, START)
    assert [shift.role for shift in found] == ["a", "b"]
