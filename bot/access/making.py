"""Makes a report: asks Slack, notes who is in which role, puts everything together, and keeps it under its name.

Raises rather than give a report that looks whole and is not.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from approval_rules.policy import PolicyFolder
from bot.access.keeping import KeepReport, NoteRoles
from bot.access.records import records_at
from bot.access.report import build
from bot.access.roster import RosterTaker
from bot.clock import Clock
from bot.slack_calls import SlackUnavailableError
from bot.store.reports import Kept
from bot.store.writer import Write


class NoReportError(Exception):
    """No report can be made that would be whole; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Making:
    """Where a report is made: the database, its writer, and Slack."""

    path: Path
    write: Write
    taker: Callable[[], RosterTaker]
    clock: Clock

    async def look(self, home: str, folder: PolicyFolder) -> None:
        """Note who is in which role now; where Slack does not say, nothing is noted."""
        with suppress(SlackUnavailableError):
            await self.write(NoteRoles(home, await self.taker().members(folder.roles), {}))

    async def make(self, folder: PolicyFolder) -> Kept:
        """Make and keep one; raises NoReportError and StoreUnavailableError."""
        before = await asyncio.to_thread(records_at, self.path)
        try:
            roster = await self.taker().take(folder.roles, before.concerned(self.clock()))
        except SlackUnavailableError as error:
            raise NoReportError(
                f"no report was made: Slack answered {error.code} when asked who is in which role, and a report without"
                " that would only look whole. Try again later; `foureyes doctor` checks the token and its scopes"
            ) from None
        names = {user: seen.name for user, seen in roster.people.items()}
        await self.write(NoteRoles(roster.team_id, roster.roles, names))
        records = await asyncio.to_thread(records_at, self.path)
        # Thousands of people take a second or two, and clicks must not wait for them.
        report = await asyncio.to_thread(build, folder, roster, records, self.clock())
        kept: Kept = await self.write(KeepReport(report))
        return kept
