"""Slack's people and groups: who somebody is and which roles they hold, at most a minute old.

Asked before a transaction, never inside one. Whatever goes wrong here is never a yes: it is a flaw.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from approval_rules.people import Account, Flaw, RoleName
from approval_rules.policy import RoleMembers
from bot.clock import Clock
from bot.fresh import FreshAnswers
from bot.person_marks import Marking, unmarked
from bot.slack_calls import DOWN_FOR, SlackCalls, SlackUnavailableError, unexpected
from bot.slack_profile import Home, Profile, flaw_of, profile_of

FRESH_FOR: Final = timedelta(seconds=60)
_UNKNOWN_FOR: Final = timedelta(seconds=10)
_LOOK_UP_SECONDS: Final = 1.2
"""MUST be well below what an edge waits for the desk: else whoever clicks hears of no refusal, and none is recorded."""
_ROLE_SECONDS: Final = 1.0
_GROUP_SECONDS: Final = 2.0
_WARM_AT_ONCE: Final = 4
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,31}")
_NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_NO_SUCH_GROUP: Final = frozenset({"no_such_subteam", "plan_upgrade_required"})


@dataclass(frozen=True, slots=True)
class Member:
    """What the directory says about one account. `name` is hostile text; every fact here was true at `known_at`.

    `off_duty` are roles in which the account takes turns, and whose turn is another's. `time_zone` is Slack's word.
    `full_member` is true for a flawless account even where the flaw is that no user group could be read: enough to
    stop things, never to approve them. Another account with one of the `marks` is the same person's.
    """

    name: str
    flaw: Flaw | None
    roles: frozenset[RoleName]
    known_at: datetime
    full_member: bool
    marks: frozenset[str] = frozenset()
    off_duty: frozenset[RoleName] = frozenset()
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class HomeWorkspace:
    """The workspace that the bot token belongs to. `scopes` is empty where Slack did not list them."""

    team_id: str
    team_name: str
    bot_user_id: str
    bot_id: str
    scopes: frozenset[str]
    enterprise_id: str | None


class _RolesFound(NamedTuple):
    """The roles of an account, whether every group that mattered could be read, and since when that is known."""

    roles: frozenset[RoleName]
    off_duty: frozenset[RoleName]
    all_read: bool
    known_at: datetime


_Down: TypeAlias = SlackUnavailableError
_Roles: TypeAlias = Mapping[RoleName, RoleMembers]


class SlackDirectory:
    """Looks accounts up. An empty `home_team` is learnt from Slack; until then every account is flawed.

    `client` MUST have `retry_handlers=[]` (a click waits), and should have a session, so that connections are kept.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        home_team: str,
        enterprise_id: str | None,
        roles: Callable[[], _Roles],
        clock: Clock,
        marks: Marking = unmarked,
    ) -> None:
        if client.retry_handlers:
            raise ValueError("the directory's Slack client needs retry_handlers=[]: a click cannot wait for them")
        self._client = client
        self._home = Home(home_team, enterprise_id) if home_team else None
        self._roles = roles
        self._clock = clock
        self._marks = marks
        self._calls = SlackCalls(clock)
        self._users = FreshAnswers[str, Profile | Flaw](self._ask_user, clock)
        self._handles = FreshAnswers[None, Mapping[str, str] | _Down](self._ask_handles, clock)
        self._members = FreshAnswers[str, frozenset[str] | _Down](self._ask_members, clock)
        self._addresses = FreshAnswers[str, str | Flaw](self._ask_address, clock)
        self._homes = FreshAnswers[None, HomeWorkspace | _Down](self._ask_home, clock)

    async def look_up(self, account: Account) -> Member:
        """Tell who an account is, within 1.2 seconds; without an answer it is flawed, and nothing is raised."""
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                return await self._look_up(account)
        except (TimeoutError, SlackUnavailableError):
            return self._flawed(account, Flaw.DIRECTORY_DOWN)

    async def account_of(self, email: str) -> str | Flaw:
        """Give the user id of an address within two seconds; `UNKNOWN` where nobody has it, nothing is raised."""
        try:
            async with asyncio.timeout(_GROUP_SECONDS):
                return (await self._addresses.get(email)).value
        except TimeoutError:
            return Flaw.DIRECTORY_DOWN

    async def group_id(self, handle: str) -> str | None:
        """Give a user group's id by its handle; None where there is none, or Slack does not say in two seconds."""
        try:
            async with asyncio.timeout(_GROUP_SECONDS):
                handles = (await self._handles.get(None)).value
        except TimeoutError:
            return None
        return None if isinstance(handles, SlackUnavailableError) else handles.get(handle)

    async def members_of(self, role: RoleMembers) -> tuple[frozenset[str], bool]:
        """Give who fills a role now, and whether that is everybody: a group that Slack does not tell is left out."""
        if role.on_call is not None:
            return role.on_call.on_call(self._clock()), True
        if role.usergroup is None:
            return role.users, True
        group, _ = await self._group(role.usergroup.removeprefix("@"), _GROUP_SECONDS)
        return role.users | (group or frozenset()), group is not None

    async def warm(self, accounts: Iterable[Account]) -> None:
        """Ask for accounts that will soon be needed, a few at once."""
        gate = asyncio.Semaphore(_WARM_AT_ONCE)

        async def one(account: Account) -> None:
            async with gate:
                await self.look_up(account)

        await asyncio.gather(*map(one, dict.fromkeys(accounts)))

    async def home(self) -> HomeWorkspace:
        """Ask whose token this is, now; raises SlackUnavailableError with Slack's reason."""
        answer = await self._calls.make("auth.test", self._client.auth_test)
        scopes = answer.headers.get("x-oauth-scopes", "")
        return HomeWorkspace(
            team_id=_text(answer, "team_id"),
            team_name=_text(answer, "team"),
            bot_user_id=_text(answer, "user_id"),
            bot_id=_text(answer, "bot_id"),
            scopes=frozenset(filter(None, map(str.strip, scopes.split(",")))),
            enterprise_id=_text(answer, "enterprise_id") if answer.get("enterprise_id") else None,
        )

    async def app_of(self, bot_id: str) -> str:
        """Ask which app a bot belongs to, now; raises SlackUnavailableError with Slack's reason."""
        answer = await self._calls.make("bots.info", lambda: self._client.bots_info(bot=bot_id))
        return _text(answer.get("bot"), "app_id")

    async def _look_up(self, account: Account) -> Member:
        if not _USER_ID.fullmatch(account.user_id):
            return self._flawed(account, Flaw.UNKNOWN)
        home = self._home or await self._learn_home()
        user, has = await asyncio.gather(self._users.get(account.user_id), self._roles_of(account.user_id))
        known_at = min(user.known_at, has.known_at)
        if isinstance(user.value, Flaw):
            return Member(account.user_id, user.value, frozenset(), known_at, full_member=False)
        profile, flaw = user.value, flaw_of(user.value, account, home)
        marks = self._marks(profile.email, profile.identity)
        if flaw is not None:
            admitted = frozenset(self._admitted(profile, account, home, has.roles))
            flaw = None if admitted else flaw
            return Member(profile.name, flaw, admitted, known_at, full_member=False, marks=marks)
        unsure = Flaw.DIRECTORY_DOWN if not has.roles and not has.all_read else None
        return Member(
            profile.name,
            unsure,
            has.roles,
            known_at,
            full_member=True,
            marks=marks,
            off_duty=has.off_duty,
            time_zone=profile.time_zone,
        )

    def _admitted(
        self, profile: Profile, account: Account, home: Home, held: frozenset[RoleName]
    ) -> Iterator[RoleName]:
        """Give the roles that take this account with its flaw: guests where they admit them, others by name alone."""
        for role, members in self._roles().items():
            named = f"{account.team_id}/{account.user_id}" in members.users
            admits = {*members.admits, Flaw.OTHER_WORKSPACE} if named else members.admits
            if (named or role in held) and flaw_of(profile, account, home, admits) is None:
                yield role

    def _flawed(self, account: Account, flaw: Flaw) -> Member:
        return Member(account.user_id, flaw, frozenset(), self._clock(), full_member=False)

    async def _learn_home(self) -> Home:
        learnt = (await self._homes.get(None)).value
        if isinstance(learnt, SlackUnavailableError):
            raise learnt
        self._home = Home(learnt.team_id, learnt.enterprise_id)
        return self._home

    async def _roles_of(self, user_id: str) -> "_RolesFound":
        now = self._clock()
        found: set[RoleName] = set()
        off_duty: set[RoleName] = set()
        grouped: dict[str, list[RoleName]] = {}
        for role, members in self._roles().items():
            on_duty = members.users if members.on_call is None else members.on_call.on_call(now)
            if user_id in on_duty:
                found.add(role)
            elif user_id in members.people:
                off_duty.add(role)
            elif members.usergroup:
                grouped.setdefault(members.usergroup.removeprefix("@"), []).append(role)
        groups = await asyncio.gather(*(self._group(handle, _ROLE_SECONDS) for handle in grouped))
        for (members_now, _), roles in zip(groups, grouped.values(), strict=True):
            if members_now is not None and user_id in members_now:
                found.update(roles)
        all_read = all(members_now is not None for members_now, _ in groups)
        known_at = min((known_at for _, known_at in groups), default=now)
        return _RolesFound(frozenset(found), frozenset(off_duty), all_read, known_at)

    async def _group(self, handle: str, seconds: float) -> tuple[frozenset[str] | None, datetime]:
        """Give a group's members and since when they are known; None where Slack does not say within so long."""
        try:
            async with asyncio.timeout(seconds):
                handles = await self._handles.get(None)
                if isinstance(handles.value, SlackUnavailableError):
                    return None, handles.known_at
                if handle not in handles.value:
                    return frozenset(), handles.known_at
                members = await self._members.get(handles.value[handle])
        except TimeoutError:
            return None, self._clock()
        known = None if isinstance(members.value, SlackUnavailableError) else members.value
        return known, min(handles.known_at, members.known_at)

    async def _ask_user(self, user_id: str) -> tuple[Profile | Flaw, timedelta]:
        try:
            answer = await self._calls.make("users.info", lambda: self._client.users_info(user=user_id))
        except SlackUnavailableError as error:
            if error.code in _NO_SUCH_USER:
                return Flaw.UNKNOWN, _UNKNOWN_FOR
            return Flaw.DIRECTORY_DOWN, error.retry_after
        profile = profile_of(answer.get("user"), user_id)
        return (Flaw.DIRECTORY_DOWN, DOWN_FOR) if profile is None else (profile, FRESH_FOR)

    async def _ask_address(self, email: str) -> tuple[str | Flaw, timedelta]:
        try:
            answer = await self._calls.make(
                "users.lookupByEmail", lambda: self._client.users_lookupByEmail(email=email)
            )
        except SlackUnavailableError as error:
            if error.code in _NO_SUCH_USER:
                return Flaw.UNKNOWN, _UNKNOWN_FOR
            return Flaw.DIRECTORY_DOWN, error.retry_after
        user = answer.get("user")
        user_id = user.get("id") if isinstance(user, Mapping) else None
        if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
            return Flaw.DIRECTORY_DOWN, DOWN_FOR
        return user_id, FRESH_FOR

    async def _ask_handles(self, _: None) -> tuple[Mapping[str, str] | _Down, timedelta]:
        try:
            answer = await self._calls.make("usergroups.list", self._client.usergroups_list)
        except SlackUnavailableError as error:
            return ({}, FRESH_FOR) if error.code in _NO_SUCH_GROUP else (error, error.retry_after)
        handles = handles_of(answer.get("usergroups"))
        return (unexpected(), DOWN_FOR) if handles is None else (handles, FRESH_FOR)

    async def _ask_members(self, group_id: str) -> tuple[frozenset[str] | _Down, timedelta]:
        try:
            answer = await self._calls.make(
                "usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group_id)
            )
        except SlackUnavailableError as error:
            return (frozenset(), FRESH_FOR) if error.code in _NO_SUCH_GROUP else (error, error.retry_after)
        users = answer.get("users")
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            return unexpected(), DOWN_FOR
        return frozenset(users), FRESH_FOR

    async def _ask_home(self, _: None) -> tuple[HomeWorkspace | _Down, timedelta]:
        try:
            return await self.home(), FRESH_FOR
        except SlackUnavailableError as error:
            return error, error.retry_after


def handles_of(groups: object) -> Mapping[str, str] | None:
    """Map the handles of our own active groups to ids; a handle that two of them have names nobody."""
    if not isinstance(groups, list):
        return None
    found: dict[str, str] = {}
    twice: set[str] = set()
    for group in groups:
        if not isinstance(group, Mapping):
            return None
        group_id, handle = group.get("id"), group.get("handle")
        if not isinstance(group_id, str) or not isinstance(handle, str):
            return None
        if group.get("date_delete") or group.get("is_external"):
            continue
        if handle in found:
            twice.add(handle)
        found[handle] = group_id
    return {handle: group_id for handle, group_id in found.items() if handle not in twice}


def _text(answer: object, name: str) -> str:
    """Read a field that Slack always fills; raises SlackUnavailableError where it did not."""
    text = answer.get(name) if isinstance(answer, (AsyncSlackResponse, Mapping)) else None
    if not isinstance(text, str) or not text:
        raise unexpected()
    return text
