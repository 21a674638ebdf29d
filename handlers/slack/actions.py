"""What a press of a button, or of Deny in the modal, does: one call of the desk, then one answer. It decides nothing.

The desk commits before it returns, and Slack's acknowledgement is the last thing that happens. Whatever fails before
it, the person is told: in a modal, or, where Slack takes none, by an HTTP error that Slack shows as its own warning.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Decision, Refusal
from handlers.desk import Challenge, Envelope, Judged, PeopleDesk, Seen
from handlers.factor_desk import FactorDesk
from handlers.slack.blocks import Block
from handlers.slack.escape import Safe
from handlers.slack.factor_presses import FactorPresses, replaced
from handlers.slack.ids import (
    ACCESS_SIGN,
    APPROVE,
    CATEGORY,
    DENY,
    DETAILS,
    FACTOR_CONFIRM,
    FACTOR_REFUSE,
    NEXT,
    PREVIOUS,
    REASON,
    START,
)
from handlers.slack.parse import Press, Turn, action_id_of, read_denial, read_press, read_turn, trigger_of
from handlers.slack.passkey_view import passkey_view
from handlers.slack.patience import Trouble, in_time
from handlers.slack.reviewing import report_signed
from handlers.slack.sentences import UNKNOWN_PROPOSAL, UNREADABLE, counted_sentence, refusal_sentence
from handlers.slack.starting import Starting
from handlers.slack.text import says_nothing
from handlers.slack.views import MAX_REASON, code_view, deny_view, details_view, notice_view

SLACK_SECONDS: Final = 1.0
"""The share of Slack's 3 s in which a modal must have been opened."""
NOT_COUNTED: Final = "This did not count"
_NOT_SHOWN: Final = "This cannot be shown"
# Slack's error for a trigger that has opened its modal: the same press has come twice, and the person has the answer.
_OPENED_BEFORE: Final = "exchanged_trigger_id"

_log = logging.getLogger(__name__)
Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Presses:
    """The buttons and the modal, over one desk and one Slack client."""

    desk: PeopleDesk
    client: AsyncWebClient
    clock: Callable[[], datetime]
    factors: FactorDesk
    starting: Starting

    async def pressed(self, body: Payload, request_id: str) -> BoltResponse:
        """Answer the press of a button; another app's or an unknown one is acknowledged and nothing else."""
        action_id = action_id_of(body)
        if action_id in {PREVIOUS, NEXT}:
            turn = read_turn(body, request_id)
            return await self._turn(turn, action_id, trigger_of(body)) if turn else await self._unreadable(body)
        if action_id == ACCESS_SIGN:
            view = await in_time(report_signed(self.desk.reviews, body, request_id))
            return await self._open(view, trigger_of(body))
        if action_id in {FACTOR_CONFIRM, FACTOR_REFUSE}:
            return await self._open(await FactorPresses(self.factors).pressed(body, request_id), trigger_of(body))
        if action_id not in {APPROVE, DENY, DETAILS, START}:
            return BoltResponse(status=200)
        press = read_press(body, request_id)
        if press is None:
            return await self._unreadable(body)
        return await self._open(await in_time(self._press(press)), trigger_of(body))

    async def submitted(self, body: Payload, request_id: str) -> BoltResponse:
        """Answer the denial: the modal says what became of it, and keeps the reason where it may be sent again."""
        click = read_denial(body, request_id)
        if click is None or click.reason is None:
            return replaced(notice_view(NOT_COUNTED, UNREADABLE))
        if says_nothing(click.reason):
            return faulted(REASON, Safe(f"Please say why, in a few words (at most {MAX_REASON} characters)."))
        if click.category is None:
            return faulted(CATEGORY, Safe("Please choose what it is."))
        judged = await in_time(self.desk.vote(click))
        if isinstance(judged, Trouble):
            return faulted(REASON, judged.sentence)
        return replaced(refused(judged) or notice_view("Denied", _denied(judged)))

    async def _press(self, press: Press) -> Block | None:
        """Do what one button of a packet asks; give the modal that answers it, None where none is needed."""
        match press.action_id:
            case "approve":
                judged = await self.factors.begin_approval(press.click(Decision.APPROVE))
                if isinstance(judged, Challenge):
                    return code_view(judged) if judged.url is None else passkey_view(judged, judged.url)
                return None if press.who.response_url else refused(judged)
            case "deny":
                judged = await self.desk.begin_denial(press.click(Decision.DENY))
                if judged.refusal is None and judged.seen is not None:
                    return deny_view(judged.seen, press.who.channel, press.ts)
                return None if press.who.response_url else refused(judged)
            case "start":
                return await self.starting.form(press)
            case _:
                return await self._details(press.who, press.target.proposal, 0)

    async def _turn(self, turn: Turn, action_id: str, trigger_id: str) -> BoltResponse:
        """Turn a page of Details, with everything asked anew."""
        page = turn.page + (1 if action_id == NEXT else -1)
        view = await in_time(self._details(turn.who, turn.target.proposal, page))
        if isinstance(view, Trouble):
            return await self._open(view, trigger_id)
        return await shown(self.client.views_update(view_id=turn.view_id, hash=turn.view_hash, view=view))

    async def _details(self, who: Envelope, proposal: str, page: int) -> Block:
        match seen := await self.desk.show(who, proposal):
            case None:
                return notice_view(_NOT_SHOWN, UNKNOWN_PROPOSAL)
            case Refusal():
                return notice_view(_NOT_SHOWN, refusal_sentence(seen))
            case Seen():
                return details_view(seen, self.clock(), page, reveals=await self.desk.originals.may_in_slack(who))

    async def _unreadable(self, body: Payload) -> BoltResponse:
        return await self._open(notice_view(NOT_COUNTED, UNREADABLE), trigger_of(body))

    async def _open(self, view: Block | Trouble | None, trigger_id: str) -> BoltResponse:
        """Acknowledge, after opening the modal where there is one to open."""
        if view is None:
            return BoltResponse(status=200)
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_open(trigger_id=trigger_id, view=view))


async def shown(call: Awaitable[object]) -> BoltResponse:
    """Acknowledge once Slack shows the modal; else give the error that makes Slack itself warn the person."""
    try:
        async with asyncio.timeout(SLACK_SECONDS):
            await call
    except Exception as error:  # noqa: BLE001 - whatever it is, the person must not be left without an answer
        # What is in front of Slack may answer with a page instead of JSON.
        said = error.response.data if isinstance(error, SlackApiError) else None
        if isinstance(said, dict) and said.get("error") == _OPENED_BEFORE:
            return BoltResponse(status=200)
        _log.warning("Slack did not take the modal: %s", type(error).__name__)
        return BoltResponse(status=503, body="the answer could not be shown")
    return BoltResponse(status=200)


def refused(judged: Judged) -> Block | None:
    """Give the modal for a click that did not count; None where it did."""
    if judged.seen is None:
        return notice_view(NOT_COUNTED, UNKNOWN_PROPOSAL)
    if judged.refusal is None:
        return None
    return notice_view(NOT_COUNTED, refusal_sentence(judged.refusal, judged.seen))


def _denied(judged: Judged) -> Safe:
    return counted_sentence(judged.seen.proposal, Decision.DENY) if judged.seen else UNKNOWN_PROPOSAL


def faulted(block: str, sentence: Safe) -> BoltResponse:
    """Say under one input of the modal what is wrong, and keep what was typed."""
    return _json({"response_action": "errors", "errors": {block: sentence}})


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=body)
