"""Who can never approve, read off what Slack says; what Slack does not say is never to anybody's advantage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.people import Account, Flaw
from bot.slack_profile import Home, flaw_of, profile_of

HOME = Home("T1", None)
ORG = Home("T1", "E1")
MEMBER: dict[str, Any] = {
    "id": "U1",
    "team_id": "T1",
    "name": "maya",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "profile": {"display_name": "Maya", "real_name": "Maya Chen"},
}
NOT_SAID = object()


def judged(user: dict[str, Any], home: Home = HOME, team: str = "T1") -> Flaw | str | None:
    """The flaw of an account, or `unreadable`."""
    user = {name: value for name, value in user.items() if value is not NOT_SAID}
    profile = profile_of(user, "U1")
    return "unreadable" if profile is None else flaw_of(profile, Account(team, "U1"), home)


def test_a_full_member_has_no_flaw() -> None:
    """Also one whose click came before the home workspace was known, and one who authorised the app."""
    assert judged(MEMBER) is None
    assert judged(MEMBER, team="") is None
    assert judged(MEMBER | {"is_app_user": True, "is_stranger": False, "is_workflow_bot": False}) is None


@pytest.mark.parametrize(
    ("facts", "flaw"),
    [
        ({"team_id": "T2"}, Flaw.OTHER_WORKSPACE),
        ({"team_id": ""}, Flaw.OTHER_WORKSPACE),
        ({"is_bot": True}, Flaw.BOT),
        ({"is_workflow_bot": True}, Flaw.BOT),
        ({"is_connector_bot": True}, Flaw.BOT),
        ({"deleted": True}, Flaw.DEACTIVATED),
        ({"deleted": True, "is_restricted": NOT_SAID, "is_ultra_restricted": NOT_SAID}, Flaw.DEACTIVATED),
        ({"is_restricted": True}, Flaw.GUEST),
        ({"is_ultra_restricted": True}, Flaw.GUEST),
        ({"is_stranger": True}, Flaw.STRANGER),
        ({"is_restricted": NOT_SAID}, Flaw.DIRECTORY_DOWN),
        ({"is_ultra_restricted": None}, Flaw.DIRECTORY_DOWN),
        ({"is_restricted": "false"}, Flaw.DIRECTORY_DOWN),
        ({"team_id": "T2", "is_restricted": NOT_SAID, "is_stranger": True}, Flaw.OTHER_WORKSPACE),
        ({"id": "U2"}, "unreadable"),
        ({"team_id": None}, "unreadable"),
        ({"deleted": NOT_SAID}, "unreadable"),
        ({"deleted": 0}, "unreadable"),
        ({"is_bot": NOT_SAID}, "unreadable"),
        ({"is_bot": "no"}, "unreadable"),
        ({"is_stranger": "no"}, "unreadable"),
    ],
)
def test_each_flaw_is_found(facts: dict[str, Any], flaw: Flaw | str) -> None:
    """One fact is enough; a missing or odd one is not read as good."""
    assert judged(MEMBER | facts) == flaw


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.booleans() | st.text(max_size=3) | st.integers(0, 1)
            for name in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "team_id")
        },
    )
)
def test_only_a_plain_member_is_ever_flawless(facts: dict[str, Any]) -> None:
    """Whatever Slack sends, no flaw means: every fact was there, and was good."""
    user = {"id": "U1", **facts}
    if judged(user) is None:
        assert user["team_id"] == "T1"
        assert [user.get(name) for name in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")] == [False] * 4
        assert user.get("is_stranger", False) is False


@pytest.mark.parametrize("user", [None, [], "U1", {}, {"id": 1}])
def test_what_is_no_user_is_not_read(user: object) -> None:
    """The answer must be a user object of the very id that was asked for."""
    assert profile_of(user, "U1") is None


@pytest.mark.parametrize("user_id", ["USLACKBOT", "USLACK"])
def test_slacks_own_users_are_bots(user_id: str) -> None:
    """They say that they are not."""
    profile = profile_of(MEMBER | {"id": user_id}, user_id)
    assert profile is not None
    assert flaw_of(profile, Account("T1", user_id), HOME) is Flaw.BOT


def test_another_workspace_of_the_same_organisation_is_home() -> None:
    """On Enterprise Grid the organisation counts, wherever the click came from; without one, both teams must fit."""
    of_grid = MEMBER | {"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}
    assert judged(of_grid, ORG, "T2") is None
    assert judged(MEMBER | {"team_id": "T2", "enterprise_id": "E1"}, ORG, "T3") is None
    assert judged(of_grid, HOME, "T2") is Flaw.OTHER_WORKSPACE
    assert judged(MEMBER | {"team_id": "T2", "enterprise_id": "E2"}, ORG, "T2") is Flaw.OTHER_WORKSPACE
    assert judged(MEMBER | {"team_id": "T2", "enterprise_user": {"enterprise_id": ""}}, ORG) is Flaw.OTHER_WORKSPACE
    assert judged(MEMBER, ORG, "T1") is None
    assert judged(MEMBER, HOME, "T2") is Flaw.OTHER_WORKSPACE


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "Maya Chen"),
        ({"profile": {"display_name": "maya", "real_name": "Maya Chen"}}, "Maya Chen"),
        ({"profile": None, "real_name": "M. Chen"}, "M. Chen"),
        ({"profile": {}}, "maya"),
        ({"profile": {"display_name": 7}, "name": None}, "U1"),
        ({"profile": {"display_name": "x" * 500}}, "x" * 80),
    ],
)
def test_a_name_is_what_slack_shows(facts: dict[str, Any], name: str) -> None:
    """The display name, else the real name, else the id; never longer than Slack allows."""
    profile = profile_of(MEMBER | facts, "U1")
    assert profile is not None
    assert profile.name == name
