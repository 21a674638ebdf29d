"""Who is on call by a calendar file (iCalendar, RFC 5545): shifts whose title names a person. Never fetches anything.

A shift repeats by the clock on the wall of its own zone, also its end: handed over at nine, it is at nine all year.
What this reads less of than a calendar program might mean is refused, and never guessed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event

from bot.policy_content import MAX_CALENDAR

MAX_SHIFTS: Final = 2_000
MAX_REPEATED: Final = 100
_MOST_TIMES: Final = 400
_LONGEST: Final = timedelta(days=62)
_YEARS: Final = range(2000, 2100)
_DAY: Final = timedelta(days=1)
_RULE: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"})
_UNREAD: Final = ("EXRULE", "RDATE")
_WEEKDAY: Final = re.compile(r"MO|TU|WE|TH|FR|SA|SU")
_NTH_WEEKDAY: Final = re.compile(rf"[+-]?[1-4]({_WEEKDAY.pattern})")
_ZONE: Final = re.compile(r"BEGIN:VTIMEZONE.*?END:VTIMEZONE", re.DOTALL)
_ZONE_RULE: Final = re.compile(r"^RRULE[^:\n]*:(.*?)\r?$", re.MULTILINE)
_ZONE_PARTS: Final = frozenset({"FREQ", "BYDAY", "BYMONTH", "BYMONTHDAY", "UNTIL", "INTERVAL", "WKST"})
_STEP: Final = {"DAILY": 1, "WEEKLY": 7}


class CalendarFaultError(Exception):
    """A calendar that cannot be read as a schedule; the message says why."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One event of the file: from and until by the wall of its zone, again by `rule`, but not at the times `without`.

    `begins` and `ends` are naive, as the wall shows them.
    """

    user: str
    begins: datetime
    ends: datetime
    zone: tzinfo
    rule: str | None = None
    without: frozenset[datetime] = frozenset()

    def between(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the spans, as moments, that touch a span of time."""
        lasts = self.ends - self.begins
        for begins in self._times(_wall(since, self.zone) - lasts - _DAY, _wall(until, self.zone) + _DAY):
            start, end = _moment(begins, self.zone), _moment(begins + lasts, self.zone)
            if start not in self.without and start < until and end > since:
                yield start, end

    def _times(self, low: datetime, high: datetime) -> Sequence[datetime]:
        if self.rule is None:
            return [self.begins]
        times: list[datetime] = rrulestr(self.rule, dtstart=self._near(low)).between(low, high, inc=True)
        return times

    def _near(self, low: datetime) -> datetime:
        """Begin to count shortly before what is asked for, in step; a rule with a count counts from its first time."""
        parts = dict(part.split("=") for part in (self.rule or "").split(";"))
        step = _STEP.get(parts["FREQ"])
        if step is None or "COUNT" in parts or low <= self.begins:
            return self.begins
        days = step * int(parts.get("INTERVAL", 1))
        return self.begins + timedelta(days=days * ((low - self.begins).days // days - 1))


@dataclass(frozen=True, eq=False)
class CalendarSchedule:
    """The shifts of one file; where several are on at once, all of them are on call."""

    shifts: tuple[Shift, ...]
    people: frozenset[str]
    source: str

    @property
    def at_once(self) -> int:
        """All of them, perhaps: a file does not say."""
        return len(self.people)

    def on_call(self, at: datetime) -> frozenset[str]:
        """Give who is on call at a moment; nobody between two shifts."""
        day = at.astimezone(UTC).date()
        return frozenset(user for start, end, user in self._spans(day) if start <= at < end)

    def changes(self, since: datetime, until: datetime) -> Sequence[datetime]:
        """List where a shift begins or ends."""
        moments: set[datetime] = set()
        for shift in self.shifts:
            for span in shift.between(since, until):
                moments.update(span)
        return sorted(moment for moment in moments if since < moment < until)

    def _spans(self, day: date) -> tuple[tuple[datetime, datetime, str], ...]:
        return _spans_of(self, day)


@lru_cache(maxsize=64)  # one day is asked about again and again, by every vote
def _spans_of(schedule: CalendarSchedule, day: date) -> tuple[tuple[datetime, datetime, str], ...]:
    since = datetime.combine(day, time(), UTC)
    return tuple((*span, shift.user) for shift in schedule.shifts for span in shift.between(since, since + _DAY))


def read_calendar(source: str, data: bytes, people: Mapping[str, str], zone: tzinfo) -> CalendarSchedule:
    """Read a file; `zone` is where times without one are. Raises CalendarFaultError."""
    if len(data) > MAX_CALENDAR:
        raise CalendarFaultError(f"is larger than {MAX_CALENDAR // 1024} KiB; export less of it")
    rules = [rule for zone in _ZONE.findall(_unfolded(data)) for rule in _ZONE_RULE.findall(zone)]
    if len(rules) > MAX_REPEATED or not all(map(_good_zone_rule, rules)):
        raise CalendarFaultError("has a time zone whose rule is not read here; name zones such as Europe/Berlin")
    try:
        events: list[Any] = [part for part in Calendar.from_ical(data).walk("VEVENT") if isinstance(part, Event)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CalendarFaultError("is no iCalendar file (RFC 5545)") from error
    if len(events) > MAX_SHIFTS:
        raise CalendarFaultError(f"has more than {MAX_SHIFTS} events; export less of it")
    shifts = [*_shifts(events, people, zone)]
    if not shifts:
        raise CalendarFaultError("holds no shift")
    if sum(shift.rule is not None for shift in shifts) > MAX_REPEATED:
        raise CalendarFaultError(f"has more than {MAX_REPEATED} events that repeat")
    return CalendarSchedule(tuple(shifts), frozenset(people.values()), source)


def _unfolded(data: bytes) -> str:
    """Give the lines as they are meant: a line that begins with a space goes on with the one above."""
    return re.sub(r"\r?\n[ \t]", "", data.decode(errors="replace")).upper()


def _good_zone_rule(rule: str) -> bool:
    """Tell whether a rule of a time zone is as they are everywhere: once a year, on a day of a month."""
    parts = [part.split("=") for part in rule.split(";")]
    return ["FREQ", "YEARLY"] in parts and len(parts) == len({part[0] for part in parts} & _ZONE_PARTS)


def _shifts(events: Iterable[Any], people: Mapping[str, str], zone: tzinfo) -> Iterator[Shift]:
    """Read each event; one that replaces a single time of another takes that time away from it."""
    replaced: dict[str, set[datetime]] = defaultdict(set)
    for event in events:
        if event.errors:
            raise CalendarFaultError(f"has an event whose {event.errors[0][0]} cannot be read")
        instead = event.get("RECURRENCE-ID")
        if instead is not None:
            if "RANGE" in instead.params:
                raise CalendarFaultError("has an event that changes all later ones (RANGE); split it in two")
            replaced[str(event.get("UID"))].add(_moment(*_placed(instead.dt, zone)))
    for event in events:
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            again = "RECURRENCE-ID" not in event
            yield _shift(event, people, zone, replaced[str(event.get("UID"))] if again else set())


def _shift(event: Any, people: Mapping[str, str], zone: tzinfo, replaced: set[datetime]) -> Shift:  # noqa: ANN401 - untyped
    title = " ".join(str(event.get("SUMMARY", "")).split())
    if title not in people:
        raise CalendarFaultError(f"has a shift of '{title[:80]}', who is not under people")
    unread = next((name for name in _UNREAD if name in event), None)
    if unread or "DTSTART" not in event:
        raise CalendarFaultError(
            f"cannot be read: the shift of '{title}' has {unread or 'no DTSTART'}, which is not read here"
        )
    begins, place = _placed(event["DTSTART"].dt, zone)
    ends = _end(event, begins, place, zone)
    if not begins < ends <= begins + _LONGEST:
        raise CalendarFaultError(
            f"cannot be read: the shift of '{title}' ends before it begins, or after more than {_LONGEST.days} days"
        )
    if begins.year not in _YEARS:
        raise CalendarFaultError(f"cannot be read: the shift of '{title}' begins in the year {begins.year}")
    rule = _rule(event, begins, place, title) if "RRULE" in event else None
    return Shift(people[title], begins, ends, place, rule, frozenset(replaced | set(_left_out(event, zone))))


def _end(event: Any, begins: datetime, place: tzinfo, zone: tzinfo) -> datetime:  # noqa: ANN401 - untyped
    """Give the end by the wall of the beginning's zone; a day without an end ends at midnight."""
    if "DTEND" in event:
        ends, there = _placed(event["DTEND"].dt, zone)
        return ends if there == place else _wall(_moment(ends, there), place)
    if "DURATION" in event:
        lasts: timedelta = event["DURATION"].dt
        return begins + lasts
    return begins + _DAY if not isinstance(event["DTSTART"].dt, datetime) else begins


def _left_out(event: Any, zone: tzinfo) -> Iterator[datetime]:  # noqa: ANN401 - untyped
    lists = event.get("EXDATE", [])
    for one in lists if isinstance(lists, list) else [lists]:
        for each in one.dts:
            yield _moment(*_placed(each.dt, zone))


def _rule(event: Any, begins: datetime, place: tzinfo, title: str) -> str:  # noqa: ANN401 - untyped
    """Give the rule with its end by the wall. Only rules that find a time again soon: others could search for ever."""
    found = event["RRULE"]
    parts = {} if isinstance(found, list) else {name.upper(): values for name, values in found.items()}
    kind = str((parts.get("FREQ") or [""])[0]).upper()
    days, dates = [str(day).upper() for day in parts.get("BYDAY", [])], parts.get("BYMONTHDAY", [])
    good = (
        parts.keys() <= _RULE
        and all(1 <= int(value) <= _MOST_TIMES for name in ("INTERVAL", "COUNT") for value in parts.get(name, []))
        and (not days or _good_days(kind, days))
        and (not dates or (kind == "MONTHLY" and not days and all(1 <= abs(int(each)) <= 28 for each in dates)))  # noqa: PLR2004 - every month has 28 days
        and kind in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
    )
    if not good:
        raise CalendarFaultError(
            f"cannot be read: the shift of '{title}' repeats in a way that is not read here; write it plainer"
        )
    until = parts.pop("UNTIL", None)
    written = ";".join(f"{name}={','.join(str(value) for value in values)}" for name, values in parts.items())
    if until:
        last, there = _placed(until[0], place)
        wall = last if there == place else _wall(_moment(last, there), place)
        whole = wall + _DAY - timedelta(seconds=1) if not isinstance(until[0], datetime) else wall
        written = f"{written};UNTIL={max(whole, begins):%Y%m%dT%H%M%S}"
    return written


def _good_days(kind: str, days: Sequence[str]) -> bool:
    """Weekdays of a week, or the first to fourth (or last to fourth last) of a month."""
    form = {"WEEKLY": _WEEKDAY, "MONTHLY": _NTH_WEEKDAY}.get(kind)
    return form is not None and all(form.fullmatch(day) for day in days)


def _placed(value: date, zone: tzinfo) -> tuple[datetime, tzinfo]:
    """Give what the wall shows, and where that wall is; a day begins at midnight in the schedule's zone."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time()), zone
    return value.replace(tzinfo=None), value.tzinfo or zone


def _moment(wall: datetime, zone: tzinfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _wall(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
