"""A week from Monday to Monday by the wall clock of a zone, named as ISO 8601 does. Reads no clock."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from approval_rules.on_call import moment_of

DUE: Final = time(9)
"""The report on a week is made on the Monday after it, at this time of day."""
_NAME: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """One week; it begins on `monday` at midnight in `zone`. A change of the clocks makes it longer or shorter."""

    monday: date
    zone: tzinfo

    @property
    def name(self) -> str:
        """Its name: `2026-W47`."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02d}"

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return moment_of(self.monday, time(), self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return moment_of(self.monday + _WEEK, time(), self.zone)

    @property
    def due(self) -> datetime:
        """When the report on it is due."""
        return moment_of(self.monday + _WEEK, DUE, self.zone)

    @property
    def before(self) -> "Week":
        """The week before it."""
        return Week(self.monday - _WEEK, self.zone)

    def holds(self, at: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return self.begins <= at < self.ends


def last_over(at: datetime, zone: tzinfo) -> Week:
    """Give the newest week that is over at a moment."""
    today = at.astimezone(zone).date()
    return Week(today - timedelta(days=today.weekday()) - _WEEK, zone)


def last_due(at: datetime, zone: tzinfo) -> Week:
    """Give the newest week whose report is due at a moment."""
    week = last_over(at, zone)
    return week if week.due <= at else week.before


def week_named(name: str, zone: tzinfo) -> Week:
    """Give the week of this name; raises ValueError, with what to write."""
    found = _NAME.fullmatch(name)
    try:
        if found:
            return Week(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
    except ValueError:
        pass
    raise ValueError("write a week as 2026-W47")
