"""`/agent incident`: how it may be typed, what is answered, and how a channel hears of it."""

import json

import pytest

from approval_rules.events import IncidentChanged, Refusal
from approval_rules.people import human, operator
from approval_rules.switch import Incident
from approval_rules.text import AgentText
from bot.slack_standin.pings import in_message
from handlers.desk import Face
from handlers.slack.grammar import IncidentWish, understand
from handlers.slack.sentences import incident_announcement
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.made import ADA, GRACE, NOW
from tests.handlers.slack.test_slack_commands import type_


@pytest.mark.parametrize(
    ("typed", "on", "reason"),
    [
        ("incident on", True, ""),
        ("Incident ON.", True, ""),
        ("incident on the provider is down", True, "the provider is down"),
        ("incident start “it loops”", True, '"it loops"'),
        ("incident off", False, ""),
        ("incident over all is well", False, "all is well"),
        ("incident end", False, ""),
        ("incident", None, ""),
        ("incident the provider is down", None, "provider is down"),
        ("incident yes", None, ""),
    ],
)
def test_on_and_off_are_understood_and_nothing_is_guessed(typed: str, on: bool | None, reason: str) -> None:  # noqa: FBT001 - the expected value
    """Neither is assumed where neither was said."""
    assert understand(typed) == IncidentWish(on, reason)


async def test_what_was_done_is_said() -> None:
    """On says what it means and how to stop things, off says that it is over; the reason is quoted."""
    desk = FakeDesk()
    told = await type_(desk, "incident on the provider is down")
    assert "An incident is on. Reason: “the provider is down”. Policies can be stricter" in told
    assert "The incident is over." in await type_(desk, "incident off")
    assert [what for _, what in desk.asked] == ["incident on", "incident off"]


async def test_neither_on_nor_off_changes_nothing_and_tells_how() -> None:
    """Whoever only wants to know is told what is on, and how it is changed."""
    desk = FakeDesk()
    told = await type_(desk, "incident")
    assert "No incident is on." in told
    assert "type /agent incident on, or /agent incident off" in told
    desk.incident = Incident(NOW, operator(ADA), AgentText("<!channel> *down*"))
    told = await type_(desk, "incident maybe")
    assert "Incident since 2026-" in told
    body = json.loads(told)
    assert in_message(body["text"], body["blocks"], link_names=True) == []
    assert desk.asked == []


@pytest.mark.parametrize("refusal", [Refusal.INCIDENT_ON, Refusal.NO_INCIDENT, Refusal.NOT_OPERATOR, Refusal.GUEST])
@pytest.mark.parametrize("typed", ["incident on", "incident off"])
async def test_a_refusal_says_why(refusal: Refusal, typed: str) -> None:
    """Every reason has its sentence, and nothing else is claimed."""
    told = await type_(FakeDesk(refuses_switch=refusal), typed)
    assert "did not count" in told or "Nothing was changed" in told
    assert "🚨" not in told
    assert "is over" not in told


async def test_the_status_shows_an_incident_and_is_silent_without_one() -> None:
    """Who said so, since when and why; a quiet day has no line about it."""
    desk = FakeDesk()
    assert "ncident since" not in await type_(desk, "status")
    desk.incident = Incident(NOW, human(GRACE), AgentText("down"))
    told = await type_(desk, "status")
    assert "🚨 Incident since 2026-" in told
    assert "Reason: “down”" in told


@pytest.mark.parametrize("face", [None, Face("U0ADA", "<!here> Ada")])
def test_a_channel_hears_who_and_why(face: Face | None) -> None:
    """Both announcements name the person and the reason, and hostile names ping nobody."""
    who = "An operator on the server" if face is None else "U0ADA"
    on = incident_announcement(IncidentChanged(NOW, human(ADA), "declared", AgentText("down <!channel>")), face)
    assert who in on
    assert "When it is over: /agent incident off" in on
    off = incident_announcement(IncidentChanged(NOW, human(ADA), "cleared", AgentText("")), face)
    assert who in off
    assert "ended the incident." in off
