"""Who somebody is, asked of a local Slack: fresh within a minute, one question at a time, and never a yes in doubt."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.people import Account, Flaw, RoleName
from approval_rules.policy import RoleMembers
from bot.directory import HomeWorkspace, Member, SlackDirectory
from bot.slack_calls import SlackUnavailableError
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import (
    APP,
    BOT,
    BOT_USER,
    FORMER,
    JONAS,
    LENA,
    MAYA,
    OTHER_TEAM,
    OUTSIDER,
    PRIYA,
    SAM,
    SUPPORT_MANAGERS,
    TEAM,
    UserGroup,
    awkward_workspace,
)
from handlers.slack.patience import DESK_SECONDS

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MANAGER, OPERATOR, GHOST = RoleName("support_manager"), RoleName("operator"), RoleName("ghost")
ROLES = {
    MANAGER: RoleMembers(frozenset({MAYA}), "@support-managers"),
    OPERATOR: RoleMembers(frozenset({MAYA, SAM}), None),
    GHOST: RoleMembers(frozenset(), "no-such-group"),
}
TWICE = 2  # aiohttp asks a second time when a connection breaks under a question that only reads
FAULTS: list[Fault] = [
    Refuse("internal_error"),
    Refuse("missing_scope"),
    Refuse("Not A Code"),
    RateLimited(30),
    ServerError(503),
    ResetBefore(),
    LostAnswer(),
]


class Times:
    """The clock of the directory, set by the test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """The time now."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    """A local Slack."""
    async with SlackStandin(awkward_workspace(), signing_secret="s", bot_token="xoxb-1") as standin:
        yield standin


@pytest.fixture
async def client(slack: SlackStandin) -> AsyncIterator[AsyncWebClient]:
    """A client that retries nothing and keeps its connections."""
    async with ClientSession() as session:
        yield AsyncWebClient(token="xoxb-1", base_url=slack.api_url, retry_handlers=[], session=session)


@pytest.fixture
def times() -> Times:
    """Noon."""
    return Times()


@pytest.fixture
def directory(client: AsyncWebClient, times: Times) -> SlackDirectory:
    """The directory of the demo's workspace."""
    return SlackDirectory(client, TEAM, None, lambda: ROLES, times)


def asked(slack: SlackStandin, method: str) -> int:
    """How often a method was called."""
    return sum(call.method == method for call in slack.calls)


async def test_a_member_is_found_with_name_and_roles(directory: SlackDirectory) -> None:
    """Listed by id, through a group, in both, in neither; an unknown group has nobody in it."""
    assert await directory.look_up(Account(TEAM, MAYA)) == Member(
        "Maya Chen", None, frozenset({MANAGER, OPERATOR}), NOON, full_member=True, time_zone="Europe/Berlin"
    )
    assert (await directory.look_up(Account("", PRIYA))).roles == {MANAGER}
    assert (await directory.look_up(Account(TEAM, SAM))).roles == {OPERATOR}
    nobody = await directory.look_up(Account(TEAM, JONAS))
    assert (nobody.flaw, nobody.roles, nobody.full_member) == (None, frozenset(), True)


@pytest.mark.parametrize(
    ("account", "flaw"),
    [
        (Account(TEAM, "U0NOBODY"), Flaw.UNKNOWN),
        (Account(TEAM, ""), Flaw.UNKNOWN),
        (Account(TEAM, "U1&user=U2"), Flaw.UNKNOWN),
        (Account(TEAM, "maya"), Flaw.UNKNOWN),
        (Account(OTHER_TEAM, OUTSIDER), Flaw.OTHER_WORKSPACE),
        (Account(TEAM, OUTSIDER), Flaw.OTHER_WORKSPACE),
        (Account(OTHER_TEAM, MAYA), Flaw.OTHER_WORKSPACE),
        (Account(TEAM, BOT_USER), Flaw.BOT),
        (Account(TEAM, FORMER), Flaw.DEACTIVATED),
        (Account(TEAM, LENA), Flaw.GUEST),
    ],
)
async def test_an_account_that_cannot_approve_has_its_flaw_and_no_roles(
    slack: SlackStandin, client: AsyncWebClient, times: Times, account: Account, flaw: Flaw
) -> None:
    """Even where the policy lists it by name."""
    everybody = {MANAGER: RoleMembers(frozenset(slack.workspace.users) | {account.user_id}, None)}
    found = await SlackDirectory(client, TEAM, None, lambda: everybody, times).look_up(account)
    assert (found.flaw, found.roles, found.full_member) == (flaw, frozenset(), False)


