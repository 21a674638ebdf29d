"""What a person sees who starts himself what the policy blocks: the form, the question for a proof, the answer.

It decides nothing: the desk judges who it is, and what may be started.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from handlers.desk import Challenge, Envelope, Seen
from handlers.initiation_desk import InitiationDesk, Started, StartForm, StartRefused, StartWish, TypedProof
from handlers.slack.blocks import Block, button, plain, section
from handlers.slack.escape import Safe, clipped, visible
from handlers.slack.ids import START_CODE_VIEW, proof_of, read_form_of, read_proof_of
from handlers.slack.packet import packet
from handlers.slack.parse import FilledView, Press, Typed, read_filled
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentences import UNKNOWN_PROPOSAL, UNREADABLE, refusal_sentence
from handlers.slack.standing import who_decides
from handlers.slack.start_form import REASON, TYPED, VALUE, Filled, block_of, form_view, read_form, typed_in
from handlers.slack.views import notice_view

CODE: Final = "code"
PAGE: Final = "start_page"
SLACK_SECONDS: Final = 1.0
_NOT_STARTED: Final = "Nothing was started"
_AGAIN: Final = frozenset({Refusal.DIRECTORY_DOWN, Refusal.TYPED_WRONG})
_SHOWN: Final = 60
_FAULT: Final = 150
_WRONG: Final = Safe("This code is not right. Nothing was started. Five wrong ones lock your authenticator app.")
_CODE_AGAIN: Final = {
    Refusal.STEP_UP_NEEDED: _WRONG,
    Refusal.FACTOR_REFUSED: _WRONG,
    Refusal.TOO_FAST: Safe("That was too fast. Please wait a moment and type the code again."),
}
_UNKNOWN_TOOL: Final = Safe(
    "There is no policy for a tool of this name, so nothing of it can be started. /agent help shows how to write it."
)
_POLICY_MOVED: Final = Safe(
    "Nothing was started: the policy was changed while you filled this in. Please open the form again."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Starting:
    """The modals, over one desk and one Slack client."""

    desk: InitiationDesk
    client: AsyncWebClient
    clock: Callable[[], datetime]

    async def form(self, press: Press) -> Block:
        """Give the form for a blocked packet's button, or say why there is none."""
        found = await self.desk.form_of(press.who, press.target.proposal)
        if found is None:
            return notice_view(_NOT_STARTED, UNKNOWN_PROPOSAL)
        return _form_or_notice(found)

    async def asked_for(self, typed: Typed, tool: str) -> Safe:
        """Open the form for a tool that a person named."""
        if not tool:
            return Safe("Which tool? Type /agent request and its name, such as payments.refund.")
        found = await self.desk.form_for(typed.who, tool)
        made = (
            _UNKNOWN_TOOL
            if found is None
            else refusal_sentence(found)
            if isinstance(found, Refusal)
            else form_view(found)
        )
        if isinstance(made, str):
            return made
        try:
            async with asyncio.timeout(SLACK_SECONDS):
                await self.client.views_open(trigger_id=typed.trigger, view=made)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person must not be left without an answer
            _log.warning("Slack did not take the form: %s", type(error).__name__)
            return Safe("The form could not be opened just now: nothing was started. Please type it again.")
        return Safe("The form is open. Nothing is started before you have confirmed it with your second factor.")

    async def filled(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer a filled-in form: with what is wrong, or with the question for the second factor."""
        view = read_filled(body, request_id)
        carried = None if view is None else read_form_of(view.metadata)
        if view is None or carried is None:
            return _replaced(notice_view(_NOT_STARTED, UNREADABLE))
        answer = await in_time(self._begin(view, carried))
        if isinstance(answer, Trouble):
            return _faulted({TYPED: answer.sentence})
        return answer

    async def _begin(self, view: FilledView, carried: tuple[str | None, str, str]) -> BoltResponse:
        taken_up, tool, policy = carried
        form = await (self.desk.form_of(view.who, taken_up) if taken_up else self.desk.form_for(view.who, tool))
        if not isinstance(form, StartForm):
            return _replaced(notice_view(_NOT_STARTED, refusal_sentence(form) if form else UNKNOWN_PROPOSAL))
        if form.policy != policy:
            return _replaced(notice_view(_NOT_STARTED, _POLICY_MOVED))
        filled = read_form(form, view.values)
        if filled.errors:
            return _faulted(filled.errors)
        judged = await self.desk.begin_start(_wish(view.who, taken_up, tool, policy, filled))
        if isinstance(judged, Challenge):
            return _replaced(_question(judged))
        return _not_begun(form, judged)

    async def proved(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer a typed code."""
        view = read_filled(body, request_id)
        carried = None if view is None else read_proof_of(view.metadata)
        if view is None or carried is None:
            return _replaced(notice_view(_NOT_STARTED, UNREADABLE))
        typed = TypedProof(view.who, *carried, typed_in(view.values, CODE))
        done = await in_time(self.desk.start_with_code(typed))
        if isinstance(done, Trouble):
            return _faulted({CODE: done.sentence})
        if isinstance(done, Started):
            return _replaced(notice_view("Started", started_words(done.seen)))
        if done.refusal in _CODE_AGAIN:
            return _faulted({CODE: _CODE_AGAIN[done.refusal]})
        return _replaced(notice_view(_NOT_STARTED, refusal_sentence(done.refusal)))


def started_words(seen: Seen) -> Safe:
    """Tell a person what comes next."""
    who = who_decides(seen.proposal.requirement)
    return Safe(f"You have started this. Nothing runs before {who} have approved it; you cannot be one of them.")


def _form_or_notice(found: StartForm | Refusal) -> Block:
    made = refusal_sentence(found) if isinstance(found, Refusal) else form_view(found)
    return notice_view(_NOT_STARTED, made) if isinstance(made, str) else made


def _wish(who: Envelope, taken_up: str | None, tool: str, policy: str, filled: Filled) -> StartWish:
    return StartWish(who, taken_up, tool, filled.agent, policy, filled.arguments, filled.typed, filled.reason)


def _not_begun(form: StartForm, refused: StartRefused) -> BoltResponse:
    """Say what is wrong where it can be put right in the form; else why nothing can be started."""
    if refused.faults:
        return _faulted(
            {block_of(form, each.pointer): clipped(visible(each.detail), _FAULT) for each in reversed(refused.faults)}
        )
    if refused.refusal is Refusal.TYPED_WRONG:
        what = f"the value of {visible(refused.field)}" if refused.field else f"the tool's name, {visible(form.tool)}"
        return _faulted(
            {TYPED: Safe(f"This must be {what}, as it stands above. Numbers without a currency or commas.")}
        )
    if refused.refusal in _AGAIN:
        return _faulted({REASON: refusal_sentence(refused.refusal)})
    return _replaced(notice_view(_NOT_STARTED, refusal_sentence(refused.refusal)))


def _question(challenge: Challenge) -> Block:
    """Show exactly what would be started, and ask for the proof."""
    seen = challenge.seen
    shown = [
        block for block in packet(seen, seen.proposal.created_at, voting=False).blocks if block["type"] != "actions"
    ]
    code = section(Safe(f"Code: {challenge.code}. The same must stand wherever you are asked for it."))
    view: Block = {
        "type": "modal",
        "callback_id": START_CODE_VIEW,
        "title": plain(Safe("Confirm your start")),
        "close": plain(Safe("Go back")),
        "private_metadata": proof_of(seen.proposal.id, challenge.ticket),
    }
    if challenge.url is not None:
        link: Block = {**button(PAGE, Safe("Confirm with passkey"), seen.proposal.id, "primary"), "url": challenge.url}
        return {**view, "blocks": [*shown[:_SHOWN], code, {"type": "actions", "elements": [link]}]}
    element: Block = {"type": "plain_text_input", "action_id": VALUE, "min_length": 6, "max_length": 20}
    asked: Block = {"type": "input", "block_id": CODE, "label": plain(Safe("Your one-time code")), "element": element}
    return {**view, "submit": plain(Safe("Start it")), "blocks": [*shown[:_SHOWN], code, asked]}


def _replaced(view: Block) -> BoltResponse:
    return BoltResponse(status=200, body={"response_action": "update", "view": view})


def _faulted(errors: Mapping[str, Safe]) -> BoltResponse:
    return BoltResponse(status=200, body={"response_action": "errors", "errors": dict(errors)})
