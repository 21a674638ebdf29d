"""Who has the turn in each role that is a schedule, kept until a turn ends: a calendar of years takes long to read.

It never decides: whether a vote counts is asked of the schedule itself, at that moment.
"""

from datetime import datetime, timedelta
from typing import Final

from approval_rules.policy import PolicyFolder
from approval_rules.roles import Shift, shifts

_KEPT: Final = timedelta(days=1)


class KnownShifts:
    """The shifts of one policy folder, as of the last look."""

    def __init__(self) -> None:
        self._of: tuple[str, datetime, datetime] | None = None
        self._shifts: tuple[Shift, ...] = ()

    def now(self, folder: PolicyFolder, at: datetime) -> tuple[Shift, ...]:
        """Give who has the turn at a moment."""
        if self._of is None or self._of[0] != folder.version or not self._of[1] <= at < self._of[2]:
            self._shifts = shifts(folder.roles, at)
            ends = [shift.until for shift in self._shifts if shift.until is not None]
            self._of = folder.version, at, min([at + _KEPT, *ends])
        return self._shifts
