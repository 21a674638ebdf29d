"""`/agent away`: what people type, and what they are told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from approval_rules.duty_events import AwayDeclined, AwaySet
from approval_rules.people import PersonId, RoleName, human
from approval_rules.refusals import Refusal
from handlers.away_desk import Away, AwaySaid, Duty
from handlers.desk import Face
from handlers.slack.away import AwayWish, away_announcement, declined_words
from handlers.slack.grammar import understand
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.test_slack_commands import type_

UNTIL = datetime(2026, 11, 27, tzinfo=UTC)
MAYA, BEN = Face("U0MAYA", "Maya <!channel>"), Face("U0BEN", "Ben")


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("away", AwayWish()),
        ("ooo", AwayWish()),
        ("back", AwayWish(back=True)),
        ("away until friday", AwayWish("until friday")),
        ("away until friday.", AwayWish("until friday")),
        ("away until friday delegate <@U0BEN|ben>", AwayWish("until friday", "U0BEN")),
        ("AWAY for 3 days DELEGATE TO <@U0BEN>", AwayWish("for 3 days", "U0BEN")),
        ("away until friday, ask <@W0BEN|delegate>", AwayWish("until friday", "W0BEN")),
        ("away delegate <@U0BEN>", AwayWish("", "U0BEN")),
        ("away decline", AwayWish(decline=True)),
        ("Away Decline.", AwayWish(decline=True)),
        ("ooo no", AwayWish(decline=True)),
        ("away until friday delegate @ben", AwayWish("until friday", unread=True)),
        ("away until friday delegate <!subteam^S0TEAM|@team>", AwayWish("until friday", unread=True)),
    ],
)
def test_what_is_read(typed: str, wish: AwayWish) -> None:
    """The colleague is an account that Slack named, never a name that somebody typed."""
    assert understand(typed) == wish


@pytest.mark.parametrize(
    ("said", "typed", "told"),
    [
        (AwaySaid(None, None, "UTC"), "away", "You are not away"),
        (AwaySaid(None, Away(MAYA, UNTIL, None), "UTC"), "away", "nobody is called instead"),
        (AwaySaid(None, Away(MAYA, UNTIL, BEN), "Europe/Berlin"), "away until fri", "time zone Europe/Berlin; Ben"),
        (AwaySaid(None, None, "UTC", unread=True), "away until never", "until when is not clear"),
        (AwaySaid(Refusal.DELEGATE_SELF, None, "UTC"), "away until fri delegate <@U0MAYA>", "your own delegate"),
        (AwaySaid(None, None, "UTC"), "away delegate <@U0BEN>", "until when is not clear"),
        (AwaySaid(None, None, "UTC"), "back", "You are back"),
        (AwaySaid(Refusal.NOT_AWAY, None, "UTC"), "back", "nothing to end"),
        (AwaySaid(None, None, "UTC"), "away decline", "nobody who is away has named you"),
        (AwaySaid(None, Away(MAYA, UNTIL, BEN), "UTC"), "away decline", "You do not stand in for Maya"),
    ],
)
async def test_what_is_answered(said: AwaySaid, typed: str, told: str) -> None:
    """Each answer says how things stand; what was not understood says how to write it."""
    assert told in str(await type_(FakeDesk(away=said), typed))


def test_an_announcement_names_both_and_pings_nobody_by_its_text() -> None:
    """Names are shown as text; one that was erased is still a person."""
    event = AwaySet(UNTIL, human(PersonId("p")), PersonId("p"), UNTIL, PersonId("q"))
    told = away_announcement(event, MAYA, None)
    assert "is away until 2026-11-27 00:00 UTC" in told
    assert "A person whose name is no longer kept is called instead" in told


def test_that_nobody_stands_in_is_told_of_names_that_are_gone_too() -> None:
    """What was erased is a person still; names are text and ping nobody."""
    event = AwayDeclined(UNTIL, human(PersonId("q")), PersonId("p"), UNTIL)
    assert "Ben (U0BEN) cannot stand in for Maya <!channel> (U0MAYA), who is away" in declined_words(event, MAYA, BEN)
    assert declined_words(event, None, None).count("A person whose name is no longer kept") == 3


async def test_whoami_says_whose_turn_it_is() -> None:
    """On call until when, from when on, or not soon; and that somebody is away."""
    desk = FakeDesk()
    role = RoleName("oncall")
    duties = [Duty(role, now=True, until=UNTIL), Duty(role, now=True, until=None)]
    duties += [Duty(role, now=False, until=UNTIL), Duty(role, now=False, until=None)]
    desk.me = replace(desk.me, duties=duties, away=Away(MAYA, UNTIL, BEN))
    told = str(await type_(desk, "whoami"))
    for piece in (
        "You are on call as oncall, until 2026-11-27 00:00 UTC.",
        "You are on call as oncall.",
        "not on call now; your turn begins 2026-11-27 00:00 UTC.",
        "not on call now.",
        "is away until",
    ):
        assert piece in told
