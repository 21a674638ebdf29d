"""The JSON and forms that Slack sends, field by field as in its samples; pure: it looks nothing up."""

import json
from typing import Any, Final
from urllib.parse import urlencode

from bot.slack_standin.conversations import Ephemeral, Message
from bot.slack_standin.refusal import Json
from bot.slack_standin.typed_values import state_of
from bot.slack_standin.views import OpenView
from bot.slack_standin.workspace import Channel, User, Workspace

# Deprecated by Slack and ignored by everybody; it is in every payload, and must never be what an app trusts.
LEGACY_TOKEN: Final = "legacy-verification-token"  # noqa: S105


def base(kind: str, workspace: Workspace, user: User) -> Json:
    """Return what all interaction payloads have in common."""
    return {
        "type": kind,
        "team": {"id": workspace.id, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": workspace.app_id,
        "token": LEGACY_TOKEN,
    }


def action(block: Json, element: Json, chosen: Json, ts: str) -> Json:
    """Return one entry of `actions`."""
    copied = ("text", "value", "style", "url", "confirm", "placeholder", "initial_value")
    shown: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    return shown | {name: element[name] for name in copied if name in element} | chosen | {"action_ts": ts}


def in_message(shown: Json, channel: Channel, message: Message) -> Json:
    """Return the fields of a block action in a message; `shown` is the version of it that the person saw."""
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": False}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "message": shown,
    }


def in_ephemeral(channel: Channel, ephemeral: Ephemeral, user: User) -> Json:
    """Return the fields of a block action in an ephemeral: there is no message, and the text does not come back."""
    container = {"type": "message", "message_ts": ephemeral.ts, "channel_id": channel.id, "is_ephemeral": True}
    return {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "state": state_of(ephemeral.blocks, ephemeral.typed.get(user.id, {})),
    }


def in_view(view: OpenView, workspace: Workspace) -> Json:
    """Return the fields of a block action in a modal or home tab."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.as_json(workspace)}


def command(workspace: Workspace, user: User, channel: Channel, name: str, text: str) -> dict[str, str]:
    """Return a slash command's form without its trigger_id and response_url."""
    return {
        "token": LEGACY_TOKEN,
        "api_app_id": workspace.app_id,
        "team_id": workspace.id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "is_enterprise_install": "false",
    }


def event(workspace: Workspace, inner: Json, event_id: str, at: float) -> Json:
    """Return the Events API's wrapper around an event."""
    authorization: dict[str, Any] = {
        "enterprise_id": None,
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": LEGACY_TOKEN,
        "team_id": workspace.id,
        "context_team_id": workspace.id,
        "context_enterprise_id": None,
        "api_app_id": workspace.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def as_form(payload: Json) -> bytes:
    """Return an interaction as Slack posts it: one form field named payload."""
    return urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()
