"""Reads Slack's verified payloads strictly; None for whatever lacks something that it needs. It decides nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from approval_rules.denials import DenialCategory
from approval_rules.events import Decision
from approval_rules.people import Account
from approval_rules.text import AgentText
from handlers.amending_desk import Reply, Screen
from handlers.desk import Click, Envelope
from handlers.factor_desk import TypedCode
from handlers.slack.ids import CATEGORY, CODE, REASON, Target, read_factor_value, read_page, read_place, read_value

_ID: Final = re.compile(r"[A-Z][A-Z0-9]{1,30}")
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one of our buttons. `ts` is empty where the button was not on a message."""

    who: Envelope
    action_id: str
    target: Target
    ts: str

    @property
    def screen(self) -> Screen:
        """What the person had before him."""
        return Screen(self.who, self.target.proposal, self.target.digest, self.ts)

    def click(self, decision: Decision) -> Click:
        """Make the vote that the press asks for."""
        return Click(self.who, self.target.proposal, self.target.digest, self.ts, decision)


@dataclass(frozen=True, slots=True)
class FactorPress:
    """One press of a button about somebody's second factor."""

    who: Envelope
    action_id: str
    unverified_user: str
    unverified_credential: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One press of a page button in Details: where it stood, and which page that was."""

    who: Envelope
    target: Target
    page: int
    view_id: str
    view_hash: str


@dataclass(frozen=True, slots=True)
class Typed:
    """One `/agent` command with the words after it."""

    who: Envelope
    text: str
    trigger: str = ""


def action_id_of(body: Mapping[str, Any]) -> str:
    """Tell which button was pressed; empty where that cannot be told."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and len(actions) == 1 else None
    found = action.get("action_id") if isinstance(action, Mapping) else None
    return found if isinstance(found, str) else ""


def trigger_of(body: Mapping[str, Any]) -> str:
    """Give the trigger that lets us open a modal within 3 s; empty where there is none."""
    return _text(body, "trigger_id") or ""


def read_press(body: Mapping[str, Any], request_id: str) -> Press | None:
    """Read a press of a button on a message or in a modal."""
    container = _object(body, "container")
    channel, ts = _text(container, "channel_id", _ID), _text(container, "message_ts", _TS)
    action_id = action_id_of(body)
    target = read_value(body["actions"][0].get("value")) if action_id else None
    on_message = container.get("type") == "message" and channel and ts
    who = read_envelope(body, request_id, channel or "")
    if who is None or target is None or not (on_message or container.get("type") == "view"):
        return None
    return Press(who, action_id, target, ts or "")


def read_factor_press(body: Mapping[str, Any], request_id: str) -> FactorPress | None:
    """Read a press of a button about somebody's second factor."""
    action_id = action_id_of(body)
    about = read_factor_value(body["actions"][0].get("value")) if action_id else None
    who = read_envelope(body, request_id, _text(_object(body, "container"), "channel_id", _ID) or "")
    return FactorPress(who, action_id, *about) if who and about else None


def read_turn(body: Mapping[str, Any], request_id: str) -> Turn | None:
    """Read a press of a page button in Details."""
    view = _object(body, "view")
    at = read_page(view.get("private_metadata"))
    who = read_envelope(body, request_id, "")
    view_id, view_hash = _text(view, "id"), _text(view, "hash")
    return Turn(who, *at, view_id, view_hash) if who and at and view_id and view_hash else None


def read_denial(body: Mapping[str, Any], request_id: str) -> Click | None:
    """Read the modal that asks for the reason of a denial; an empty reason is read as an empty one."""
    place = read_place(_object(body, "view").get("private_metadata"))
    if place is None:
        return None
    who = read_envelope(body, request_id, place.channel)
    if who is None:
        return None
    reason = AgentText(typed_in(body, REASON))
    chosen = chosen_in(body, CATEGORY)
    category = DenialCategory(chosen) if chosen in {*DenialCategory} else None
    return Click(who, place.target.proposal, place.target.digest, place.ts, Decision.DENY, reason, category)


def read_screen(body: Mapping[str, Any], request_id: str) -> Screen | None:
    """Read what a modal stands over: the proposal, and the message that it was opened from."""
    place = read_place(_object(body, "view").get("private_metadata"))
    who = read_envelope(body, request_id, place.channel) if place else None
    return Screen(who, place.target.proposal, place.target.digest, place.ts) if who and place else None


