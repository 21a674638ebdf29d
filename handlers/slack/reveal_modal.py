"""*See what is hidden* in Details: which field, and why, and then its original in the modal of that person alone.

It decides nothing: who may look is the desk's to say each time, and the look is on record before anything is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.reveal_desk import MOST_REASON, Choice, RevealDesk
from handlers.slack.actions import faulted, shown
from handlers.slack.blocks import Block, plain, section
from handlers.slack.details import PAGE_CHARACTERS
from handlers.slack.escape import Safe, visible
from handlers.slack.factor_presses import replaced
from handlers.slack.grammar import RevealWish
from handlers.slack.ids import FIELD, REASON, REVEAL
from handlers.slack.parse import chosen_in, read_filled, read_press, trigger_of, typed_in
from handlers.slack.patience import Trouble, in_time
from handlers.slack.revealing import MORE, reveal_lines
from handlers.slack.sentences import UNKNOWN_PROPOSAL, UNREADABLE, refusal_sentence
from handlers.slack.text import says_nothing
from handlers.slack.views import notice_view

_HEADING: Final = "What is hidden"
_NOTHING: Final = Safe("Nothing of this proposal is hidden, or it has been erased.")
_SAY_WHY: Final = Safe(f"Please say why, in a few words (at most {MOST_REASON} characters): it is recorded.")
_CHOOSE: Final = Safe("Please choose what you want to see.")
_LONGEST_FIELD: Final = 75
_MOST_FIELDS: Final = 100


@dataclass(frozen=True, slots=True)
class Reveals:
    """The button in Details and its modal, over one desk and one Slack client."""

    desk: RevealDesk
    client: AsyncWebClient

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer the press of the button with the form, or with why there is none."""
        press = read_press(body, request_id)
        if press is None:
            view: Block | Trouble = notice_view(_HEADING, UNREADABLE)
        else:
            look = self.desk.in_slack(press.who, press.target.proposal, "", AgentText(""))
            found = await in_time(look)
            view = found if isinstance(found, Trouble) else _form(press.target.proposal, found)
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_push(trigger_id=trigger_of(body), view=view))

    async def submitted(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Show the original in the form's place; what was typed is kept where it may be sent again."""
        filled = read_filled(body, request_id)
        if filled is None:
            return replaced(notice_view(_HEADING, UNREADABLE))
        field, reason = chosen_in(body, FIELD), typed_in(body, REASON)
        if not field:
            return faulted(FIELD, _CHOOSE)
        if says_nothing(AgentText(reason)) or len(reason) > MOST_REASON:
            return faulted(REASON, _SAY_WHY)
        said = await in_time(reveal_lines(self.desk, filled.who, RevealWish(filled.metadata, field, reason)))
        if isinstance(said, Trouble):
            return faulted(REASON, said.sentence)
        return replaced({**notice_view(_HEADING, said[0]), "blocks": [section(line) for line in _fitting(said)]})


def _form(proposal: str, look: object) -> Block:
    match look:
        case Refusal():
            return notice_view(_HEADING, refusal_sentence(look))
        case Choice():
            fields = [name for name in look.fields if len(visible(name)) <= _LONGEST_FIELD][:_MOST_FIELDS]
            return _ask(proposal, fields) if fields else notice_view(_HEADING, _NOTHING)
        case _:
            return notice_view(_HEADING, UNKNOWN_PROPOSAL)


def _ask(proposal: str, fields: Sequence[str]) -> Block:
    which: Block = {
        "type": "input",
        "block_id": FIELD,
        "label": plain(Safe("What?")),
        "hint": plain(Safe("A secret or a card number goes by the value that it stands in.")),
        "element": {
            "type": "static_select",
            "action_id": FIELD,
            "placeholder": plain(Safe("Choose one")),
            "options": [{"text": plain(visible(name)), "value": name} for name in fields],
        },
    }
    why: Block = {
        "type": "input",
        "block_id": REASON,
        "label": plain(Safe("Why?")),
        "hint": plain(Safe("This look is recorded with your name and these words. Name nobody in them.")),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "min_length": 1,
            "max_length": MOST_REASON,
        },
    }
    return {
        "type": "modal",
        "callback_id": REVEAL,
        "title": plain(Safe(_HEADING)),
        "submit": plain(Safe("Show me")),
        "close": plain(Safe("Go back")),
        "private_metadata": proposal,
        "blocks": [which, why],
    }


def _fitting(lines: Sequence[Safe]) -> list[Safe]:
    """Give as many lines as a modal takes; where that is not all, the last one says so."""
    room, fitting = PAGE_CHARACTERS, list[Safe]()
    for line in lines:
        room -= len(line)
        if room < 0:
            return [*fitting, MORE]
        fitting.append(line)
    return fitting
