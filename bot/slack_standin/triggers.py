"""What an interaction entitles an app to: one modal within three seconds, five answers within half an hour, no more."""

from dataclasses import dataclass, field
from typing import Final

from bot.slack_standin.clock import Clock, Ids
from bot.slack_standin.refusal import SlackRefusal

TRIGGER_LIFE_S: Final = 3.0
RESPONSE_LIFE_S: Final = 30 * 60.0
RESPONSE_USES: Final = 5


@dataclass(slots=True)
class Trigger:
    """A trigger_id: who caused it, and in which view if in one."""

    user: str
    view_id: str | None
    issued: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A response_url: where its answers go and what it may replace."""

    user: str
    channel: str
    issued: float = 0.0
    message_ts: str | None = None
    ephemeral_id: str | None = None
    thread_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class Entitlements:
    """All trigger ids and response urls that were ever given out."""

    clock: Clock
    ids: Ids
    triggers: dict[str, Trigger] = field(default_factory=dict)
    urls: dict[str, ResponseUrl] = field(default_factory=dict)

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """Give out a trigger_id."""
        name = self.ids.trigger(self.clock.wall())
        self.triggers[name] = Trigger(user, view_id, self.clock.now())
        return name

    def check(self, name: str) -> Trigger:
        """Return a trigger that may still be exchanged; the caller marks it as used when the modal is open."""
        trigger = self.triggers.get(name)
        if trigger is None:
            raise SlackRefusal("invalid_trigger_id")
        if trigger.used:
            raise SlackRefusal("exchanged_trigger_id")
        if self.clock.now() - trigger.issued > TRIGGER_LIFE_S:
            raise SlackRefusal("expired_trigger_id")
        return trigger

    def url(self, url: ResponseUrl) -> str:
        """Give out the opaque end of a response_url."""
        name = self.ids.opaque()
        url.issued = self.clock.now()
        self.urls[name] = url
        return name

    def use(self, name: str) -> ResponseUrl:
        """Count one use of a response_url and return it."""
        url = self.urls.get(name)
        if url is None:
            raise SlackRefusal("invalid_url")
        if self.clock.now() - url.issued > RESPONSE_LIFE_S:
            raise SlackRefusal("expired_url")
        if url.uses >= RESPONSE_USES:
            raise SlackRefusal("used_url")
        url.uses += 1
        return url
