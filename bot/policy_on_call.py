"""Reads `on_call` of a role: people who take turns, or a calendar file. Never says who is on call now."""

import re
from collections.abc import Mapping
from datetime import UTC, date, time, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

import yaml

from approval_rules.on_call import Override, Rota, Schedule
from bot.marked_yaml import Page
from bot.policy_times import read_clock, read_day, read_moment, read_weekday, read_zone

MAX_PEOPLE: Final = 50
MAX_OVERRIDES: Final = 200
_USER: Final = re.compile(r"(?:[TE][A-Z0-9]{2,30}/)?[UW][A-Z0-9]{2,30}")
_EVERY: Final = re.compile(r"([1-9][0-9]?)([dw])")
_WEEK: Final = 7
_CALENDAR: Final = ("ics", "people")
_ROTA: Final = ("rota", "every", "handover", "time_zone", "start", "overrides")


def read_user(page: Page, node: yaml.Node) -> str:
    """Give the Slack user id that stands at a node."""
    user = page.words(node, "a user") or ""
    if user and not _USER.fullmatch(user):
        page.fault(
            node, "a person is named by the Slack user id, such as U0123456789 (profile, three dots, copy member ID)"
        )
    return user


def read_on_call(page: Page, node: yaml.Node, calendars: Mapping[str, bytes]) -> Schedule | None:
    """Read who is on call when; None, and a fault on the page, where that cannot be told.

    `calendars` are the calendar files of the folder by name.
    """
    before = len(page.faults)
    fields = page.fields(node, "on_call", (*_ROTA, *_CALENDAR))
    if fields.keys() & _CALENDAR:
        return _read_calendar(page, node, fields, calendars)
    missing = [name for name in ("rota", "every", "handover", "start", "time_zone") if name not in fields]
    if missing:
        page.fault(node, f"on_call lacks {' and '.join(missing)}")
    if len(page.faults) > before:
        return None
    rota = _read_rota(page, fields)
    return rota if len(page.faults) == before else None


def _read_rota(page: Page, fields: Mapping[str, yaml.Node]) -> Rota | None:
    zone = read_zone(page, fields["time_zone"])
    nodes = page.items(fields["rota"], "rota")
    users = tuple(read_user(page, each) for each in nodes)
    if len(users) > MAX_PEOPLE:
        page.fault(fields["rota"], f"more than {MAX_PEOPLE} people; make two roles of them")
    days = _read_every(page, fields["every"])
    start = read_day(page, fields["start"], "start")
    handover = _read_handover(page, fields["handover"], days, start)
    overrides = _read_overrides(page, fields["overrides"], zone) if "overrides" in fields else ()
    return None if start is None else Rota(users, days, handover, start, zone, overrides)


def _read_every(page: Page, node: yaml.Node) -> int:
    """Give how many days a turn has, 1 after a fault."""
    found = _EVERY.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if found:
        return int(found[1]) * (_WEEK if found[2] == "w" else 1)
    page.fault(node, "a turn has whole days or weeks, such as 1d or 2w")
    return 1


def _read_handover(page: Page, node: yaml.Node, days: int, start: date | None) -> time:
    """Give the time of day at which turns begin; with whole weeks it also says on which day, as `start` must."""
    text = page.words(node, "handover") or ""
    day, _, clock = text.rpartition(" ")
    part = yaml.ScalarNode(node.tag, clock, node.start_mark, node.end_mark)
    if not day:
        if days % _WEEK == 0:
            page.fault(node, 'handover says the day too where turns have weeks, such as "Mon 09:00"')
        return read_clock(page, part, "handover")
    if days % _WEEK:
        page.fault(node, 'handover is a time of day such as "09:00" where turns have days')
    weekday = read_weekday(page, yaml.ScalarNode(node.tag, day, node.start_mark, node.end_mark), "the day of handover")
    if start is not None and start.weekday() != weekday:
        page.fault(node, f"{start} is no {day}: start is the day on which the first turn begins")
    return read_clock(page, part, "handover")


class _Placed(NamedTuple):
    """An override and where it stands."""

    override: Override
    node: yaml.Node


def _read_overrides(page: Page, node: yaml.Node, zone: tzinfo) -> tuple[Override, ...]:
    """Read who takes over when; where two do at once, nobody could tell which of them is on call."""
    items = page.items(node, "overrides", empty=True)
    if len(items) > MAX_OVERRIDES:
        page.fault(node, f"more than {MAX_OVERRIDES} overrides; take out those that are over")
        return ()
    found = [placed for item in items if (placed := _read_override(page, item, zone)) is not None]
    found.sort(key=lambda placed: placed.override.start)
    for one, two in pairwise(found):
        if two.override.start < one.override.end:
            page.fault(two.node, "overlaps with another override; who would be on call?")
    return tuple(placed.override for placed in found)


def _read_override(page: Page, node: yaml.Node, zone: tzinfo) -> _Placed | None:
    fields = page.fields(node, "an override", {"from", "to", "user"})
    if len(fields) < 3:  # noqa: PLR2004 - from, to, user
        page.fault(node, 'an override needs from, to and user: {from: "2026-01-05 09:00", to: "2026-01-06 09:00", ...}')
        return None
    start, end = read_moment(page, fields["from"], "from", zone), read_moment(page, fields["to"], "to", zone)
    user = read_user(page, fields["user"])
    if start is None or end is None:
        return None
    if end <= start:
        page.fault(node, "an override ends after it begins")
    return _Placed(Override(start, end, user), node)


def _read_calendar(
    page: Page, node: yaml.Node, fields: Mapping[str, yaml.Node], calendars: Mapping[str, bytes]
) -> Schedule | None:
    """Read a calendar file of the folder, whose titles `people` maps to accounts."""
    if set(fields) - {"time_zone"} != {*_CALENDAR}:
        page.fault(node, "a calendar needs ics and people, and time_zone at most")
        return None
    before = len(page.faults)
    name = page.words(fields["ics"], "ics")
    named = page.fields(fields["people"], "people")
    people = {title: read_user(page, user) for title, user in named.items()}
    zone = read_zone(page, fields["time_zone"]) if "time_zone" in fields else UTC
    if not people:
        page.fault(fields["people"], 'people maps the titles of shifts to accounts: {"Maya Lind": U0123456789}')
    if name is not None and name not in calendars:
        page.fault(fields["ics"], f"there is no file {name} in the folder")
    if len(page.faults) > before or name is None:
        return None
    from bot.calendar_file import CalendarFaultError, read_calendar  # noqa: PLC0415 - only folders with one pay for it

    try:
        return read_calendar(name, calendars[name], people, zone)
    except CalendarFaultError as fault:
        page.fault(fields["ics"], f"{name} {fault}")
        return None
