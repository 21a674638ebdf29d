"""The people, groups and channels of one made-up workspace: who is who and where, never who may do what."""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bot.slack_standin.refusal import Json

Kind = Literal["member", "guest", "deactivated", "outside", "bot"]

TEAM: Final = "T0FOUREYES"
OTHER_TEAM: Final = "T0ELSEWHERE"
ENTERPRISE: Final = "E0EXAMPLE01"
APP: Final = "A0FOUREYES"
BOT_USER: Final = "U0FOUREYES"
BOT: Final = "B0FOUREYES"

MAYA: Final = "U0MAYACHEN1"
JONAS: Final = "U0JONASWEB1"
PRIYA: Final = "U0PRIYANAI1"
SAM: Final = "U0SAMOKAFO1"
LENA: Final = "U0LENAFISC1"
OUTSIDER: Final = "U0OUTSIDER1"
FORMER: Final = "U0FORMERLY1"
VISITOR: Final = "U0VISITOR01"

SUPPORT_MANAGERS: Final = "S0SUPPORTMG"

REFUND_APPROVALS: Final = "C0REFUNDS01"
AGENT_OPS: Final = "C0AGENTOPS1"
PRIVATE: Final = "C0PRIVATE01"
UNJOINED: Final = "C0UNJOINED1"
ARCHIVED: Final = "C0ARCHIVED1"
SHARED: Final = "C0SHAREDEXT"


@dataclass(frozen=True, slots=True)
class User:
    """One account, with the flags that users.info shows."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "9f69e7"
    team_id: str = TEAM
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    is_stranger: bool = False
    is_admin: bool = False
    email: str | None = None
    identity: str | None = None

    @property
    def address(self) -> str:
        """The account's e-mail address."""
        return f"{self.name}@example.com" if self.email is None else self.email

    @property
    def kind(self) -> Kind:
        """What sort of account this is, the most disqualifying trait first."""
        if self.is_bot:
            return "bot"
        if self.deleted:
            return "deactivated"
        if self.team_id != TEAM:
            return "outside"
        return "guest" if self.is_restricted or self.is_ultra_restricted else "member"

    def for_page(self) -> Json:
        """Return the account as the demo page shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "real_name": self.real_name,
            "title": self.title,
            "kind": self.kind,
            "color": f"#{self.color}",
        }


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group with its handle."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]
    disabled: bool = False


@dataclass(slots=True)
class Channel:
    """A channel or a direct conversation, and who is in it."""

    id: str
    name: str
    members: set[str]
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_im: bool = False


@dataclass(slots=True)
class Workspace:
    """Everybody and every channel; tests may change any of it while the stand-in runs."""

    users: dict[str, User]
    groups: dict[str, UserGroup]
    channels: dict[str, Channel]
    id: str = TEAM
    name: str = "Foureyes Demo"
    domain: str = "foureyes-demo"
    app_id: str = APP
    app_name: str = "Foureyes"
    bot_user: str = BOT_USER
    bot_id: str = BOT
    _directs: dict[str, str] = field(default_factory=dict)

    def add_user(self, user: User, *channels: str) -> None:
        """Add or replace an account and let it join some channels."""
        self.users[user.id] = user
        for channel in channels:
            self.channels[channel].members.add(user.id)

    def change_user(self, user_id: str, **changes: str | bool) -> User:
        """Change an account's flags, for example `deleted=True`."""
        user = replace(self.users[user_id], **changes)  # type: ignore[arg-type]
        self.users[user_id] = user
        return user

    def change_group(self, group_id: str, *users: str) -> None:
        """Say who is in a user group."""
        self.groups[group_id] = replace(self.groups[group_id], users=users)

    def direct(self, user_id: str) -> Channel:
        """Return the conversation between the app and one person, opening it if need be."""
        channel_id = self._directs.setdefault(user_id, "D" + user_id[1:])
        if channel_id not in self.channels:
            people = {user_id, self.bot_user}
            self.channels[channel_id] = Channel(channel_id, "directmessage", people, is_private=True, is_im=True)
        return self.channels[channel_id]

    def sees(self, user: User, channel: Channel) -> bool:
        """Whether an account can open a channel: members in any public one, others only where they were added."""
        return user.id in channel.members or (user.kind == "member" and not channel.is_private)


def _people() -> list[User]:
    return [
        User(MAYA, "maya", "Maya Chen", "Support manager", "4bbe2e"),
        User(JONAS, "jonas", "Jonas Weber", "Support manager", "e7392d"),
        User(PRIYA, "priya", "Priya Nair", "Support manager", "3c989f"),
        User(SAM, "sam", "Sam Okafor", "On-call engineer", "674b1b", is_admin=True),
        User(LENA, "lena", "Lena Fischer", "Guest, agency", "e96699", is_restricted=True),
        User(OUTSIDER, "alex", "Alex Moreau", "Another company", "5a4592", team_id=OTHER_TEAM),
        User(FORMER, "tom", "Tom Ellis", "Left the company", "99a949", deleted=True),
        User(BOT_USER, "foureyes", "Foureyes", "App", "2b6cb0", is_bot=True),
    ]


def demo_workspace() -> Workspace:
    """Return the workspace of the demo: five people to act as, an outsider, a leaver, the app, and two channels."""
    inside = {MAYA, JONAS, PRIYA, SAM, LENA, BOT_USER}
    group = UserGroup(SUPPORT_MANAGERS, "support-managers", "Support managers", (PRIYA,))
    channels = [
        Channel(REFUND_APPROVALS, "refund-approvals", set(inside)),
        Channel(AGENT_OPS, "agent-ops", inside - {LENA}),
    ]
    return Workspace(
        users={user.id: user for user in _people()},
        groups={group.id: group},
        channels={channel.id: channel for channel in channels},
    )


def awkward_workspace() -> Workspace:
    """Return the demo's workspace with the corners that tests need: private, unjoined, archived and shared channels."""
    workspace = demo_workspace()
    for channel in (
        Channel(PRIVATE, "finance", {MAYA}, is_private=True),
        Channel(UNJOINED, "random", {MAYA, JONAS}),
        Channel(ARCHIVED, "old-approvals", {MAYA, BOT_USER}, is_archived=True),
        Channel(SHARED, "vendor-bridge", {MAYA, SAM, OUTSIDER, BOT_USER}, is_ext_shared=True),
    ):
        workspace.channels[channel.id] = channel
    workspace.add_user(User(VISITOR, "vic", "Vic Tran", "One channel only", is_ultra_restricted=True), REFUND_APPROVALS)
    return workspace
