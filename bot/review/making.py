"""Makes the reports on a week once it is over, and has people called to those that nobody signs off. Sends nothing."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from approval_rules.people import RoleName
from approval_rules.policy import PolicyFolder
from approval_rules.review_events import WeekReview
from bot.clock import Clock
from bot.review.keeping import CallAgain, MakeReports, wants_call
from bot.review.records import backups_of, folder_at, log_begins, reviewed_roles, reviews_of, told_of
from bot.review.report import Report, build_each
from bot.review.week import Week, last_due
from bot.store.engine import open_reader
from bot.store.past import one_view
from bot.store.writer import Write


class NoWeekError(Exception):
    """There is no report on such a week; the message says why."""


@dataclass(frozen=True, slots=True)
class WeekMaking:
    """Where reports are made; the week is one of `zone`."""

    path: Path
    write: Write
    clock: Clock
    zone: tzinfo

    async def look(self, folder: PolicyFolder) -> None:
        """Make the reports on the last week where they are due, and call people where it is time. Idempotent."""
        reports, waiting = await asyncio.to_thread(self._due)
        if reports:
            await self.write(MakeReports(reports))
        for review in waiting:
            await self.write(CallAgain(review.made.report, backups_of(folder, review.made.role)))

    def _due(self) -> tuple[Sequence[Report], Sequence[WeekReview]]:
        """Find out what is to be done; a busy week takes a second or two, in which nobody's click may wait."""
        now = self.clock()
        week = last_due(now, self.zone)
        with closing(open_reader(self.path)) as connection, one_view(connection):
            reviews, begins = reviews_of(connection), log_begins(connection)
            over = begins is not None and begins < week.ends and not reviews.has(week.name)
            reports = reports_on(connection, week) if over else ()
        return reports, [review for review in reviews.open if wants_call(review, now)]


def reports_on(connection: sqlite3.Connection, week: Week) -> list[Report]:
    """Make the report of each role on a week; none where no policy decided then."""
    folder = folder_at(connection, week.ends)
    if folder is None:
        return []
    told = told_of(connection, week, folder)
    roles: Sequence[RoleName] = reviewed_roles(told, folder, week)
    return build_each(told, week, roles, first=_is_first(connection, week), policy=folder.version)


def report_on(connection: sqlite3.Connection, week: Week, role: RoleName | None) -> Report:
    """Make one report on a week: of one role, or with None of everything. Raises NoWeekError."""
    folder = folder_at(connection, week.ends)
    if folder is None:
        raise NoWeekError(f"no policy decided anything in week {week.name}: the log begins later")
    if role is not None and role not in folder.roles:
        raise NoWeekError(
            f"the policy of week {week.name} has no role {role!r}; it has {', '.join(sorted(folder.roles))}"
        )
    told = told_of(connection, week, folder)
    [report] = build_each(told, week, [role], first=_is_first(connection, week), policy=folder.version)
    return report


def _is_first(connection: sqlite3.Connection, week: Week) -> bool:
    begins = log_begins(connection)
    return begins is None or begins >= week.begins
