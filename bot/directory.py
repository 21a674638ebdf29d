"""Slack's people and groups: who somebody is and which roles they hold, at most a minute old.

Asked before a transaction, never inside one. Whatever goes wrong here is never a yes: it is a flaw.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from approval_rules.people import Account, Flaw, RoleName
from approval_rules.policy import RoleMembers
from bot.clock import Clock
from bot.fresh import FreshAnswers
from bot.slack_calls import DOWN_FOR, SlackCalls, SlackUnavailableError, unexpected
from bot.slack_profile import Home, Profile, flaw_of, profile_of

FRESH_FOR: Final = timedelta(seconds=60)
_UNKNOWN_FOR: Final = timedelta(seconds=10)
_LOOK_UP_SECONDS: Final = 2.5
_GROUP_SECONDS: Final = 2.0
_WARM_AT_ONCE: Final = 4
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,31}")
_NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible"})
_NO_SUCH_GROUP: Final = frozenset({"no_such_subteam", "plan_upgrade_required"})


@dataclass(frozen=True, slots=True)
class Member:
    """What the directory says about one account. `name` is hostile text; every fact here was true at `known_at`.

    `full_member` is true for a flawless account even where the flaw is that no user group could be read: enough to
    stop things, never to approve them.
    """

    name: str
    flaw: Flaw | None
    roles: frozenset[RoleName]
    known_at: datetime
    full_member: bool


@dataclass(frozen=True, slots=True)
class HomeWorkspace:
    """The workspace that the bot token belongs to. `scopes` is empty where Slack did not list them."""

    team_id: str
    team_name: str
    bot_user_id: str
    bot_id: str
    scopes: frozenset[str]
    enterprise_id: str | None


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
    ) -> None:
        if client.retry_handlers:
            raise ValueError("the directory's Slack client needs retry_handlers=[]: a click cannot wait for them")
        self._client = client
        self._home = Home(home_team, enterprise_id) if home_team else None
        self._roles = roles
        self._clock = clock
        self._calls = SlackCalls(clock)
        self._users = FreshAnswers[str, Profile | Flaw](self._ask_user, clock)
        self._handles = FreshAnswers[None, Mapping[str, str] | _Down](self._ask_handles, clock)
        self._members = FreshAnswers[str, frozenset[str] | _Down](self._ask_members, clock)
        self._homes = FreshAnswers[None, HomeWorkspace | _Down](self._ask_home, clock)

    async def look_up(self, account: Account) -> Member:
        """Tell who an account is, within 2.5 seconds; without an answer it is flawed, and nothing is raised."""
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                return await self._look_up(account)
        except (TimeoutError, SlackUnavailableError):
            return self._flawed(account, Flaw.DIRECTORY_DOWN)

    async def group_id(self, handle: str) -> str | None:
        """Give a user group's id by its handle; None where there is none, or Slack does not say in two seconds."""
        try:
            async with asyncio.timeout(_GROUP_SECONDS):
                handles = (await self._handles.get(None)).value
        except TimeoutError:
            return None
        return None if isinstance(handles, SlackUnavailableError) else handles.get(handle)

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
        user, (roles, all_read, roles_known_at) = await asyncio.gather(
            self._users.get(account.user_id), self._roles_of(account.user_id)
        )
        known_at = min(user.known_at, roles_known_at)
        if isinstance(user.value, Flaw):
            return Member(account.user_id, user.value, frozenset(), known_at, full_member=False)
        flaw = flaw_of(user.value, account, home)
        if flaw is not None:
            return Member(user.value.name, flaw, frozenset(), known_at, full_member=False)
        unsure = Flaw.DIRECTORY_DOWN if not roles and not all_read else None
        return Member(user.value.name, unsure, roles, known_at, full_member=True)

    def _flawed(self, account: Account, flaw: Flaw) -> Member:
        return Member(account.user_id, flaw, frozenset(), self._clock(), full_member=False)

    async def _learn_home(self) -> Home:
        learnt = (await self._homes.get(None)).value
        if isinstance(learnt, SlackUnavailableError):
            raise learnt
        self._home = Home(learnt.team_id, learnt.enterprise_id)
        return self._home

    async def _roles_of(self, user_id: str) -> tuple[frozenset[RoleName], bool, datetime]:
        """Give the roles, whether every group that mattered could be read, and since when that is known."""
        found: set[RoleName] = set()
        grouped: dict[str, list[RoleName]] = {}
        for role, members in self._roles().items():
            if user_id in members.users:
                found.add(role)
            elif members.usergroup:
                grouped.setdefault(members.usergroup.removeprefix("@"), []).append(role)
        groups = await asyncio.gather(*map(self._group, grouped))
        for (members_now, _), roles in zip(groups, grouped.values(), strict=True):
            if members_now is not None and user_id in members_now:
                found.update(roles)
        all_read = all(members_now is not None for members_now, _ in groups)
        return frozenset(found), all_read, min((known_at for _, known_at in groups), default=self._clock())

    async def _group(self, handle: str) -> tuple[frozenset[str] | None, datetime]:
        """Give a group's members and since when they are known; None where Slack does not say within two seconds."""
        try:
            async with asyncio.timeout(_GROUP_SECONDS):
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
