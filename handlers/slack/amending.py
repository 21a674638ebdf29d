"""What Ask, Lower and Take back do, and replies in threads: one call of the desk, then one answer. It decides nothing.

As with votes, the desk commits before it returns, and Slack's acknowledgement is the last thing that happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from approval_rules.state import Status
from approval_rules.text import AgentText
from handlers.amending_desk import AmendingDesk, Asking, Editing, Screen, TakingBack, What
from handlers.desk import Judged, Seen
from handlers.slack.actions import NOT_COUNTED, faulted, refused, shown
from handlers.slack.amending_views import MAX_WORDS, ask_view, lower_view, take_back_view
from handlers.slack.blocks import Block
from handlers.slack.escape import Safe
from handlers.slack.factor_presses import replaced
from handlers.slack.ids import ASK, CLOCK, LOWER, REASON, TAKE_BACK, TO
from handlers.slack.parse import (
    Press,
    action_id_of,
    chosen_in,
    inputs_in,
    is_ticked,
    read_press,
    read_reply,
    read_screen,
    trigger_of,
    typed_in,
)
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentence import sentence_of
from handlers.slack.sentences import UNREADABLE, refusal_sentence
from handlers.slack.text import says_nothing
from handlers.slack.views import notice_view

ACTIONS: Final[Mapping[str, What]] = {ASK: "ask", LOWER: "edit", TAKE_BACK: "take-back"}
_VIEWS: Final = {ASK: ask_view, LOWER: lower_view, TAKE_BACK: take_back_view}
_TYPED_WRONG: Final = frozenset({Refusal.NOT_LOWER, Refusal.BREAKS_CONTRACT, Refusal.CANNOT_BE_ASKED})
_SAY: Final = Safe(f"Please say it in a few words (at most {MAX_WORDS} characters).")
_ONE: Final = Safe("Please lower exactly one of the values.")


@dataclass(frozen=True, slots=True)
class Amends:
    """The buttons and modals for everything but votes, over one desk and one Slack client."""

    desk: AmendingDesk
    client: AsyncWebClient

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer the press of a button with its modal, or with why not."""
        press = read_press(body, request_id)
        if press is None:
            view: Block | Trouble = notice_view(NOT_COUNTED, UNREADABLE)
        else:
            view = await in_time(self._began(press, action_id_of(body)))
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_open(trigger_id=trigger_of(body), view=view))

    async def _began(self, press: Press, action_id: str) -> Block:
        judged = await self.desk.begin(ACTIONS[action_id], press.screen)
        no = refused(judged)
        if no is not None or judged.seen is None:
            return no or notice_view(NOT_COUNTED, UNREADABLE)
        return _VIEWS[action_id](judged.seen, press.who.channel, press.ts)

    async def submitted(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer one of the modals; what was typed is kept where it may be sent again."""
        screen = read_screen(body, request_id)
        if screen is None:
            return replaced(notice_view(NOT_COUNTED, UNREADABLE))
        match body["view"].get("callback_id"):
            case "ask":
                return await self._asked(body, screen)
            case "lower":
                return await self._lowered(body, screen)
            case _:
                return await self._taken_back(body, screen)

    async def _asked(self, body: Mapping[str, Any], screen: Screen) -> BoltResponse:
        question = AgentText(typed_in(body, REASON)[:MAX_WORDS])
        if says_nothing(question):
            return faulted(REASON, _SAY)
        asking = Asking(screen, chosen_in(body, TO) or None, question, is_ticked(body, CLOCK))
        judged = await in_time(self.desk.ask(asking))
        return _answered(judged, REASON, "Asked", Safe("Your question stands on the packet, and so will the answer."))

    async def _lowered(self, body: Mapping[str, Any], screen: Screen) -> BoltResponse:
        typed = [
            (block, action, typed_in(body, block, action))
            for block, actions in inputs_in(body).items()
            for action in actions
        ]
        given = [each for each in typed if each[2].strip()]
        if len(given) != 1:
            return faulted(typed[0][0], _ONE) if typed else replaced(notice_view(NOT_COUNTED, UNREADABLE))
        block, field, value = given[0]
        judged = await in_time(self.desk.edit(Editing(screen, field, value)))
        seen = None if isinstance(judged, Trouble) else judged.seen
        return _answered(judged, block, "Lowered", _became(seen))

    async def _taken_back(self, body: Mapping[str, Any], screen: Screen) -> BoltResponse:
        reason = AgentText(typed_in(body, REASON)[:MAX_WORDS])
        if says_nothing(reason):
            return faulted(REASON, _SAY)
        judged = await in_time(self.desk.take_back(TakingBack(screen, reason)))
        return _answered(judged, REASON, "Taken back", Safe("The approval no longer counts. Nothing of it runs."))

    async def said(self, body: Mapping[str, Any]) -> BoltResponse:
        """Take a message in a thread; where it could not be looked at, Slack sends it again."""
        reply = read_reply(body)
        trouble = await in_time(self.desk.reply(reply)) if reply else None
        return BoltResponse(status=503 if isinstance(trouble, Trouble) else 200)


def _answered(judged: Judged | Trouble, block: str, heading: str, sentence: Safe) -> BoltResponse:
    if isinstance(judged, Trouble):
        return faulted(block, judged.sentence)
    if judged.refusal in _TYPED_WRONG:
        return faulted(block, refusal_sentence(judged.refusal, judged.seen))
    return replaced(refused(judged) or notice_view(heading, sentence))


def _became(seen: Seen | None) -> Safe:
    """Tell what an edit came to."""
    if seen is None:
        return UNREADABLE
    headline = sentence_of(seen.proposal).headline
    match seen.proposal.status:
        case Status.APPROVED:
            return Safe(f"Now: {headline}. The policy allows this without people, so it is approved.")
        case Status.BLOCKED:
            return Safe(f"Now: {headline}. The policy blocks this, so nothing of it runs.")
        case _:
            return Safe(f"Now: {headline}. Earlier votes are void, and others decide: yours would not count.")
