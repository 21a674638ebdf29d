"""Makes a report on who may do what, and sends it to whoever asked: a message with the summary, the whole as files.

It goes to that person alone. A report that cannot be made whole is not sent at all.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.access.keeping import Kept
from bot.access.making import Making, NoReportError
from bot.access.roster import RosterTaker
from bot.access.showing import csv_of, html_of
from bot.delivery.slack_post import SlackPost
from bot.delivery.worker import Attempt, Later, Result, Sent
from bot.desk.wiring import Wiring
from bot.slack_calls import SlackUnavailableError
from bot.store.outbox import OutboxRow
from handlers.review_desk import ReportSummary
from handlers.slack.reviewing import MAY_NOT_SEND_FILES, report_message

_UPLOAD_SECONDS: Final = 30
_TAKEN: Final = 200


@dataclass(frozen=True, slots=True)
class AccessSender:
    """Sends reports."""

    wiring: Wiring
    slack: SlackPost

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Make a report and send it."""
        try:
            kept = await self._making().make(self.wiring.policy.folder)
            await attempt.begin()
            await self._send(row.payload["user"], kept)
        except NoReportError:
            return Later("no-report")
        except SlackUnavailableError as error:
            if error.code == "missing_scope":
                return await self._may_not(row)
            return Later(error.code, error.retry_after if error.code == "ratelimited" else None)
        return Sent(row.wanted_seq)

    async def _may_not(self, row: OutboxRow) -> Result:
        """Tell whoever asked that the app was never allowed to send files: waiting longer would change nothing."""
        post = partial(self.slack.client.chat_postMessage, channel=row.payload["user"], text=MAY_NOT_SEND_FILES)
        try:
            await self.slack.calls.make("chat.postMessage", post)
        except SlackUnavailableError as error:
            return Later(error.code)
        return Sent(row.wanted_seq)

    async def look(self) -> None:
        """Note who is in which role now: that is how a report knows since when."""
        await self._making().look(self.wiring.home_team, self.wiring.policy.folder)

    def _making(self) -> Making:
        wiring, client = self.wiring, self.slack.client
        return Making(wiring.reads.path, wiring.writer.run, lambda: RosterTaker(client), wiring.clock)

    async def _send(self, user: str, kept: Kept) -> None:
        text, blocks = report_message(_summary(kept))
        client, calls = self.slack.client, self.slack.calls
        files = await asyncio.to_thread(_files, kept)
        uploaded: list[dict[str, str | None]] = [
            {"id": await self._upload(name, content), "title": name} for name, content in files.items()
        ]
        post = partial(client.chat_postMessage, channel=user, text=text, blocks=blocks, unfurl_links=False)
        posted = await calls.make("chat.postMessage", post)
        channel, ts = str(posted["channel"]), str(posted["ts"])
        finish = partial(client.files_completeUploadExternal, files=uploaded, channel_id=channel, thread_ts=ts)
        await calls.make("files.completeUploadExternal", finish)

    async def _upload(self, name: str, content: bytes) -> str:
        """Send one file to the address that Slack gives for it, which must be Slack's own; gives the file's id."""
        client = self.slack.client
        ask = partial(client.files_getUploadURLExternal, filename=name, length=len(content))
        place = await self.slack.calls.make("files.getUploadURLExternal", ask)
        url, ident = str(place.get("upload_url")), str(place.get("file_id"))
        if not is_slacks(url, client.base_url):
            raise SlackUnavailableError("unexpected-answer")
        timeout = aiohttp.ClientTimeout(total=_UPLOAD_SECONDS)
        headers: Mapping[str, str] = {"Content-Type": "application/octet-stream"}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=content, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != _TAKEN:
                    raise SlackUnavailableError("upload-refused")
        except (aiohttp.ClientError, TimeoutError):
            raise SlackUnavailableError("unreachable") from None
        return ident


def is_slacks(url: str, base_url: str) -> bool:
    """Tell whether an upload would stay where our Slack is: at the same place as its Web API, or below slack.com."""
    there, api = urlsplit(url), urlsplit(base_url)
    if (there.scheme, there.netloc) == (api.scheme, api.netloc):
        return True
    host = there.hostname or ""
    return there.scheme == "https" and (api.hostname or "").endswith("slack.com") and host.endswith(".slack.com")


def _files(kept: Kept) -> Mapping[str, bytes]:
    """Write the files; for thousands of people that takes seconds, in which nobody's click may wait."""
    return {"access-review.html": html_of(kept).encode(), "access-review.csv": csv_of(kept.report).encode()}


def _summary(kept: Kept) -> ReportSummary:
    report = kept.report
    warnings = [str(one["text"]) for one in report["warnings"]]
    return ReportSummary(kept.digest, report["at"], report["policy"], len(report["people"]), warnings)
