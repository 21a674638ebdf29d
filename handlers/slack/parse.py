"""Reads Slack's verified payloads strictly; None for whatever lacks something that it needs. It decides nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from approval_rules.events import Decision
from approval_rules.people import Account
from approval_rules.text import AgentText
from handlers.desk import Click, Envelope
from handlers.slack.ids import REASON, Target, read_page, read_place, read_value

_ID: Final = re.compile(r"[A-Z][A-Z0-9]{1,30}")
_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one of our buttons. `ts` is empty where the button was not on a message."""

    who: Envelope
    action_id: str
    target: Target
    ts: str

    def click(self, decision: Decision) -> Click:
        """Make the vote that the press asks for."""
        return Click(self.who, self.target.proposal, self.target.digest, self.ts, decision)


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


def read_turn(body: Mapping[str, Any], request_id: str) -> Turn | None:
    """Read a press of a page button in Details."""
    view = _object(body, "view")
    at = read_page(view.get("private_metadata"))
    who = read_envelope(body, request_id, "")
    view_id, view_hash = _text(view, "id"), _text(view, "hash")
    return Turn(who, *at, view_id, view_hash) if who and at and view_id and view_hash else None


def read_denial(body: Mapping[str, Any], request_id: str) -> Click | None:
    """Read the modal that asks for the reason of a denial; an empty reason is read as an empty one."""
    view = _object(body, "view")
    place = read_place(view.get("private_metadata"))
    if place is None:
        return None
    who = read_envelope(body, request_id, place.channel)
    if who is None:
        return None
    typed = _object(_object(_object(_object(view, "state"), "values"), REASON), REASON).get("value")
    reason = AgentText(typed if isinstance(typed, str) else "")
    return Click(who, place.target.proposal, place.target.digest, place.ts, Decision.DENY, reason)


def read_command(body: Mapping[str, Any], request_id: str) -> Typed | None:
    """Read a slash command. It cannot come from outside the workspace, so the command's team is the user's."""
    user, team = _text(body, "user_id", _ID), _text(body, "team_id", _ID)
    channel, text = _text(body, "channel_id", _ID), body.get("text", "")
    if user is None or team is None or channel is None or not isinstance(text, str):
        return None
    name = _text(body, "user_name") or user
    return Typed(Envelope(Account(team, user), name, channel, request_id, _response_url(body)), text)


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
