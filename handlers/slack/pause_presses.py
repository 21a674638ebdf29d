"""What the buttons about a pause do: one call of the desk, then one answer in a modal. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.events import Refusal
from handlers.desk import Switched
from handlers.slack.actions import shown
from handlers.slack.blocks import Block
from handlers.slack.escape import Safe, visible
from handlers.slack.ids import END_KEYS, RESUME_PAUSE, ROLL_BACK, read_pause_value
from handlers.slack.key_words import ended_view
from handlers.slack.parse import action_id_of, message_of, read_envelope, trigger_of
from handlers.slack.patience import Trouble, in_time
from handlers.slack.sentences import UNREADABLE, refusal_sentence
from handlers.slack.views import notice_view
from handlers.switch_desk import PausePress, SwitchDesk

ACTIONS: Final = frozenset({RESUME_PAUSE, END_KEYS, ROLL_BACK})
_NOT_DONE: Final = "Nothing was done"
_STALE: Final = Safe(
    "Nothing was done: this button is not from the newest message about a pause in force, or what it offered has "
    "changed since. /agent status shows what is paused."
)
_MAY_NOT: Final = Safe(
    "Nothing was done: you may not do this. Whoever has the role operator may (policy_admin, for the policy); an "
    "agent's keys its owner may end too. /agent whoami shows your roles."
)


@dataclass(frozen=True, slots=True)
class PausePresses:
    """The buttons, over the desk and one Slack client."""

    desk: SwitchDesk
    client: AsyncWebClient

    async def pressed(self, body: Mapping[str, Any], request_id: str) -> BoltResponse:
        """Answer one press."""
        view = await in_time(self._pressed(body, request_id))
        if isinstance(view, Trouble):
            view = notice_view(view.heading, view.sentence)
        return await shown(self.client.views_open(trigger_id=trigger_of(body), view=view))

    async def _pressed(self, body: Mapping[str, Any], request_id: str) -> Block:
        press = _read(body, request_id)
        if press is None:
            return notice_view(_NOT_DONE, UNREADABLE)
        match action_id_of(body):
            case "pause_end_keys":
                ended = await self.desk.end_keys(press)
                return _not_done(ended) if isinstance(ended, Refusal) else ended_view(ended)
            case "pause_roll_back":
                version = await self.desk.roll_back(press)
                if isinstance(version, Refusal):
                    return _not_done(version)
                return notice_view("Rolled back", Safe(f"The policy version {visible(version)} decides again."))
            case _:
                return _resumed(await self.desk.resume_from(press))


def _read(body: Mapping[str, Any], request_id: str) -> PausePress | None:
    place = message_of(body)
    found = read_pause_value(body["actions"][0].get("value")) if action_id_of(body) else None
    who = read_envelope(body, request_id, place[0]) if place else None
    return PausePress(who, found[0], place[1], found[1]) if who and found and place else None


def _resumed(done: Switched) -> Block:
    if done.refusal is Refusal.NOT_OUR_MESSAGE:
        return notice_view(_NOT_DONE, _STALE)
    if done.waiting or done.refusal is Refusal.SECOND_PERSON_NEEDED:
        return notice_view("One more is needed", refusal_sentence(Refusal.SECOND_PERSON_NEEDED))
    if done.refusal is not None:
        return notice_view(_NOT_DONE, refusal_sentence(done.refusal))
    return notice_view("Resumed", Safe("▶ Resumed. Clocks that stood still run again."))


def _not_done(refusal: Refusal) -> Block:
    match refusal:
        case Refusal.NOT_OUR_MESSAGE | Refusal.ALREADY_VOTED:
            return notice_view(_NOT_DONE, _STALE)
        case Refusal.NOT_OPERATOR:
            return notice_view(_NOT_DONE, _MAY_NOT)
        case _:
            return notice_view(_NOT_DONE, refusal_sentence(refusal))
