"""What the buttons under a weekly review do: one call of the desk, then one answer in a modal. It decides nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.desk import Envelope
from handlers.review_words import FLAG_EXAMPLE
from handlers.slack.actions import NOT_COUNTED, faulted, shown
from handlers.slack.blocks import Block
from handlers.slack.escape import Safe
from handlers.slack.factor_presses import replaced
from handlers.slack.ids import ITEMS, REASON, REVIEW_FLAG, REVIEW_READ, REVIEW_SIGN, read_report
from handlers.slack.parse import action_id_of, read_envelope, read_filled, trigger_of, typed_in
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentences import UNREADABLE
from handlers.slack.text import says_nothing
from handlers.slack.views import MAX_REASON, notice_view
from handlers.slack.weekly_words import flag_view, link_view, signed_words, week_refusal
from handlers.weekly_desk import WeeklyDesk

ACTIONS: Final = frozenset({REVIEW_READ, REVIEW_SIGN, REVIEW_FLAG})
_NUMBERS: Final = re.compile(r"[0-9]{1,6}(?:[ ,]+[0-9]{1,6})*")


@dataclass(frozen=True, slots=True)
class WeekPresses:
    """The buttons and the modal, over the desk and one Slack client."""

    desk: WeeklyDesk
    client: AsyncWebClient

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer one press."""
        who, report = read_envelope(body, request_id), read_report(body["actions"][0].get("value"))
        if who is None or report is None:
            view: Block | Trouble = notice_view(NOT_COUNTED, UNREADABLE)
        else:
            view = await in_time(self._pressed(who, action_id_of(body), report))
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_open(trigger_id=trigger_of(body), view=view))

    async def _pressed(self, who: Envelope, action_id: str, report: str) -> Block:
        if action_id == REVIEW_READ:
            link = await self.desk.read_week(who, report)
            return _refused(link) if isinstance(link, Refusal) else link_view(link)
        if action_id == REVIEW_SIGN:
            signed = await self.desk.sign_week(who, report)
            return _refused(signed) if isinstance(signed, Refusal) else notice_view("Signed off", signed_words(signed))
        week = await self.desk.flag_form(who, report)
        return _refused(week) if isinstance(week, Refusal) else flag_view(week)

    async def submitted(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Take the modal that flags items; what was typed is kept where it may be sent again."""
        filled = read_filled(body, request_id)
        report = read_report(filled.metadata) if filled else None
        if filled is None or report is None:
            return replaced(notice_view(NOT_COUNTED, UNREADABLE))
        typed, note = typed_in(body, ITEMS).strip(), AgentText(typed_in(body, REASON)[:MAX_REASON])
        if not _NUMBERS.fullmatch(typed):
            return faulted(ITEMS, Safe(f"{FLAG_EXAMPLE}."))
        if says_nothing(note):
            return faulted(REASON, Safe("Please say what should be looked at, in a few words."))
        items = tuple(sorted({int(number) for number in re.split("[ ,]+", typed)}))
        refusal = await in_time(self.desk.flag_week(filled.who, report, items, note))
        if isinstance(refusal, Trouble):
            return faulted(ITEMS, refusal.sentence)
        if refusal is Refusal.NO_SUCH_ITEM:
            return faulted(ITEMS, week_refusal(refusal))
        said = Safe("It is recorded, and stands under the review.")
        return replaced(_refused(refusal) if refusal else notice_view("Flagged", said))


def _refused(code: Refusal) -> Block:
    return notice_view(NOT_COUNTED, week_refusal(code))