async def test_a_stranger_who_is_invisible_is_unknown(slack: SlackStandin, directory: SlackDirectory) -> None:
    """Slack hides those with whom nothing is shared."""
    slack.change_user(OUTSIDER, is_stranger=True)
    assert (await directory.look_up(Account(OTHER_TEAM, OUTSIDER))).flaw is Flaw.UNKNOWN


async def test_an_odd_id_is_never_sent(slack: SlackStandin, directory: SlackDirectory) -> None:
    """What cannot be an id is unknown without a question."""
    await directory.look_up(Account(TEAM, "../auth.test"))
    assert slack.calls == []


async def test_facts_are_a_minute_old_at_most(slack: SlackStandin, directory: SlackDirectory, times: Times) -> None:
    """Within the minute nothing is asked; after it, who was deactivated or left the group is found out."""
    before = await directory.look_up(Account(TEAM, PRIYA))
    slack.change_user(PRIYA, deleted=True)
    slack.workspace.change_group(SUPPORT_MANAGERS)
    times.pass_by(59)
    assert await directory.look_up(Account(TEAM, PRIYA)) == before
    assert before.known_at == NOON
    assert [asked(slack, m) for m in ("users.info", "usergroups.list", "usergroups.users.list")] == [1, 1, 1]
    times.pass_by(1)
    after = await directory.look_up(Account(TEAM, PRIYA))
    assert (after.flaw, after.known_at) == (Flaw.DEACTIVATED, NOON + timedelta(seconds=60))
    slack.change_user(PRIYA, deleted=False)
    times.pass_by(60)
    assert (await directory.look_up(Account(TEAM, PRIYA))).roles == frozenset()


async def test_a_crowd_asks_once(slack: SlackStandin, directory: SlackDirectory) -> None:
    """Thirty clicks at once by three people: three users, one list of groups, one list of members."""
    slack.fail("*", Delay(0.05), times=5)
    people = [Account(TEAM, user) for user in (PRIYA, JONAS, SAM)] * 10
    await asyncio.gather(*map(directory.look_up, people))
    assert [asked(slack, m) for m in ("users.info", "usergroups.list", "usergroups.users.list")] == [3, 1, 1]


async def test_warming_asks_before_it_is_needed(slack: SlackStandin, directory: SlackDirectory) -> None:
    """The look-ups that follow are answered from memory; a failing one stops nobody."""
    await directory.warm([Account(TEAM, user) for user in (PRIYA, JONAS, SAM, MAYA, LENA, MAYA, "U0NOBODY")])
    calls = len(slack.calls)
    assert asked(slack, "users.info") == 6
    assert (await directory.look_up(Account(TEAM, PRIYA))).roles == {MANAGER}
    assert len(slack.calls) == calls


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_an_answer_about_the_user_nobody_is_anybody(
    slack: SlackStandin, directory: SlackDirectory, times: Times, fault: Fault
) -> None:
    """Every kind of failure of users.info is the same flaw, for a listed person too; once Slack is back, it heals."""
    slack.fail("users.info", fault, times=TWICE)
    found = await directory.look_up(Account(TEAM, MAYA))
    assert (found.flaw, found.roles, found.full_member) == (Flaw.DIRECTORY_DOWN, frozenset(), False)
    slack.faults.clear()
    times.pass_by(30)
    assert (await directory.look_up(Account(TEAM, MAYA))).flaw is None