def typed_in(body: Mapping[str, Any], block: str, action: str | None = None) -> str:
    """Give what was typed into one input of a modal; empty where nothing was."""
    typed = _input(body, block, action or block).get("value")
    return typed if isinstance(typed, str) else ""


def chosen_in(body: Mapping[str, Any], block: str) -> str:
    """Give the value that was chosen in a menu, or the user; empty where none was."""
    found = _input(body, block, block)
    chosen = found.get("selected_user") or _object(found, "selected_option").get("value")
    return chosen if isinstance(chosen, str) else ""


def is_ticked(body: Mapping[str, Any], block: str) -> bool:
    """Tell whether a box was ticked."""
    return bool(_input(body, block, block).get("selected_options"))


def inputs_in(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the inputs of a modal by block and action."""
    return _object(_object(_object(body, "view"), "state"), "values")


def read_reply(body: Mapping[str, Any]) -> Reply | None:
    """Read a person's plain reply in a thread; an app's, an edited or a joined-in one is none."""
    event = _object(body, "event")
    if event.get("type") != "message" or "subtype" in event or "bot_id" in event or "app_id" in event:
        return None
    user, channel = _text(event, "user", _ID), _text(event, "channel", _ID)
    thread, ts, text = _text(event, "thread_ts", _TS), _text(event, "ts", _TS), _text(event, "text")
    team = _text(event, "user_team", _ID) or _text(event, "team", _ID)
    event_id = _text(body, "event_id")
    if not (user and channel and thread and ts and text and team and event_id) or thread == ts:
        return None
    # Slack escapes exactly these three in what people write.
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return Reply(Envelope(Account(team, user), "", channel, f"event:{event_id}"), thread, AgentText(plain))


def _input(body: Mapping[str, Any], block: str, action: str) -> Mapping[str, Any]:
    return _object(_object(inputs_in(body), block), action)


def read_code(body: Mapping[str, Any], request_id: str) -> TypedCode | None:
    """Read the modal that asks for a code: whose ticket it is, and for what, the desk finds out."""
    view = _object(body, "view")
    ticket, who = _text(view, "private_metadata", _TICKET), read_envelope(body, request_id, "")
    typed = _object(_object(_object(_object(view, "state"), "values"), CODE), CODE).get("value")
    return TypedCode(who, ticket, typed if isinstance(typed, str) else "") if who and ticket else None


def read_command(body: Mapping[str, Any], request_id: str) -> Typed | None:
    """Read a slash command. It cannot come from outside the workspace, so the command's team is the user's."""
    user, team = _text(body, "user_id", _ID), _text(body, "team_id", _ID)
    channel, text = _text(body, "channel_id", _ID), body.get("text", "")
    if user is None or team is None or channel is None or not isinstance(text, str):
        return None
    name = _text(body, "user_name") or user
    return Typed(Envelope(Account(team, user), name, channel, request_id, _response_url(body)), text, trigger_of(body))


@dataclass(frozen=True, slots=True)
class FilledView:
    """A submitted modal: who sent it, what it carried, and what was typed. Unproved but for `who`."""

    who: Envelope
    metadata: str
    values: Mapping[str, Any]


def read_filled(body: Mapping[str, Any], request_id: str) -> FilledView | None:
    """Read the submission of a form."""
    view = _object(body, "view")
    who = read_envelope(body, request_id, "")
    return (
        FilledView(who, _text(view, "private_metadata") or "", _object(_object(view, "state"), "values"))
        if who
        else None
    )


def message_of(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Tell in which channel and at which ts the message stands that a button was on; None where it was on none."""
    container = _object(body, "container")
    channel, ts = _text(container, "channel_id", _ID), _text(container, "message_ts", _TS)
    return (channel, ts) if container.get("type") == "message" and channel and ts else None


def read_envelope(body: Mapping[str, Any], request_id: str, channel: str = "") -> Envelope | None:
    """Read who acted; None where that cannot be told."""
    user = _object(body, "user")
    user_id, team_id = _text(user, "id", _ID), _text(user, "team_id", _ID)
    if user_id is None or team_id is None:
        return None
    name = _text(user, "name") or _text(user, "username") or user_id
    return Envelope(Account(team_id, user_id), name, channel, request_id, _response_url(body))


def _response_url(body: Mapping[str, Any]) -> str | None:
    return _text(body, "response_url")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _text(value: Mapping[str, Any], name: str, form: re.Pattern[str] | None = None) -> str | None:
    inner = value.get(name)
    if not isinstance(inner, str) or not inner:
        return None
    return inner if form is None or form.fullmatch(inner) else None
