"""Time never goes back, ids sort by when they were made, times have one written form."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.times import format_time, parse_time
from bot.clock import SteadyClock, TimeOrderedIds, base32, new_id, new_token, system_clock

SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND


class Machine:
    """A machine's two clocks, set by the test."""

    def __init__(self, wall: int = NOON) -> None:
        self.wall = wall
        self.elapsed = 0

    def pass_by(self, nanoseconds: int, *, jump: int = 0) -> None:
        """Let time pass, and set the wall clock forward or back."""
        self.elapsed += nanoseconds
        self.wall += nanoseconds + jump

    def clock(self) -> SteadyClock:
        """A clock over this machine."""
        return SteadyClock(lambda: self.wall, lambda: self.elapsed)


@given(st.lists(st.tuples(st.integers(0, 10 * SECOND), st.integers(-5000 * SECOND, 5000 * SECOND)), max_size=30))
def test_time_never_goes_back(steps: list[tuple[int, int]]) -> None:
    """However the machine's clock is set, a later reading is never earlier, and never behind the machine's clock."""
    machine = Machine()
    clock = machine.clock()
    last = clock()
    for passed, jump in steps:
        machine.pass_by(passed, jump=jump)
        now = clock()
        assert now >= last
        assert now >= datetime.fromtimestamp(machine.wall // SECOND, UTC)
        last = now


def test_a_clock_set_back_heals_without_stopping_time() -> None:
    """Set back an hour, time goes on at half speed and is right again after two hours."""
    machine = Machine()
    clock = machine.clock()
    before = clock()
    machine.pass_by(0, jump=-3600 * SECOND)
    machine.pass_by(60 * SECOND)
    assert clock() - before == timedelta(seconds=30)
    machine.pass_by(7140 * SECOND)
    assert clock() == datetime.fromtimestamp(machine.wall / SECOND, UTC)


def test_a_clock_set_forward_is_followed_at_once() -> None:
    """Expiring early is the safe side."""
    machine = Machine()
    clock = machine.clock()
    before = clock()
    machine.pass_by(SECOND, jump=3600 * SECOND)
    assert clock() - before == timedelta(seconds=3601)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    """Every time in the product has the one zone."""
    assert system_clock().utcoffset() == timedelta(0)
    assert abs(system_clock() - datetime.now(UTC)) < timedelta(seconds=5)  # noqa: DTZ901, RUF100 - the other side


@given(st.lists(st.integers(-3, 3), max_size=60), st.randoms(use_true_random=False))
def test_ids_sort_by_when_they_were_made(steps: list[int], dice: object) -> None:
    """Whatever the clock does, every id is greater than the one before it."""
    draw = dice.randbytes  # type: ignore[attr-defined]
    now = 1_700_000_000_000
    ids = TimeOrderedIds(lambda: now * 1_000_000, draw)
    made = [ids("prop")]
    for step in steps:
        now += step
        made.append(ids("prop"))
    assert made == sorted(set(made))


def test_an_id_of_a_full_millisecond_moves_into_the_next() -> None:
    """When chance runs over within a millisecond, order is kept and the length too."""
    ids = TimeOrderedIds(lambda: 1_000_000 * 5, lambda size: b"\xff" * size)
    first, second = ids("x"), ids("x")
    assert first == "x_" + base32(5, 10) + "z" * 16
    assert first < second
    assert second.startswith("x_" + base32(6, 10))
    assert len(first) == len(second) == 28


def test_ids_of_a_process_differ() -> None:
    """A thousand ids are a thousand different ones, each with its prefix and 26 letters that cannot be misread."""
    made = {new_id("prop") for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(text) == 31 and not set(text.removeprefix("prop_")) & set("ilouILOU") for text in made)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_base32_keeps_order(one: int, other: int) -> None:
    """Text sorts as the numbers do."""
    assert (base32(one, 26) < base32(other, 26)) == (one < other)


def test_tokens_have_the_length_that_was_asked_for() -> None:
    """Two tokens of 32 bytes are 32 bytes long and differ."""
    one, other = new_token(32), new_token(32)
    assert len(one) == len(other) == 32
    assert one != other


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy wants naive bounds
        max_value=datetime(9990, 1, 1),  # noqa: DTZ001 - likewise
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-9))]),
    )
)
def test_a_written_time_reads_back(at: datetime) -> None:
    """Writing loses nothing but the zone, and has exactly six digits and Z."""
    text = format_time(at)
    assert len(text) == len("2026-01-31T12:00:00.000000Z")
    assert parse_time(text) == at
    assert parse_time(text).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody guesses a zone."""
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2026, 1, 31, 12))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.00000Z",
        "2026-01-31T12:00:00.000000+00:00",
        "2026-01-31 12:00:00.000000Z",
        "2026-13-31T12:00:00.000000Z",
        "2026-01-31T24:00:00.000000Z",
        "\uff12026-01-31T12:00:00.000000Z",
        "2026-01-31T12:00:00.000000Z\n",
    ],
)
def test_another_form_of_time_is_refused(text: str) -> None:
    """One time, one text."""
    with pytest.raises(ValueError, match=r"form|hour|month|Invalid"):
        parse_time(text)
