"""`/agent people`: names two accounts, or shows who is one person; anything else changes nothing."""

import pytest

from approval_rules.events import Refusal
from handlers.desk import Face
from handlers.persons_desk import PersonsKnown
from tests.handlers.slack.fake_desk import FakeDesk, FakePersons
from tests.handlers.slack.test_slack_commands import type_

ANN, BEN = Face("U0ANN000001", "Ann <!channel>"), Face("U0BEN000001", "Ben")


@pytest.mark.parametrize(
    ("typed", "change"),
    [
        ("people join <@U0ANN000001|ann> <@U0BEN000001|ben>", ("join", "U0ANN000001", "U0BEN000001")),
        ("People APART <@U0ANN000001> and <@W0BEN000001>", ("part", "U0ANN000001", "W0BEN000001")),
        ("people apart U0ANN000001 U0BEN000001", ("part", "U0ANN000001", "U0BEN000001")),
    ],
)
async def test_two_accounts_are_named_by_mention_or_id(typed: str, change: tuple[str, str, str]) -> None:
    """The ids come from Slack's mentions, never from a name that is shown."""
    desk = FakeDesk()
    assert "second admin" in await type_(desk, typed)
    assert desk.persons.changes == [change]


@pytest.mark.parametrize(
    "typed",
    [
        "people join",
        "people join @ann @ben",
        "people apart <@U0ANN000001>",
        "people join <@U0ANN000001> <@U0BEN000001> <@U0CEM000001>",
    ],
)
async def test_anything_but_two_accounts_changes_nothing(typed: str) -> None:
    """One, three, or names that are no mentions: told how, nothing said."""
    desk = FakeDesk()
    assert "Nothing was changed" in await type_(desk, typed)
    assert desk.persons.changes == []


@pytest.mark.parametrize(("word", "told"), [("join", "are one person from now on"), ("apart", "are two persons")])
async def test_the_second_admin_hears_what_is_true_now(word: str, told: str) -> None:
    """What was done is said in words."""
    desk = FakeDesk(persons=FakePersons(waiting=False))
    assert told in await type_(desk, f"people {word} <@U0ANN000001> <@U0BEN000001>")


@pytest.mark.parametrize("code", [Refusal.NOT_ADMIN, Refusal.OWN_ACCOUNT, Refusal.NOTHING_CHANGED])
async def test_a_refusal_says_why(code: Refusal) -> None:
    """Each in its own words."""
    desk = FakeDesk(persons=FakePersons(refusal=code))
    assert "Nothing was changed" in await type_(desk, "people join <@U0ANN000001> <@U0BEN000001>")


async def test_who_is_one_person_is_listed() -> None:
    """Groups, pairs that were parted, and first halves; a hostile name stays a name."""
    known = PersonsKnown([[ANN, BEN]], [[ANN, BEN]], [("join", ANN, BEN), ("part", BEN, ANN)])
    told = await type_(FakeDesk(persons=FakePersons(known)), "people")
    assert "One person: Ann" in told
    assert "Two persons, as two admins said" in told
    assert "second admin: join Ann" in told
    assert "second admin: apart Ben" in told
    assert "&lt;!channel&gt;" in told
    assert "mrkdwn" not in told


async def test_nobody_with_two_accounts_and_nobody_who_may_look() -> None:
    """An empty list says so; whoever has no role is told why he sees none."""
    assert "Nobody here has several accounts" in await type_(FakeDesk(), "people")
    told = await type_(FakeDesk(persons=FakePersons(Refusal.NOT_IN_ROLE)), "people")
    assert "not in a role" in told
