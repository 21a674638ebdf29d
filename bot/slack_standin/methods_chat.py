"""The methods chat.*: posting, changing and deleting the app's own messages, with Slack's limits and surprises."""

import json
import re
from typing import Final

from bot.slack_standin.arguments import Asked, Kind
from bot.slack_standin.blocks import accept
from bot.slack_standin.conversations import Content, Message
from bot.slack_standin.methods import Method, TooSoon, joined_channel, visible_channel
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.workspace import Channel
from bot.slack_standin.world import World

MAX_TEXT: Final = 40_000
MAX_UPDATE_TEXT: Final = 4_000
# Slack names metadata_too_large without a figure; this one is ours, on the strict side.
MAX_METADATA_BYTES: Final = 8_000
EVENT_TYPE: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_NOT_MODELLED: Final = ("attachments", "markdown_text", "file_ids")
_WRITES: Final[dict[str, Kind]] = {
    "channel": "text",
    "text": "text",
    "blocks": "json",
    "attachments": "json",
    "markdown_text": "text",
    "mrkdwn": "flag",
    "parse": "text",
    "link_names": "flag",
    "metadata": "json",
}
_LOOKS: Final[dict[str, Kind]] = {
    "thread_ts": "text",
    "unfurl_links": "flag",
    "unfurl_media": "flag",
    "username": "text",
    "icon_emoji": "text",
    "icon_url": "text",
    "reply_broadcast": "flag",
}


def content_of(world: World, asked: Asked) -> Content:
    """Return what a message is to say; refuse an empty one, bad blocks, and what this stand-in does not draw."""
    for name in _NOT_MODELLED:
        if asked.args.get(name):
            raise SlackRefusal("not_modelled_by_standin", argument=name)
    blocks = accept(asked.args["blocks"], "message", world.ids) if asked.args.get("blocks") else []
    if not blocks and not asked.text("text"):
        raise SlackRefusal("no_text")
    return Content(
        text=asked.text("text")[:MAX_TEXT],
        blocks=blocks,
        mrkdwn=asked.flag("mrkdwn", default=True),
        link_names=asked.flag("link_names") or asked.text("parse") == "full",
    )


def metadata_of(asked: Asked) -> Json | None:
    """Return a message's metadata, None for none; refuse any other shape than {event_type, event_payload}."""
    metadata = asked.args.get("metadata")
    if not metadata:
        return None
    if not isinstance(metadata, dict):
        raise SlackRefusal("invalid_metadata_format")
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    known = set(metadata) == {"event_type", "event_payload"}
    if not known or not isinstance(payload, dict) or not EVENT_TYPE.fullmatch(str(event_type or "")):
        raise SlackRefusal("invalid_metadata_schema")
    if len(json.dumps(payload)) > MAX_METADATA_BYTES:
        raise SlackRefusal("metadata_too_large")
    return metadata


def thread_of(world: World, asked: Asked, channel: Channel) -> str | None:
    """Return the thread to post into; refuse a parent that is not there, and a reply as parent."""
    ts = asked.text("thread_ts")
    if not ts:
        return None
    parent = world.conversations.find(channel.id, ts)
    if parent is None or parent.deleted or parent.thread_ts not in (None, ts):
        raise SlackRefusal("cannot_reply_to_message")
    return ts


def _target(world: World, asked: Asked) -> Channel:
    name = asked.text("channel")
    if name in world.workspace.users:
        if world.workspace.users[name].kind in ("deactivated", "bot"):
            raise SlackRefusal("channel_not_found")
        return world.workspace.direct(name)
    channel = visible_channel(world, name)
    if world.workspace.bot_user not in channel.members and "chat:write.public" not in asked.scopes:
        raise SlackRefusal("not_in_channel")
    if channel.is_archived:
        raise SlackRefusal("is_archived")
    return channel


