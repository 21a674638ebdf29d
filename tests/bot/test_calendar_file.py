"""A calendar file as a schedule: what other programs write is read right, and what could be misread is refused."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from approval_rules.on_call import turns
from approval_rules.people import RoleName
from bot.calendar_file import CalendarFaultError, CalendarSchedule, read_calendar
from bot.policy_files import load, load_content, open_folder
from tests.bot.test_policy_files import Write, write
from tests.bot.test_policy_files_faults import one_fault

__all__ = ["write"]  # the fixture

BERLIN = ZoneInfo("Europe/Berlin")
PEOPLE = {"Maya Lind": "U0MAYA", "Ben Ode": "U0BEN"}
MAYA, BEN = frozenset({"U0MAYA"}), frozenset({"U0BEN"})
NOBODY: frozenset[str] = frozenset()
EVERY_OTHER = "RRULE:FREQ=WEEKLY;INTERVAL=2"
START, END = "DTSTART;TZID=Europe/Berlin", "DTEND;TZID=Europe/Berlin"
WEEKS = (
    f"UID:1\nSUMMARY:Maya Lind\n{START}:20260105T090000\n{END}:20260112T090000\n{EVERY_OTHER}",
    f"UID:2\nSUMMARY:Ben Ode\n{START}:20260112T090000\n{END}:20260119T090000\n{EVERY_OTHER}",
)
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*events: str, zones: str = "") -> bytes:
    """Write a file as calendar programs do."""
    inside = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n{zones}{inside}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def schedule(*events: str, zones: str = "") -> CalendarSchedule:
    """Read such a file, with floating times in Berlin."""
    return read_calendar("x.ics", calendar(*events, zones=zones), PEOPLE, BERLIN)


def wall(*when: int) -> datetime:
    """Name a moment by what the wall shows in Berlin."""
    return datetime(*when, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[misc,arg-type]


def shift(start: str, *more: str) -> str:
    """One event of Maya's."""
    return "\n".join(["UID:9", "SUMMARY:Maya Lind", start, *more])


@pytest.mark.parametrize("monday", [(2026, 3, 30), (2026, 10, 26), (2027, 3, 29), (2031, 10, 27), (2026, 6, 15)])
def test_weeks_are_handed_over_at_nine_all_year(monday: tuple[int, int, int]) -> None:
    """On the Mondays after both changes of the clock, and years later, one goes as the other comes."""
    read = schedule(*WEEKS)
    before, after = read.on_call(wall(*monday, 8, 59)), read.on_call(wall(*monday, 9))
    assert {before, after} == {MAYA, BEN}


def test_over_two_years_exactly_one_is_on_call() -> None:
    """The two halves fit together, and each turn ends when the next one begins."""
    listed = turns(schedule(*WEEKS), wall(2026, 1, 5, 9), wall(2028, 1, 3, 9))
    assert len(listed) == 104
    assert all(len(turn.users) == 1 for turn in listed)


def test_a_time_that_is_left_out_or_moved() -> None:
    """EXDATE takes one time away; RECURRENCE-ID replaces one, and CANCELLED gives nobody instead."""
    daily = (
        f"UID:1\nSUMMARY:Maya Lind\n{START}:20260105T090000\n{END}:20260105T170000\n"
        "RRULE:FREQ=DAILY;COUNT=10\nEXDATE;TZID=Europe/Berlin:20260106T090000,20260107T090000"
    )
    moved = (
        "UID:1\nRECURRENCE-ID:20260108T080000Z\nSUMMARY:Ben Ode\nDTSTART;TZID=Europe/Berlin:20260108T100000\n"
        "DTEND;TZID=Europe/Berlin:20260108T120000"
    )
    gone = (
        "UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260109T090000\nSTATUS:CANCELLED\nSUMMARY:Maya Lind\n"
        "DTSTART;TZID=Europe/Berlin:20260109T090000\nDTEND;TZID=Europe/Berlin:20260109T170000"
    )
    read = schedule(daily, moved, gone)
    noons = [read.on_call(wall(2026, 1, day, 11)) for day in range(4, 16)]
    assert noons == [NOBODY, MAYA, NOBODY, NOBODY, BEN, NOBODY, *[MAYA] * 5, NOBODY]
    assert read.on_call(wall(2026, 1, 8, 9, 30)) == NOBODY


