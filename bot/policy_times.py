"""Reads times that people write into a policy folder: zones, days, times of day, weekdays. Never reads a clock."""

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import yaml

from approval_rules.nearest import nearest
from approval_rules.on_call import moment_of
from bot.marked_yaml import Page

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_NO_PLACES: Final = ("UTC", "Etc/UTC")
_DAY: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def read_zone(page: Page, node: yaml.Node) -> tzinfo:
    """Give the zone that stands at a node, UTC after a fault."""
    name = page.words(node, "time_zone")
    if name is None:
        return UTC
    if name in available_timezones():
        if name not in _NO_PLACES and ("/" not in name or name.startswith("Etc/")):
            page.fault(
                node, "no place, and not what it looks like: EST has no summer; write one such as America/New_York"
            )
        return ZoneInfo(name)
    near = nearest(name, available_timezones())
    page.fault(node, "no such time zone; " + (f"did you mean '{near}'?" if near else "write one such as Europe/Berlin"))
    return UTC


def read_clock(page: Page, node: yaml.Node, what: str) -> time:
    """Give a time of day, midnight after a fault. Without quotes YAML reads 09:30 as a number."""
    text = page.words(node, what) or ""
    found = _CLOCK.fullmatch(text)
    if text and not found:
        page.fault(node, f'{what} is a time of day such as "09:00"')
    return time(int(found[1]), int(found[2])) if found else time()


def read_day(page: Page, node: yaml.Node, what: str) -> date | None:
    """Give a date of this century; YAML's own dates are taken as well as text in quotes."""
    found = _day(node.value) if isinstance(node, yaml.ScalarNode) else None
    if found is None:
        page.fault(node, f"{what} is a date such as 2026-01-05")
    return found


def read_moment(page: Page, node: yaml.Node, what: str, zone: tzinfo) -> datetime | None:
    """Give a moment, written as a date, or as a date and a time of day, on a wall in this zone."""
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    day, _, rest = text.partition(" ")
    found, clock = _day(day), _CLOCK.fullmatch(rest or "00:00")
    if found is None or clock is None:
        page.fault(node, f'{what} is a date, or a date and a time, such as "2026-01-05 09:00"')
        return None
    return moment_of(found, time(int(clock[1]), int(clock[2])), zone)


def read_weekday(page: Page, node: yaml.Node, what: str) -> int:
    """Give a weekday, Monday being 0, and 0 after a fault."""
    text = (page.words(node, what) or "mon").lower()
    found = weekday_of(text)
    if found is None:
        page.fault(node, f"{what} is a day of the week: {', '.join(WEEKDAYS)}")
    return found or 0


def weekday_of(word: str) -> int | None:
    """Give the number of a weekday by its name in small letters, whole or the first three."""
    return next((number for number, full in enumerate(_FULL) if word in (full, WEEKDAYS[number])), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
