"""What a Web API method is: tier, scopes, arguments, and the function that answers; no method lives here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.slack_standin.arguments import Asked, Kind
from bot.slack_standin.limits import Tier
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.workspace import Channel
from bot.slack_standin.world import World

Answer = Callable[[World, Asked], Json]


class TooSoon(Exception):  # noqa: N818 - an answer, not an error of the stand-in
    """The answer is HTTP 429, and says how long to wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API."""

    answer: Answer
    tier: Tier
    args: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    scopes: tuple[str, ...] = field(default=())
    needs_token: bool = True


def scope_for(channel: Channel, verb: str) -> str:
    """Return the scope that a verb (read, history) needs on one kind of channel."""
    if channel.is_im:
        return f"im:{verb}"
    return f"groups:{verb}" if channel.is_private else f"channels:{verb}"


def visible_channel(world: World, channel_id: str) -> Channel:
    """Return a channel that the app knows of; a private one that it is not in does not exist for it."""
    channel = world.workspace.channels.get(channel_id)
    if channel is None or (channel.is_private and world.workspace.bot_user not in channel.members):
        raise SlackRefusal("channel_not_found")
    return channel


def joined_channel(world: World, channel_id: str) -> Channel:
    """Return a channel that the app is a member of."""
    channel = visible_channel(world, channel_id)
    if world.workspace.bot_user not in channel.members:
        raise SlackRefusal("not_in_channel")
    return channel
