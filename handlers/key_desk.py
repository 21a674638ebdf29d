"""What the edges may ask for about an agent's new key. The edges own this interface; `bot.desk` provides it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from approval_rules.refusals import Refusal
from handlers.desk import Envelope, Face


@dataclass(frozen=True, slots=True)
class KeyLink:
    """Where the agent's owner makes the new key, once, until `ends_at`."""

    url: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class KeysEnded:
    """Every key of this agent is dead. `link` is for its owner alone; `owner` is whoever else has been sent one.

    Without both nobody's browser reaches this server.
    """

    agent: str
    link: KeyLink | None = None
    owner: Face | None = None


@dataclass(frozen=True, slots=True)
class KeyAsked:
    """What a link is for. Names are as people wrote them."""

    agent: str
    face: Face
    ends_at: datetime
    paused: bool


@dataclass(frozen=True, slots=True)
class KeyMade:
    """The new key and callback secret, for the page that shows them this once."""

    agent: str
    key: str = field(repr=False)
    callback_secret: str = field(repr=False)
    paused: bool


@dataclass(frozen=True, slots=True)
class KeysStory:
    """That the keys of an agent were ended, and what came after; for the message to its owner.

    `seq` is the log index of the end. `pages`: whether a browser reaches this server.
    """

    agent: str
    agent_id: str
    seq: int
    by: Face | None
    pages: bool
    after: Literal["made", "ended", "revoked"] | None = None
    after_by: Face | None = None
    after_at: datetime | None = None


class KeyDesk(Protocol):
    """The new key, for people in Slack."""

    async def new_key_link(self, who: Envelope, unverified_agent: str, unverified_seq: int) -> KeyLink | Refusal:
        """Give the agent's owner a link to where a new key is made; a refusal is recorded."""


class KeyPages(Protocol):
    """The new key, for browsers."""

    async def key_asked(self, unverified_name: str) -> KeyAsked | Refusal:
        """Tell what a link is for. It changes nothing."""

    async def make_key(self, unverified_name: str) -> KeyMade | Refusal:
        """Make the key, once; a second time is refused, and recorded."""
