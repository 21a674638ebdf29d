"""What a review asks Slack: the whole or nothing, whatever Slack answers."""

from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from approval_rules.people import Flaw, RoleName
from approval_rules.policy import RoleMembers
from bot.access.roster import Roster, RosterTaker
from bot.slack_calls import SlackUnavailableError

ROLE = RoleName("support_manager")
GROUP = {ROLE: RoleMembers(frozenset({"U0MAYA"}), "@managers")}
HANDLES = {"usergroups": [{"id": "S1", "handle": "managers"}]}


def user(ident: str, **more: object) -> dict[str, object]:
    """What Slack says of a full member."""
    flags = dict.fromkeys(("deleted", "is_bot", "is_restricted", "is_ultra_restricted"), False)
    return {"id": ident, "team_id": "T1", "name": ident, "profile": {"real_name": f"Name {ident}"}, **flags, **more}


class Answer(dict[str, Any]):
    """An answer as the client gives it."""

    @property
    def data(self) -> dict[str, Any]:
        """Give the body."""
        return {"ok": True, **self}


class FakeClient:
    """Gives the answers that it was made with: one for each method, or a list of them, one after the other."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 - whatever Slack might say
        self.answers = {
            "auth_test": {"team_id": "T1"},
            "usergroups_list": HANDLES,
            "usergroups_users_list": {"users": ["U0JONAS"]},
            "users_info": {},
            **answers,
        }
        self.asked: list[str] = []

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - a method of the client
        async def call(**arguments: Any) -> Answer:  # noqa: ANN401 - its arguments
            self.asked.append(method)
            answer = self.answers[method]
            if isinstance(answer, list):
                answer = answer.pop(0)
            if method == "users_info" and answer == {}:
                answer = {"user": user(arguments["user"])}
            if isinstance(answer, str):
                raise SlackUnavailableError(answer)
            return Answer(answer)

        return call


async def take(client: FakeClient, roles: dict[RoleName, RoleMembers] | None = None, *others: str) -> Roster:
    """Take a roster from a client."""
    return await RosterTaker(cast("AsyncWebClient", client)).take(GROUP if roles is None else roles, others)


async def test_a_role_is_its_users_and_its_group() -> None:
    """Who is named and who is in the group are told apart; others who matter are looked up too."""
    roster = await take(FakeClient(), None, "U0SAM")
    assert (roster.roles[ROLE].named, roster.roles[ROLE].grouped) == (frozenset({"U0MAYA"}), frozenset({"U0JONAS"}))
    assert {ident: seen.flaw for ident, seen in roster.people.items()} == dict.fromkeys(("U0MAYA", "U0JONAS", "U0SAM"))


async def test_no_group_is_asked_for_where_no_role_has_one() -> None:
    """A workspace without user groups, which are not in every plan, is reviewed all the same."""
    client = FakeClient()
    await take(client, {ROLE: RoleMembers(frozenset({"U0MAYA"}), None)})
    assert client.asked == ["auth_test", "users_info"]


@pytest.mark.parametrize(
    "odd",
    [
        {"auth_test": {"team_id": ""}},
        {"auth_test": {}},
        {"usergroups_list": {"usergroups": None}},
        {"usergroups_list": {"usergroups": [{"id": 7}]}},
        {"usergroups_list": {}},
        {"usergroups_users_list": {"users": None}},
        {"usergroups_users_list": {"users": [7]}},
        {"users_info": {"user": None}},
        {"users_info": {"user": {"id": "U0OTHER"}}},
        {"users_info": {"user": user("U0JONAS", is_restricted=None)}},
    ],
)
async def test_an_odd_answer_is_no_answer(odd: dict[str, object]) -> None:
    """Whatever lacks what Slack always says ends the review; it never means "nobody"."""
    with pytest.raises(SlackUnavailableError):
        await take(FakeClient(**odd))


@pytest.mark.parametrize("method", ["auth_test", "usergroups_list", "usergroups_users_list", "users_info"])
async def test_an_error_is_no_answer(method: str) -> None:
    """One question that Slack does not answer ends the review."""
    client = FakeClient()

    async def broken(**_: object) -> Answer:
        raise ConnectionError("reset")

    setattr(client, method, broken)
    with pytest.raises(SlackUnavailableError):
        await take(client)


async def listed(*pages: dict[str, object]) -> Roster:
    """Take the roster of a role with more people than are asked for one by one."""
    everybody = {ROLE: RoleMembers(frozenset(f"U0MANY{place:03d}" for place in range(150)), None)}
    return await take(FakeClient(users_list=list(pages)), everybody)


async def test_a_list_is_read_to_its_end() -> None:
    """Every page counts; whoever is on none of them is asked for alone."""
    first, second = ([user(f"U0MANY{place:03d}") for place in numbers] for numbers in (range(100), range(100, 149)))
    roster = await listed(
        {"members": [*first, "junk"], "response_metadata": {"next_cursor": "c1"}},
        {"members": second, "response_metadata": {"next_cursor": ""}},
    )
    assert len(roster.people) == 150


@pytest.mark.parametrize(
    "page",
    [
        {"members": None},
        {"members": [], "response_metadata": {"next_cursor": 7}},
    ],
)
async def test_an_odd_page_is_no_list(page: dict[str, object]) -> None:
    """A page that is none ends the review."""
    with pytest.raises(SlackUnavailableError):
        await listed(page)


async def test_a_list_that_goes_in_circles_ends() -> None:
    """The same cursor twice is no progress."""
    page: dict[str, object] = {"members": [], "response_metadata": {"next_cursor": "c1"}}
    with pytest.raises(SlackUnavailableError):
        await listed(page, page)


async def test_what_slack_does_not_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account and a group that are not there are findings, not outages."""

    async def make(_: object, method: str, call: Any) -> Any:  # noqa: ANN401 - a call of Slack's
        missing = {"users.info": "user_not_found", "usergroups.users.list": "no_such_subteam"}
        if method in missing:
            raise SlackUnavailableError(missing[method])
        return await call()

    monkeypatch.setattr("bot.access.roster.SlackCalls.make", make)
    roster = await take(FakeClient())
    assert roster.roles[ROLE].lost
    assert roster.people["U0MAYA"].flaw is Flaw.UNKNOWN


async def test_a_plan_without_groups_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Slack says that the plan has no user groups, the role's group is one that is not there."""

    async def make(_: object, method: str, call: Any) -> Any:  # noqa: ANN401 - a call of Slack's
        if method == "usergroups.list":
            raise SlackUnavailableError("plan_upgrade_required")
        return await call()

    monkeypatch.setattr("bot.access.roster.SlackCalls.make", make)
    assert (await take(FakeClient())).roles[ROLE].lost
