"""When people are left in peace: spans of the day, in a zone, on some days of the week. Reads no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from approval_rules.on_call import moment_of

_DAY = timedelta(days=1)
_IN_A_ROW = 32


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a time of day until another, the next day's where it is not later; begun on `days` (Monday is 0)."""

    start: time
    end: time
    zone: tzinfo
    days: frozenset[int] = frozenset(range(7))

    def ends(self, at: datetime) -> datetime | None:
        """Give when the span that a moment lies in is over; None where it lies in none."""
        today = at.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            until = moment_of(day if self.end > self.start else day + _DAY, self.end, self.zone)
            if day.weekday() in self.days and moment_of(day, self.start, self.zone) <= at < until:
                return until
        return None


def quiet_until(spans: Sequence[QuietHours], at: datetime) -> datetime | None:
    """Give when all is loud again, through spans that follow each other; None where it is loud at this moment.

    Where it is never loud, the moment is weeks ahead, and as quiet.
    """
    reached = at
    for _ in range(_IN_A_ROW):
        ends = [end for span in spans if (end := span.ends(reached)) is not None]
        if not ends:
            break
        reached = max(ends)
    return None if reached == at else reached
