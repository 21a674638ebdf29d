"""Everything that the local Slack knows: made once per server, shared by the Web API, the page and the driver."""

from dataclasses import dataclass, field
from typing import Final

from bot.slack_standin.clock import Clock, Ids
from bot.slack_standin.conversations import Conversations
from bot.slack_standin.faults import Faults
from bot.slack_standin.feed import Feed
from bot.slack_standin.limits import RateGate, Rates
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.triggers import Entitlements
from bot.slack_standin.uploads import Uploads
from bot.slack_standin.views import ViewStacks
from bot.slack_standin.workspace import Workspace

DEFAULT_SCOPES: Final = frozenset(
    {
        "commands",
        "chat:write",
        "users:read",
        "users:read.email",
        "usergroups:read",
        "im:write",
        "channels:read",
        "groups:read",
        "im:read",
        "channels:history",
        "groups:history",
        "im:history",
        "files:write",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a stand-in is started with."""

    scopes: frozenset[str] = DEFAULT_SCOPES
    rates: Rates = field(default_factory=Rates)
    strict: bool = True
    history_lag_s: float = 0.0
    patience_s: float = 3.0
    commands: tuple[str, ...] = ("/agent",)


@dataclass(slots=True)
class Call:
    """One call of the Web API: what was asked, when, and how it ended ("ok", an error name, or what broke it)."""

    method: str
    args: Json
    at: float
    outcome: str = "under way"


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that Slack itself told one person, because the app did not answer well."""

    user: str
    text: str


class World:
    """The state of the local Slack."""

    def __init__(self, workspace: Workspace, options: Options, bot_token: str, clock: Clock) -> None:
        self.workspace = workspace
        self.options = options
        self.bot_token = bot_token
        self.clock = clock
        self.ids = Ids(repr(clock.wall()))
        self.feed = Feed()
        self.conversations = Conversations(workspace, clock, self.ids, self.feed)
        self.views = ViewStacks(workspace, self.ids, self.feed)
        self.entitlements = Entitlements(clock, self.ids)
        self.rates = RateGate(options.rates, clock.now)
        self.faults = Faults()
        self.uploads = Uploads()
        self.tokens: dict[str, set[str]] = {bot_token: set(options.scopes)}
        self.calls: list[Call] = []
        self.warnings: list[Warned] = []
        self.base_url = ""

    def warn(self, user: str, text: str) -> str:
        """Show Slack's own warning to one person."""
        self.warnings.append(Warned(user, text))
        self.feed.publish("warning", {"user": user, "text": text})
        return text

    def scopes_of(self, token: str | None) -> set[str]:
        """Return what a token may do; refuse a missing and an unknown one."""
        if not token:
            raise SlackRefusal("not_authed")
        if token not in self.tokens:
            raise SlackRefusal("invalid_auth")
        return self.tokens[token]