@pytest.mark.parametrize("method", ["usergroups.list", "usergroups.users.list"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_without_the_group_only_who_is_listed_holds_a_role(
    slack: SlackStandin, directory: SlackDirectory, times: Times, method: str, fault: Fault
) -> None:
    """A group that cannot be read takes its own roles away, and is no proof that somebody holds none."""
    slack.fail(method, fault, times=TWICE)
    by_group = await directory.look_up(Account(TEAM, PRIYA))
    assert (by_group.flaw, by_group.roles, by_group.full_member) == (Flaw.DIRECTORY_DOWN, frozenset(), True)
    listed = await directory.look_up(Account(TEAM, SAM))
    assert listed.flaw is None
    assert listed.roles == {OPERATOR}
    slack.faults.clear()
    times.pass_by(30)
    assert (await directory.look_up(Account(TEAM, PRIYA))).roles == {MANAGER}


async def test_a_limited_method_is_left_alone(slack: SlackStandin, directory: SlackDirectory, times: Times) -> None:
    """While Slack says wait, nobody new is asked for and nobody is let through; who is fresh still is."""
    await directory.look_up(Account(TEAM, MAYA))
    slack.fail("users.info", RateLimited(30))
    assert (await directory.look_up(Account(TEAM, SAM))).flaw is Flaw.DIRECTORY_DOWN
    times.pass_by(29)
    for user in (SAM, JONAS):
        assert (await directory.look_up(Account(TEAM, user))).flaw is Flaw.DIRECTORY_DOWN
    assert (await directory.look_up(Account(TEAM, MAYA))).flaw is None
    assert asked(slack, "users.info") == 2
    times.pass_by(1)
    assert (await directory.look_up(Account(TEAM, JONAS))).flaw is None


async def test_a_free_plan_has_no_groups(slack: SlackStandin, directory: SlackDirectory) -> None:
    """`plan_upgrade_required` is no outage: the group has nobody in it."""
    slack.fail("usergroups.list", Refuse("plan_upgrade_required"))
    found = await directory.look_up(Account(TEAM, PRIYA))
    assert (found.flaw, found.roles) == (None, frozenset())


@pytest.mark.parametrize(
    "group",
    [
        UserGroup("S0TWIN", "support-managers", "The same handle", (JONAS,)),
        UserGroup(SUPPORT_MANAGERS, "support-managers", "Disabled", (PRIYA, JONAS), disabled=True),
    ],
)
async def test_a_doubtful_group_is_nobody(slack: SlackStandin, directory: SlackDirectory, group: UserGroup) -> None:
    """Two groups of one handle, or a disabled one: nobody is in it, and nobody is told that Slack is down."""
    slack.workspace.groups[group.id] = group
    for user in (PRIYA, JONAS):
        found = await directory.look_up(Account(TEAM, user))
        assert (found.flaw, found.roles) == (None, frozenset())


async def test_a_group_that_is_gone_meanwhile_is_nobody(slack: SlackStandin, directory: SlackDirectory) -> None:
    """`no_such_subteam` between the two questions is no outage."""
    slack.fail("usergroups.users.list", Refuse("no_such_subteam"))
    assert (await directory.look_up(Account(TEAM, PRIYA))).flaw is None


async def test_a_click_never_waits_for_a_slow_slack(slack: SlackStandin, directory: SlackDirectory) -> None:
    """One second, also where two calls follow each other; a listed person is not held up by the groups."""
    slack.fail("usergroups.list", Delay(0.7))
    slack.fail("usergroups.users.list", Delay(0.9))
    began = time.monotonic()
    by_group, listed = await asyncio.gather(
        directory.look_up(Account(TEAM, PRIYA)), directory.look_up(Account(TEAM, SAM))
    )
    assert time.monotonic() - began < DESK_SECONDS
    assert by_group.flaw is Flaw.DIRECTORY_DOWN
    assert listed.roles == {OPERATOR}


async def test_a_user_that_slack_is_slow_about_is_refused_in_time(
    slack: SlackStandin, directory: SlackDirectory
) -> None:
    """While whoever clicked still waits for an answer; what Slack says later is known for the next click."""
    slack.fail("users.info", Delay(1.6))
    began = time.monotonic()
    assert (await directory.look_up(Account(TEAM, SAM))).flaw is Flaw.DIRECTORY_DOWN
    assert time.monotonic() - began < DESK_SECONDS
    assert (await directory.look_up(Account(TEAM, SAM))).flaw is None
    assert asked(slack, "users.info") == 1


async def test_the_home_workspace_is_learnt(slack: SlackStandin, client: AsyncWebClient, times: Times) -> None:
    """Without a configured one nobody is let through until Slack has said whose token this is."""
    directory = SlackDirectory(client, "", None, lambda: ROLES, times)
    slack.fail("auth.test", ServerError())
    assert (await directory.look_up(Account(TEAM, MAYA))).flaw is Flaw.DIRECTORY_DOWN
    times.pass_by(2)
    assert (await directory.look_up(Account(TEAM, MAYA))).flaw is None
    assert (await directory.look_up(Account(OTHER_TEAM, OUTSIDER))).flaw is Flaw.OTHER_WORKSPACE
    assert asked(slack, "auth.test") == 2


async def test_home_says_whose_token_this_is(slack: SlackStandin, directory: SlackDirectory) -> None:
    """Team, bot and scopes; a failure says Slack's own reason."""
    home = await directory.home()
    assert (home.team_id, home.team_name, home.bot_user_id, home.bot_id) == (TEAM, "Foureyes Demo", BOT_USER, BOT)
    assert await directory.app_of(home.bot_id) == APP
    assert {"chat:write", "users:read"} <= home.scopes
    slack.fail("auth.test", Refuse("invalid_auth"))
    with pytest.raises(SlackUnavailableError) as caught:
        await directory.home()
    assert caught.value.code == "invalid_auth"
    assert caught.value.__cause__ is None


async def test_an_address_leads_to_an_account(slack: SlackStandin, directory: SlackDirectory, times: Times) -> None:
    """Found, unknown, or not to be told just now: three answers, and never an error."""
    assert await directory.account_of("maya@example.com") == MAYA
    assert await directory.account_of("nobody@example.com") is Flaw.UNKNOWN
    slack.fail("users.lookupByEmail", ServerError())
    assert await directory.account_of("jonas@example.com") is Flaw.DIRECTORY_DOWN
    slack.fail("users.lookupByEmail", Delay(60))
    assert await directory.account_of("priya@example.com") is Flaw.DIRECTORY_DOWN
    assert times() == NOON


@pytest.mark.parametrize("user", [None, {}, {"id": 7}, {"id": "maya"}])
async def test_an_address_with_an_odd_answer_is_nobodys(user: object) -> None:
    """What is no user with an id is not taken for one."""
    async with odd_slack(lambda _: web.json_response({"ok": True, "user": user})) as directory:
        assert await directory.account_of("maya@example.com") is Flaw.DIRECTORY_DOWN


def test_a_client_that_retries_by_itself_is_refused() -> None:
    """Found at start and not in a click."""
    with pytest.raises(ValueError, match="retry_handlers"):
        SlackDirectory(AsyncWebClient(token="xoxb-1"), TEAM, None, dict, Times())


# -- answers that no Slack should give


@asynccontextmanager
async def odd_slack(answer: Callable[[str], web.Response]) -> AsyncIterator[SlackDirectory]:
    """A directory that asks a server which answers what a test wants."""

    async def handle(request: web.Request) -> web.Response:
        return answer(request.match_info["method"])

    app = web.Application()
    app.router.add_route("*", "/api/{method}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    async with ClientSession() as session:
        client = AsyncWebClient(token="xoxb-1", base_url=url, retry_handlers=[], session=session)
        yield SlackDirectory(client, "T1", None, lambda: {MANAGER: RoleMembers(frozenset(), "managers")}, Times())
    await runner.cleanup()


USER = {
    "id": "U1",
    "team_id": "T1",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
}
GOOD: dict[str, Any] = {
    "users.info": {"ok": True, "user": USER},
    "usergroups.list": {"ok": True, "usergroups": [{"id": "S1", "handle": "managers"}]},
    "usergroups.users.list": {"ok": True, "users": ["U1"]},
    "auth.test": {"ok": True, "team_id": "T1", "team": "Home", "user_id": "U9", "bot_id": "B1"},
    "bots.info": {"ok": True, "bot": {"id": "B1", "app_id": "A1"}},
}


ODD_TEXTS: tuple[object, ...] = (None, "", 7)


async def look_up_with(**odd: object) -> Member:
    """Look U1 up where some methods answer oddly; a response is sent as it is, anything else as JSON."""

    def answer(method: str) -> web.Response:
        value = odd.get(method.replace(".", "_"), GOOD[method])
        return value if isinstance(value, web.Response) else web.json_response(value)

    async with odd_slack(answer) as directory:
        return await directory.look_up(Account("T1", "U1"))


async def test_the_good_answers_are_good() -> None:
    """The tests below change one thing each."""
    assert await look_up_with() == Member("U1", None, frozenset({MANAGER}), NOON, full_member=True)


ODD = [
    [],
    "text",
    7,
    None,
    {},
    {"ok": True},
    {"ok": 1},
    {"ok": "true", "user": USER, "usergroups": [], "users": ["U1"]},
    {"ok": False},
    {"ok": False, "error": ["x"]},
]


@pytest.mark.parametrize(
    "odd",
    [
        *ODD,
        {"ok": True, "user": [USER]},
        {"ok": True, "user": USER | {"id": "U2"}},
        {"ok": True, "user": USER | {"deleted": None}},
    ],
)
async def test_an_odd_answer_about_a_user_is_an_outage(odd: object) -> None:
    """Nothing but a proper user object says that somebody is fit."""
    assert (await look_up_with(users_info=odd)).flaw is Flaw.DIRECTORY_DOWN


@pytest.mark.parametrize("odd", [*ODD, {"ok": True, "users": "U1"}, {"ok": True, "users": ["U1", 7]}])
async def test_an_odd_list_of_members_is_an_outage(odd: object) -> None:
    """Nothing but a list of ids says that somebody is in a group."""
    assert (await look_up_with(usergroups_users_list=odd)).flaw is Flaw.DIRECTORY_DOWN


@pytest.mark.parametrize(
    "odd",
    [
        *ODD,
        {"ok": True, "usergroups": {"managers": "S1"}},
        {"ok": True, "usergroups": ["S1"]},
        {"ok": True, "usergroups": [{"id": 1, "handle": "managers"}]},
        {"ok": True, "usergroups": [{"id": "S1"}]},
    ],
)
async def test_an_odd_list_of_groups_is_an_outage(odd: object) -> None:
    """Nothing but a list of groups says which group a handle is."""
    assert (await look_up_with(usergroups_list=odd)).flaw is Flaw.DIRECTORY_DOWN


@pytest.mark.parametrize("mark", [{"date_delete": 1}, {"is_external": True}])
async def test_a_deleted_or_foreign_group_is_nobody(mark: dict[str, Any]) -> None:
    """Another organisation's group of the same handle makes nobody an approver."""
    listed = {"ok": True, "usergroups": [{"id": "S1", "handle": "managers"} | mark]}
    found = await look_up_with(usergroups_list=listed)
    assert (found.flaw, found.roles) == (None, frozenset())


@pytest.mark.parametrize("retry_after", ["", "soon", "-1", "0", "99999999"])
async def test_an_odd_wait_is_still_a_limit(retry_after: str) -> None:
    """A 429 without a sensible Retry-After is an outage like any other."""
    limited = web.Response(status=429, headers={"Retry-After": retry_after}, text='{"ok":false}')
    assert (await look_up_with(users_info=limited)).flaw is Flaw.DIRECTORY_DOWN


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html", "application/gzip"])
async def test_what_is_no_json_is_an_outage(content_type: str) -> None:
    """A proxy's page is no answer, and none of its text gets out."""
    page = web.Response(body=b"<h1>secret</h1>", content_type=content_type)
    found = await look_up_with(users_info=page)
    assert (found.flaw, found.name) == (Flaw.DIRECTORY_DOWN, "U1")


@pytest.mark.parametrize(
    ("method", "facts"),
    [
        *(("auth.test", {name: odd}) for name in ("team_id", "team", "user_id", "bot_id") for odd in ODD_TEXTS),
        ("auth.test", {"enterprise_id": ["E1"]}),
        *(("bots.info", {"bot": {"app_id": odd}}) for odd in ODD_TEXTS),
        ("bots.info", {"bot": None}),
        ("bots.info", {"bot": []}),
        ("bots.info", {"bot": {}}),
    ],
)
async def test_an_odd_home_is_no_home(method: str, facts: dict[str, Any]) -> None:
    """`serve` gets a reason instead of half a workspace, or of an app that nobody's requests are checked against."""
    answers = GOOD | {method: GOOD[method] | facts}
    async with odd_slack(lambda asked: web.json_response(answers[asked])) as directory:
        with pytest.raises(SlackUnavailableError, match="unexpected-answer"):
            await directory.app_of((await directory.home()).bot_id)


async def test_a_home_in_an_organisation_is_read_whole() -> None:
    """Scopes come from the header; what Slack leaves out is None or empty."""

    def answer(method: str) -> web.Response:
        facts = GOOD[method] | {"enterprise_id": "E1"}
        return web.json_response(facts, headers={"x-oauth-scopes": "chat:write, users:read,"})

    async with odd_slack(answer) as directory:
        scopes = frozenset({"chat:write", "users:read"})
        assert await directory.home() == HomeWorkspace("T1", "Home", "U9", "B1", scopes, "E1")
    async with odd_slack(lambda method: web.json_response(GOOD[method])) as directory:
        assert await directory.home() == HomeWorkspace("T1", "Home", "U9", "B1", frozenset(), None)
