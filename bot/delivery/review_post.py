"""Posts weekly reviews, calls people to those that nobody signed off, and sends the whole to whoever asked for it."""

import asyncio
from collections.abc import Sequence

from approval_rules.people import RoleName
from approval_rules.quiet_hours import quiet_until
from approval_rules.review_events import WeekReminded
from bot.delivery.calling import QUIET, people_in
from bot.delivery.file_post import send_files, unsent
from bot.delivery.slack_mark import Mark
from bot.delivery.slack_post import NO_CHANNEL, OPS
from bot.delivery.standing_post import StandingSenders
from bot.delivery.worker import Attempt, Later, Never, Result, Sent
from bot.desk.weekly import files_of, shown_week
from bot.review.records import reviews_from
from bot.slack_calls import SlackUnavailableError
from bot.store import week_posts
from bot.store.outbox import OutboxRow
from handlers.slack.blocks import Block, mentions
from handlers.slack.weekly_words import call_buttons, call_words, week_message
from handlers.weekly_desk import WeekShown

_EVENT = "foureyes_weekly_review"
_GONE = "the report is not kept"


class ReviewSender(StandingSenders):
    """The sender of `review`: a row is a review's message, a call to it, or the files that a person asked for."""

    async def __call__(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Send one row."""
        if "user" in row.payload:
            return await self._files(row, attempt)
        as_of = await self._wiring.reads.glance().size() - 1
        shown = await shown_week(self._wiring, row.payload["report"])
        if shown is None:
            return Never(_GONE)
        if row.payload.get("remind"):
            return await self._call_again(row, attempt, shown)
        mark = Mark(_EVENT, "row", row.name, row.created_at)
        return await self.stand(row, attempt, self._place(shown.role), mark, week_message(shown), as_of)

    def _place(self, *first: str) -> str | None:
        """Give the first channel of these names that there is, else the one where operators are told such things."""
        channels = self._wiring.policy.folder.channels
        return next((channels[name] for name in (*first, *OPS) if name in channels), self._slack.default_channel)

    async def _call_again(self, row: OutboxRow, attempt: Attempt, shown: WeekShown) -> Result:
        if shown.complete or shown.superseded:
            return Sent(row.wanted_seq)  # it was signed, or is over, before anybody could be called
        recorded = await self._wiring.reads.glance().recorded(row.subject)
        event = next((item.event for item in recorded if item.seq == row.wanted_seq), None)
        review = reviews_from(recorded).of(shown.digest)
        if review is None or not isinstance(event, WeekReminded):
            return Never("the call is not in the log")
        role, folder, now = RoleName(shown.role), self._wiring.policy.folder, self._wiring.clock()
        escalated = event == review.escalation
        until = None if escalated else quiet_until(folder.quiet_of(role), now)
        if until is not None:
            return Later(QUIET, until - now, not_tried=True)
        text = call_words(shown, (event.at - shown.made_at).days, escalated=escalated)
        called = await self._called((role, *event.also))
        if escalated:
            channel = self._place()
            more = [*called, *call_buttons(shown)]
            return (
                Later(NO_CHANNEL)
                if channel is None
                else await self._say(channel, text, row.wanted_seq, attempt, more=more)
            )
        placed = await self._wiring.reads.glance().rows(week_posts.PLACE, {"name": week_posts.name(shown.digest)})
        if not placed:
            return Later("the review is not posted yet", not_tried=True)
        channel, ts = placed[0]
        return await self._say(channel, text, row.wanted_seq, attempt, ts, called)

    async def _called(self, roles: Sequence[RoleName]) -> Sequence[Block]:
        there = self._wiring.policy.folder.roles
        users, groups = await people_in(self._wiring, [role for role in roles if role in there])
        return [mentions(users, groups)] if users or groups else ()

    async def _files(self, row: OutboxRow, attempt: Attempt) -> Result:
        user, report = row.payload["user"], row.payload["report"]
        shown = await shown_week(self._wiring, report)
        found = await asyncio.to_thread(files_of, self._wiring.reads.path, report)
        if shown is None or found is None:
            return Never(_GONE)
        message = week_message(shown)
        try:
            await attempt.begin()
            await send_files(self._slack, user, message.text, message.blocks, found)
        except SlackUnavailableError as error:
            return await unsent(self._slack, user, error, row.wanted_seq)
        return Sent(row.wanted_seq)