def _post_message(world: World, asked: Asked) -> Json:
    channel = _target(world, asked)
    if asked.text("username") or asked.text("icon_emoji") or asked.text("icon_url"):
        asked.need("chat:write.customize")
    if wait := world.rates.post(channel.id):
        raise TooSoon(wait)
    content, metadata = content_of(world, asked), metadata_of(asked)
    thread_ts = thread_of(world, asked, channel)
    message = world.conversations.post(channel.id, content, thread_ts=thread_ts, metadata=metadata)
    answer: Json = {"ok": True, "channel": channel.id, "ts": message.ts, "message": message.for_api(world.workspace.id)}
    if len(asked.text("text")) > MAX_TEXT:
        answer["response_metadata"] = {"warnings": ["message_truncated"]}
    return answer


def _own(world: World, asked: Asked, ts: str, error: str) -> Message:
    channel = visible_channel(world, asked.text("channel"))
    message = world.conversations.find(channel.id, ts)
    if message is None or message.deleted:
        raise SlackRefusal("message_not_found")
    if message.app_id != world.workspace.app_id:
        raise SlackRefusal(error)
    if channel.is_archived:
        raise SlackRefusal("is_inactive")
    return message


def _update(world: World, asked: Asked) -> Json:
    message = _own(world, asked, asked.text("ts"), "cant_update_message")
    if len(asked.text("text")) > MAX_UPDATE_TEXT:
        raise SlackRefusal("msg_too_long")
    gives_metadata = "metadata" in asked.args
    metadata = metadata_of(asked)
    content = message.content
    if asked.text("text") or asked.args.get("blocks") or not gives_metadata:
        content = content_of(world, asked)
    if gives_metadata:
        message.metadata = metadata
    world.conversations.update(message, content, silently=bool(asked.args.get("blocks")))
    shown = message.for_api(world.workspace.id)
    return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def _post_ephemeral(world: World, asked: Asked) -> Json:
    channel = joined_channel(world, asked.text("channel"))
    if channel.is_archived:
        raise SlackRefusal("is_archived")
    if asked.text("user") not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    if len(asked.text("text")) > MAX_TEXT:
        raise SlackRefusal("msg_too_long")
    thread_ts = thread_of(world, asked, channel)
    ephemeral = world.conversations.whisper(asked.text("user"), channel.id, content_of(world, asked), thread_ts)
    return {"ok": True, "message_ts": ephemeral.ts}


def _delete(world: World, asked: Asked) -> Json:
    message = _own(world, asked, asked.text("ts"), "cant_delete_message")
    world.conversations.delete(message)
    return {"ok": True, "channel": message.channel, "ts": message.ts}


def _permalink(world: World, asked: Asked) -> Json:
    channel = visible_channel(world, asked.text("channel"))
    message = world.conversations.find(channel.id, asked.text("message_ts"))
    if message is None or message.deleted:
        raise SlackRefusal("message_not_found")
    link = f"https://{world.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}


METHODS: Final = {
    "chat.postMessage": Method(
        _post_message, "special", {**_WRITES, **_LOOKS}, required=("channel",), scopes=("chat:write",)
    ),
    "chat.update": Method(
        _update,
        "3",
        {**_WRITES, "ts": "text", "reply_broadcast": "flag", "file_ids": "json"},
        required=("channel", "ts"),
        scopes=("chat:write",),
    ),
    "chat.postEphemeral": Method(
        _post_ephemeral,
        "4",
        {**{name: kind for name, kind in {**_WRITES, **_LOOKS}.items() if name != "metadata"}, "user": "text"},
        required=("channel", "user"),
        scopes=("chat:write",),
    ),
    "chat.delete": Method(
        _delete, "3", {"channel": "text", "ts": "text"}, required=("channel", "ts"), scopes=("chat:write",)
    ),
    "chat.getPermalink": Method(
        _permalink, "special", {"channel": "text", "message_ts": "text"}, required=("channel", "message_ts")
    ),
}
