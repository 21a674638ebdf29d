"""The methods conversations.*: what a channel is and what was said in it, only where the app is a member."""

from collections.abc import Callable
from typing import Final

from bot.slack_standin.arguments import Asked, Kind
from bot.slack_standin.conversations import Message
from bot.slack_standin.methods import Method, joined_channel, scope_for, visible_channel
from bot.slack_standin.profiles import channel_json
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.world import World

MAX_PAGE: Final = 999
DEFAULT_PAGE: Final = 100
_READ: Final = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY: Final = ("channels:history", "groups:history", "im:history", "mpim:history")
_RANGE: Final[dict[str, Kind]] = {
    "channel": "text",
    "oldest": "text",
    "latest": "text",
    "inclusive": "flag",
    "limit": "number",
    "cursor": "text",
    "include_all_metadata": "flag",
}


def _info(world: World, asked: Asked) -> Json:
    channel = visible_channel(world, asked.text("channel"))
    asked.need(scope_for(channel, "read"))
    shown = channel_json(channel, world.workspace, with_count=asked.flag("include_num_members"))
    return {"ok": True, "channel": shown}


def _open(world: World, asked: Asked) -> Json:
    if asked.text("channel"):
        channel = visible_channel(world, asked.text("channel"))
        if not channel.is_im:
            raise SlackRefusal("method_not_supported_for_channel_type")
    else:
        channel = world.workspace.direct(_partner(world, asked))
    shown = channel_json(channel, world.workspace) if asked.flag("return_im") else {"id": channel.id}
    return {"ok": True, "channel": shown}


def _partner(world: World, asked: Asked) -> str:
    names = [name.strip() for name in asked.text("users").split(",") if name.strip()]
    if not names:
        raise SlackRefusal("not_enough_users")
    if len(names) > 1:
        raise SlackRefusal("not_modelled_by_standin", argument="users")
    user = world.workspace.users.get(names[0])
    if user is None:
        raise SlackRefusal("user_not_found")
    if user.deleted:
        raise SlackRefusal("user_disabled")
    return user.id


def _stamp(asked: Asked, name: str, default: float) -> float:
    try:
        return float(asked.text(name) or default)
    except ValueError:
        raise SlackRefusal(f"invalid_ts_{name}") from None


def _page(world: World, asked: Asked, wanted: Callable[[Message], bool], *, newest_first: bool) -> Json:
    channel = joined_channel(world, asked.text("channel"))
    asked.need(scope_for(channel, "history"))
    oldest, latest = _stamp(asked, "oldest", 0.0), _stamp(asked, "latest", float("inf"))
    visible_since = world.clock.now() - world.options.history_lag_s

    def within(message: Message) -> bool:
        at = float(message.ts)
        return oldest <= at <= latest if asked.flag("inclusive") else oldest < at < latest

    found = [
        message
        for message in world.conversations.all()
        if message.channel == channel.id and message.posted <= visible_since and wanted(message) and within(message)
    ]
    return _cut(world, asked, found[::-1] if newest_first else found)


def _cut(world: World, asked: Asked, found: list[Message]) -> Json:
    limit, start = asked.number("limit", DEFAULT_PAGE), asked.text("cursor") or "0"
    if not 1 <= limit <= MAX_PAGE:
        raise SlackRefusal("invalid_limit")
    if not start.isascii() or not start.isdigit():
        raise SlackRefusal("invalid_cursor")
    end = int(start) + limit
    more = end < len(found)
    shown = [message.for_api(world.workspace.id) for message in found[int(start) : end]]
    if not asked.flag("include_all_metadata"):
        for message in shown:
            if "metadata" in message:
                del message["metadata"]["event_payload"]
    cursor = {"next_cursor": str(end) if more else ""}
    return {"ok": True, "messages": shown, "has_more": more, "response_metadata": cursor}


def _history(world: World, asked: Asked) -> Json:
    return _page(world, asked, lambda message: message.thread_ts is None, newest_first=True)


def _replies(world: World, asked: Asked) -> Json:
    ts = asked.text("ts")
    parent = world.conversations.find(asked.text("channel"), ts)
    answer = _page(world, asked, lambda message: ts in (message.ts, message.thread_ts), newest_first=False)
    if parent is None or parent.deleted:
        raise SlackRefusal("thread_not_found")
    return answer


METHODS: Final = {
    "conversations.info": Method(
        _info,
        "3",
        {"channel": "text", "include_num_members": "flag", "include_locale": "flag"},
        required=("channel",),
        scopes=_READ,
    ),
    "conversations.open": Method(
        _open,
        "3",
        {"users": "text", "channel": "text", "return_im": "flag", "prevent_creation": "flag"},
        scopes=("im:write",),
    ),
    "conversations.history": Method(_history, "3", _RANGE, required=("channel",), scopes=_HISTORY),
    "conversations.replies": Method(
        _replies, "3", {**_RANGE, "ts": "text"}, required=("channel", "ts"), scopes=_HISTORY
    ),
}
