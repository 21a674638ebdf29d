"""Makes a report on who may do what, and sends it to whoever asked: a message with the summary, the whole as files.

It goes to that person alone. A report that cannot be made whole is not sent at all.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bot.access.making import Making, NoReportError
from bot.access.roster import RosterTaker
from bot.access.showing import csv_of, html_of
from bot.delivery.file_post import send_files, unsent
from bot.delivery.slack_post import SlackPost
from bot.delivery.worker import Attempt, Later, Result, Sent
from bot.desk.wiring import Wiring
from bot.slack_calls import SlackUnavailableError
from bot.store.outbox import OutboxRow
from bot.store.reports import Kept
from handlers.review_desk import ReportSummary
from handlers.slack.reviewing import report_message


@dataclass(frozen=True, slots=True)
class AccessSender:
    """Sends reports."""

    wiring: Wiring
    slack: SlackPost

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Make a report and send it."""
        user = row.payload["user"]
        try:
            kept = await self._making().make(self.wiring.policy.folder)
            await attempt.begin()
            text, blocks = report_message(_summary(kept))
            await send_files(self.slack, user, text, blocks, await asyncio.to_thread(_files, kept))
        except NoReportError:
            return Later("no-report")
        except SlackUnavailableError as error:
            return await unsent(self.slack, user, error, row.wanted_seq)
        return Sent(row.wanted_seq)

    async def look(self) -> None:
        """Note who is in which role now: that is how a report knows since when."""
        await self._making().look(self.wiring.home_team, self.wiring.policy.folder)

    def _making(self) -> Making:
        wiring, client = self.wiring, self.slack.client
        return Making(wiring.reads.path, wiring.writer.run, lambda: RosterTaker(client), wiring.clock)


def _files(kept: Kept) -> Mapping[str, bytes]:
    """Write the files; for thousands of people that takes seconds, in which nobody's click may wait."""
    return {"access-review.html": html_of(kept).encode(), "access-review.csv": csv_of(kept.report).encode()}


def _summary(kept: Kept) -> ReportSummary:
    report = kept.report
    warnings = [str(one["text"]) for one in report["warnings"]]
    return ReportSummary(kept.digest, report["at"], report["policy"], len(report["people"]), warnings)
