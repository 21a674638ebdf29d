"""Asks Slack for everybody who matters to a review: the members of every role, and who each person is, just now.

It takes its time, waits where Slack says so, and gives the whole or raises: half a list would look like a list.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from approval_rules.people import Account, Flaw, RoleName
from approval_rules.policy import RoleMembers
from bot.clock import SteadyClock
from bot.directory import handles_of
from bot.slack_calls import SlackCalls, SlackUnavailableError, unexpected
from bot.slack_profile import Home, flaw_of, profile_of

_CALL_SECONDS: Final = 10.0
_PATIENCE: Final = timedelta(minutes=10)
_ONE_BY_ONE: Final = 100
"""Up to so many people are asked for one by one; for more, the whole workspace is listed, which is fewer calls."""
_PAGE: Final = 200
_NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible"})
_NO_SUCH_GROUP: Final = frozenset({"no_such_subteam", "plan_upgrade_required"})


@dataclass(frozen=True, slots=True)
class SeenRole:
    """Who fills a role now: named in roles.yml, or in its user group; `lost` where Slack has no such group."""

    named: frozenset[str]
    usergroup: str | None
    grouped: frozenset[str] = frozenset()
    lost: bool = False

    @property
    def members(self) -> frozenset[str]:
        """Everybody in it, by Slack user id."""
        return self.named | self.grouped


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """What Slack says of one account; `name` is hostile text."""

    name: str
    flaw: Flaw | None


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who was asked for, as Slack knew them at one moment."""

    team_id: str
    roles: Mapping[RoleName, SeenRole]
    people: Mapping[str, SeenPerson]


class RosterTaker:
    """Asks Slack, through a client that retries nothing itself."""

    def __init__(self, client: AsyncWebClient, enterprise_id: str | None = None) -> None:
        self._client = client
        self._enterprise = enterprise_id
        self._calls = SlackCalls(SteadyClock(), _CALL_SECONDS)
        self._waited = timedelta()

    async def take(self, roles: Mapping[RoleName, RoleMembers], others: Iterable[str]) -> Roster:
        """List the roles and look up their members and `others`; raises SlackUnavailableError, never gives a part."""
        home = await self._home()
        seen = await self.members(roles)
        wanted = sorted(frozenset(others).union(*(role.members for role in seen.values())))
        found = await self._listed() if len(wanted) > _ONE_BY_ONE else {}
        people = {user: await self._person(user, found.get(user), home) for user in wanted}
        return Roster(home.team_id, seen, people)

    async def _home(self) -> Home:
        answer = await self._patiently("auth.test", self._client.auth_test)
        team, enterprise = answer.get("team_id"), answer.get("enterprise_id")
        if not isinstance(team, str) or not team:
            raise unexpected()
        return Home(team, self._enterprise or (enterprise if isinstance(enterprise, str) and enterprise else None))

    async def members(self, roles: Mapping[RoleName, RoleMembers]) -> Mapping[RoleName, SeenRole]:
        """List who is in each role; raises SlackUnavailableError."""
        wanted = {role.usergroup.removeprefix("@") for role in roles.values() if role.usergroup}
        handles = await self._handles() if wanted else {}
        groups = {handle: await self._group(handles[handle]) for handle in sorted(wanted & handles.keys())}
        return {name: _seen(role, groups) for name, role in roles.items()}

    async def _handles(self) -> Mapping[str, str]:
        try:
            answer = await self._patiently("usergroups.list", self._client.usergroups_list)
        except SlackUnavailableError as error:
            if error.code in _NO_SUCH_GROUP:
                return {}
            raise
        handles = handles_of(answer.get("usergroups"))
        if handles is None:
            raise unexpected()
        return handles

    async def _group(self, ident: str) -> frozenset[str] | None:
        call = partial(self._client.usergroups_users_list, usergroup=ident)
        try:
            users = (await self._patiently("usergroups.users.list", call)).get("users")
        except SlackUnavailableError as error:
            if error.code in _NO_SUCH_GROUP:
                return None
            raise
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            raise unexpected()
        return frozenset(users)

    async def _listed(self) -> dict[str, object]:
        """List the whole workspace, page by page."""
        found: dict[str, object] = {}
        cursor: str | None = None
        while cursor != "":
            answer = await self._patiently("users.list", partial(self._client.users_list, limit=_PAGE, cursor=cursor))
            members, more = answer.get("members"), answer.get("response_metadata")
            following = more.get("next_cursor", "") if isinstance(more, Mapping) else ""
            if not isinstance(members, list) or not isinstance(following, str) or following == cursor:
                raise unexpected()
            found |= {user["id"]: user for user in members if isinstance(user, Mapping) and "id" in user}
            cursor = following
        return found

    async def _person(self, user: str, listed: object, home: Home) -> SeenPerson:
        try:
            told = listed or (await self._patiently("users.info", partial(self._client.users_info, user=user))).get(
                "user"
            )
        except SlackUnavailableError as error:
            if error.code in _NO_SUCH_USER:
                return SeenPerson(user, Flaw.UNKNOWN)
            raise
        profile = profile_of(told, user)
        flaw = None if profile is None else flaw_of(profile, Account(home.team_id, user), home)
        if profile is None or flaw is Flaw.DIRECTORY_DOWN:
            raise unexpected()
        return SeenPerson(profile.name, flaw)

    async def _patiently(self, method: str, call: Callable[..., Awaitable[Any]]) -> AsyncSlackResponse:
        """Call, and wait as long as Slack says, ten minutes in all."""
        while True:
            try:
                return await self._calls.make(method, call)
            except SlackUnavailableError as error:
                if error.code != "ratelimited" or self._waited + error.retry_after > _PATIENCE:
                    raise
                self._waited += error.retry_after
                await asyncio.sleep(error.retry_after.total_seconds())


def _seen(role: RoleMembers, groups: Mapping[str, frozenset[str] | None]) -> SeenRole:
    if not role.usergroup:
        return SeenRole(role.people, None)
    handle = role.usergroup.removeprefix("@")
    grouped = groups.get(handle)
    return SeenRole(role.users, handle, grouped or frozenset(), lost=grouped is None)