@pytest.mark.parametrize(
    ("event", "begins", "ends"),
    [
        (shift("DTSTART;VALUE=DATE:20260301"), wall(2026, 3, 1), wall(2026, 3, 2)),
        (shift("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260303"), wall(2026, 3, 1), wall(2026, 3, 3)),
        (shift("DTSTART:20260301T100000", "DURATION:PT2H"), wall(2026, 3, 1, 10), wall(2026, 3, 1, 12)),
        (shift("DTSTART:20260301T100000Z", "DTEND:20260301T120000Z"), wall(2026, 3, 1, 11), wall(2026, 3, 1, 13)),
        (
            shift("DTSTART;TZID=Europe/Berlin:20260301T100000", "DTEND:20260301T120000Z"),
            wall(2026, 3, 1, 10),
            wall(2026, 3, 1, 13),
        ),
        (
            shift("DTSTART;TZID=Office:20260401T100000", "DTEND;TZID=Office:20260401T120000"),
            wall(2026, 4, 1, 10),
            wall(2026, 4, 1, 12),
        ),
        (
            shift("DTSTART:20260328T220000", "DURATION:P1D"),
            wall(2026, 3, 28, 22),
            wall(2026, 3, 29, 22),
        ),
    ],
)
def test_each_way_to_write_a_time(event: str, begins: datetime, ends: datetime) -> None:
    """Whole days, floating times, UTC, a zone by its name and one that the file defines."""
    read = schedule(event, zones=OWN_ZONE)
    second = timedelta(seconds=1)
    assert [read.on_call(at) for at in (begins - second, begins, ends - second, ends)] == [NOBODY, MAYA, MAYA, NOBODY]
    assert list(read.changes(begins - second, ends + second)) == [begins, ends]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;UNTIL=20260107", [5, 6, 7]),
        ("FREQ=DAILY;UNTIL=20260107T080000Z", [5, 6, 7]),
        ("FREQ=DAILY;UNTIL=20260107T075959Z", [5, 6]),
        ("FREQ=DAILY;INTERVAL=3", [5, 8, 11, 14]),
        ("FREQ=WEEKLY;BYDAY=MO,WE", [5, 7, 12, 14]),
        ("FREQ=MONTHLY;BYDAY=2MO", [12]),
        ("FREQ=MONTHLY;BYMONTHDAY=7,-18", [7, 14]),
        ("FREQ=YEARLY", [5]),
    ],
)
def test_rules_that_repeat(rule: str, days: list[int]) -> None:
    """In the first weeks of January, at noon."""
    read = schedule(
        shift("DTSTART;TZID=Europe/Berlin:20260105T090000", "DTEND;TZID=Europe/Berlin:20260105T170000", f"RRULE:{rule}")
    )
    assert [day for day in range(1, 16) if read.on_call(wall(2026, 1, day, 12))] == days


def test_several_may_be_on_call_at_once() -> None:
    """A file can say so, and then each of them may decide."""
    both = schedule(*[f"UID:{name}\nSUMMARY:{name}\nDTSTART;VALUE=DATE:20260301" for name in PEOPLE])
    assert both.on_call(wall(2026, 3, 1, 12)) == MAYA | BEN
    assert both.at_once == 2


