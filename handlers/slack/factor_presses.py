"""The buttons and the modal of second factors: one call of the desk each, then one answer. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from slack_bolt.response import BoltResponse

from approval_rules.events import Decision
from handlers.desk import Judged
from handlers.factor_desk import FactorDesk, WrongCode
from handlers.slack.blocks import Block
from handlers.slack.escape import Safe
from handlers.slack.factor_words import said_words
from handlers.slack.ids import CODE, FACTOR_CONFIRM
from handlers.slack.parse import FactorPress, read_code, read_factor_press
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentences import UNKNOWN_PROPOSAL, UNREADABLE, counted_sentence, refusal_sentence
from handlers.slack.views import notice_view

Payload: TypeAlias = Mapping[str, Any]
_NOT_COUNTED = "This did not count"


@dataclass(frozen=True, slots=True)
class FactorPresses:
    """What is pressed and typed about second factors, over one desk."""

    desk: FactorDesk

    async def pressed(self, body: Payload, request_id: str) -> Block:
        """Confirm or refuse what a message of ours asks about; give the modal that says what became of it."""
        press = read_factor_press(body, request_id)
        if press is None:
            return notice_view(_NOT_COUNTED, UNREADABLE)
        said = await in_time(self._answered(press))
        return notice_view(said.heading, said.sentence) if isinstance(said, Trouble) else notice_view("Answered", said)

    async def _answered(self, press: FactorPress) -> Safe:
        act = self.desk.confirm_factor if press.action_id == FACTOR_CONFIRM else self.desk.refuse_factor
        return said_words(await act(press.who, press.unverified_user, press.unverified_credential))

    async def submitted(self, body: Payload, request_id: str) -> BoltResponse:
        """Vote with the code that was typed; a wrong one can be typed again in the same modal."""
        typed = read_code(body, request_id)
        if typed is None:
            return replaced(notice_view(_NOT_COUNTED, UNREADABLE))
        judged = await in_time(self.desk.vote_with_code(typed))
        match judged:
            case Trouble():
                return _at_the_field(judged.sentence)
            case WrongCode():
                return _at_the_field(wrong_words(judged))
            case Judged():
                return replaced(_judged(judged))


def wrong_words(wrong: WrongCode) -> Safe:
    """Say that a code was wrong, and how often it may still be."""
    if wrong.too_fast:
        return Safe("That was too fast. Please wait a moment, and then type the code that the app shows then.")
    more = "One more try" if wrong.left == 1 else f"{wrong.left} more tries"
    return Safe(f"This code is wrong, or was used already. Wait for the next one. {more}, then it is locked.")


def _judged(judged: Judged) -> Block:
    if judged.seen is None:
        return notice_view(
            _NOT_COUNTED, UNKNOWN_PROPOSAL if judged.refusal is None else refusal_sentence(judged.refusal)
        )
    if judged.refusal is not None:
        return notice_view(_NOT_COUNTED, refusal_sentence(judged.refusal, judged.seen))
    return notice_view("Approved", counted_sentence(judged.seen.proposal, Decision.APPROVE))


def _at_the_field(sentence: Safe) -> BoltResponse:
    return BoltResponse(status=200, body={"response_action": "errors", "errors": {CODE: sentence}})


def replaced(view: Block) -> BoltResponse:
    """Answer a submission by another view in its place."""
    return BoltResponse(status=200, body={"response_action": "update", "view": view})
