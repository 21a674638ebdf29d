"""The messages and ephemerals of all channels, in every version ever shown; it judges no one's right to post."""

import copy
from dataclasses import dataclass, field

from bot.slack_standin import pings
from bot.slack_standin.clock import Clock, Ids
from bot.slack_standin.feed import Feed
from bot.slack_standin.refusal import Json
from bot.slack_standin.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: its text, its accepted blocks, and how its text is read."""

    text: str
    blocks: list[Json]
    mrkdwn: bool = True
    link_names: bool = False

    def pings(self) -> list[str]:
        """Return the mentions, broadcasts and links that Slack would make of it."""
        return pings.in_message(self.text, self.blocks, mrkdwn=self.mrkdwn, link_names=self.link_names)


@dataclass(slots=True)
class Message:
    """One message as everybody in the channel sees it."""

    channel: str
    ts: str
    user: str
    content: Content
    posted: float
    bot_id: str | None = None
    app_id: str | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    deleted: bool = False
    versions: list[Json] = field(default_factory=list)
    typed: dict[str, Json] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The top-level text: what notifications and screen readers use."""
        return self.content.text

    @property
    def blocks(self) -> list[Json]:
        """The blocks now shown."""
        return self.content.blocks

    @property
    def pings(self) -> list[str]:
        """The mentions, broadcasts and links that Slack makes of what is now shown."""
        return self.content.pings()

    def for_api(self, team: str) -> Json:
        """Return the message as the Web API and payloads show it."""
        shown: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts, "team": team}
        optional = {
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": copy.deepcopy(self.blocks) or None,
            "thread_ts": self.thread_ts,
            "metadata": copy.deepcopy(self.metadata),
            "edited": self.edited,
        }
        return shown | {name: value for name, value in optional.items() if value is not None}

    def for_page(self) -> Json:
        """Return the message as the demo page draws it."""
        shown: Json = {
            "channel": self.channel,
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "edited": self.edited is not None,
            "deleted": self.deleted,
        }
        optional = {"thread_ts": self.thread_ts, "bot_id": self.bot_id}
        return shown | {name: value for name, value in optional.items() if value is not None}


@dataclass(slots=True)
class Ephemeral:
    """A message that one person sees, until a reload or its deletion."""

    id: str
    user: str
    channel: str
    ts: str
    content: Content
    thread_ts: str | None = None
    gone: bool = False
    typed: dict[str, Json] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The top-level text."""
        return self.content.text

    @property
    def blocks(self) -> list[Json]:
        """The blocks now shown."""
        return self.content.blocks

    @property
    def pings(self) -> list[str]:
        """The mentions, broadcasts and links that Slack makes of what is now shown."""
        return self.content.pings()

    def for_page(self) -> Json:
        """Return the ephemeral as the demo page draws it."""
        shown = {"id": self.id, "user": self.user, "channel": self.channel, "ts": self.ts}
        return shown | {"text": self.text, "blocks": self.blocks}


class Conversations:
    """Everything that was ever said."""

    def __init__(self, workspace: Workspace, clock: Clock, ids: Ids, feed: Feed) -> None:
        self._workspace = workspace
        self._clock = clock
        self._ids = ids
        self._feed = feed
        self._messages: dict[tuple[str, str], Message] = {}
        self.ephemerals: dict[str, Ephemeral] = {}

    def all(self) -> list[Message]:
        """Return every message that is not deleted, oldest first."""
        return [message for message in self._messages.values() if not message.deleted]

    def posted_by_app(self, channel: str) -> list[Message]:
        """Return every message that the app ever posted in a channel, deleted ones too."""
        return [message for message in self._messages.values() if message.channel == channel and message.app_id]

    def find(self, channel: str, ts: str) -> Message | None:
        """Return a message, deleted or not."""
        return self._messages.get((channel, ts))

    def post(
        self,
        channel: str,
        content: Content,
        *,
        user: str | None = None,
        thread_ts: str | None = None,
        metadata: Json | None = None,
    ) -> Message:
        """Store a message; without a user it is the app's."""
        workspace = self._workspace
        app = user is None
        message = Message(
            channel=channel,
            ts=self._clock.ts(),
            user=user or workspace.bot_user,
            content=content,
            posted=self._clock.now(),
            bot_id=workspace.bot_id if app else None,
            app_id=workspace.app_id if app else None,
            thread_ts=thread_ts,
            metadata=metadata,
        )
        self._messages[channel, message.ts] = message
        message.versions.append(message.for_api(workspace.id))
        self._feed.publish("message", message.for_page())
        return message

    def update(self, message: Message, content: Content, *, silently: bool) -> None:
        """Change what a message says; silently means without "(edited)", as Slack does where blocks are given."""
        message.content = content
        if not silently:
            message.edited = {"user": message.user, "ts": self._clock.ts()}
        message.versions.append(message.for_api(self._workspace.id))
        self._feed.publish("message_changed", message.for_page())

    def delete(self, message: Message) -> None:
        """Take a message away."""
        message.deleted = True
        self._feed.publish("message_deleted", message.for_page())

    def whisper(self, user: str, channel: str, content: Content, thread_ts: str | None = None) -> Ephemeral:
        """Show something to one person."""
        name = self._ids.typed("E")
        ephemeral = Ephemeral(name, user, channel, self._clock.ts(), content, thread_ts)
        self.ephemerals[name] = ephemeral
        self._feed.publish("ephemeral", ephemeral.for_page())
        return ephemeral

    def rewrite(self, ephemeral: Ephemeral, content: Content) -> None:
        """Change what one person sees; the page replaces it by its id."""
        ephemeral.content = content
        self._feed.publish("ephemeral", ephemeral.for_page())

    def dismiss(self, ephemeral: Ephemeral) -> None:
        """Take an ephemeral away."""
        ephemeral.gone = True
        self._feed.publish("ephemeral_deleted", ephemeral.for_page())