DAY = "DTSTART;VALUE=DATE:20260301"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no iCalendar file"),
        (b"BEGIN:VEVENT\r\n", "is no iCalendar file"),
        (b"\xff\xfe" * 50, "is no iCalendar file"),
        (calendar(), "holds no shift"),
        (calendar(f"UID:1\n{DAY}"), "a shift of ''"),
        (calendar(f"UID:1\nSUMMARY:Eve\n{DAY}"), "a shift of 'Eve', who is not under people"),
        (calendar("UID:1\nSUMMARY:Maya Lind"), "no DTSTART"),
        (calendar(shift(DAY, "RDATE;VALUE=DATE:20260401")), "RDATE, which is not read"),
        (calendar(shift(DAY, "EXRULE:FREQ=DAILY")), "EXRULE, which is not read"),
        (calendar(shift(DAY, "DTEND;VALUE=DATE:20260301")), "ends before it begins"),
        (calendar(shift(DAY, "DTEND;VALUE=DATE:20260701")), "more than 62 days"),
        (calendar(shift("DTSTART:20260301T100000")), "ends before it begins"),
        (calendar(shift("DTSTART;VALUE=DATE:19700101")), "the year 1970"),
        (calendar(shift(DAY, "RRULE:FREQ=DAILYISH")), "cannot be read"),
        (calendar(shift(DAY, "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260301")), "RANGE"),
        (calendar(*[f"UID:{n}\nSUMMARY:Maya Lind\n{DAY}" for n in range(2001)]), "more than 2000 events"),
        (calendar(*[shift(DAY, "RRULE:FREQ=DAILY")] * 101), "more than 100 events that repeat"),
        (b"x" * (256 * 1024 + 1), "larger than 256 KiB"),
        (calendar(shift(DAY), zones=OWN_ZONE.replace("YEARLY", "SECONDLY")), "has a time zone whose rule"),
        (calendar(shift(DAY), zones=OWN_ZONE.replace("FREQ=", "FREQ=\n ").replace("YEARLY", "HOURLY")), "whose rule"),
    ],
)
def test_what_is_refused(data: bytes, told: str) -> None:
    """A calendar that says more, or something else, than is read here is no schedule."""
    with pytest.raises(CalendarFaultError, match=told):
        read_calendar("x.ics", data, PEOPLE, BERLIN)


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=SECONDLY", "FREQ=HOURLY", "FREQ=DAILY;BYDAY=MO;INTERVAL=7", "FREQ=MONTHLY;BYDAY=5MO;INTERVAL=12"),
        *("FREQ=DAILY;BYMONTH=2", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=11MO", "FREQ=WEEKLY;BYDAY=1MO"),
        *("FREQ=YEARLY;BYDAY=1MO", "FREQ=DAILY;INTERVAL=100000", "FREQ=DAILY;COUNT=100000", "FREQ=DAILY;BYHOUR=1,2"),
        *("FREQ=MONTHLY;BYDAY=MO", "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20", "INTERVAL=2"),
    ],
)
def test_a_rule_that_could_search_for_ever_is_refused(rule: str) -> None:
    """Those which find a time again within a year, and only those, are read."""
    with pytest.raises(CalendarFaultError, match=r"repeats in a way|cannot be read"):
        schedule(shift(DAY, f"RRULE:{rule}"))


def test_two_rules_are_refused() -> None:
    """One of them would not be read."""
    with pytest.raises(CalendarFaultError, match="repeats in a way"):
        schedule(shift(DAY, "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"))


def test_the_hardest_file_is_asked_in_good_time() -> None:
    """A hundred rules that began in 2000: the first question of a day is slow, the next are not."""
    old = shift("DTSTART;VALUE=DATE:20000101", "RRULE:FREQ=DAILY;COUNT=400")
    read = schedule(*[old] * 100)
    began = monotonic()
    assert read.on_call(wall(2040, 1, 1, 2)) == NOBODY
    assert monotonic() - began < 10
    began = monotonic()
    assert [read.on_call(wall(2040, 1, 1, hour)) for hour in range(2, 21)] == [NOBODY] * 19
    assert monotonic() - began < 1


ROLE = "roles: {oncall: {on_call: {ics: shifts.ics, people: {'Maya Lind': U0MAYA, 'Ben Ode': U0BEN}}}}"
ONE = "[{require_approval: {role: oncall, approvals: 1}}]"


def test_a_file_of_the_folder_is_part_of_its_version(write: Write) -> None:
    """Who is on call decides who may approve: another calendar is another version, kept byte for byte."""
    path = write(ONE, roles=ROLE)
    (path / "shifts.ics").write_bytes(calendar(*WEEKS))
    content, folder = open_folder(path)
    assert "  shifts.ics\n" in content.listing.decode()
    assert load_content(content).roles[RoleName("oncall")].people == MAYA | BEN
    (path / "shifts.ics").write_bytes(calendar(WEEKS[0]))
    assert load(path).version != folder.version


def test_a_calendar_that_is_missing_or_used_by_nobody(write: Write) -> None:
    """Each is one fault with its place."""
    assert "there is no file shifts.ics" in one_fault(write(ONE, roles=ROLE))[3]
    path = write(ONE, roles="roles: {oncall: {users: [U0MAYA]}}")
    (path / "other.ics").write_bytes(calendar(*WEEKS))
    assert one_fault(path)[0] == "other.ics"
