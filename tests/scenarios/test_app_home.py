"""The app's home: what is paused, when the switch was last proved, what waits, and one button that stops everything."""

import json

import pytest

from approval_rules.drill import DRILL
from approval_rules.events import Paused
from bot.desk.people import PeopleUseCases
from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import LENA, MAYA, SAM
from handlers.desk import DeskUnavailableError
from tests.world import World


async def home(world: World, user: str) -> str:
    """Open the home and give what it shows."""
    assert (await world.slack.open_home(user)).ok
    view = world.slack.home(user)
    assert view is not None
    return json.dumps(view.view, ensure_ascii=False)


async def press(world: World, user: str, action: str) -> None:
    """Press a button of the home."""
    view = world.slack.home(user)
    assert view is not None
    outcome = await world.slack.click_view(user, view.id, action)
    assert outcome.ok, outcome.warning


async def test_home_shows_the_state_and_what_waits(world: World) -> None:
    """Nothing paused, a proposal with its details, and whether a drill was held."""
    await world.packet_of(await world.propose(180))
    shown = await home(world, MAYA)
    assert "Nothing is paused" in shown
    assert "$180.00" in shown
    assert "no drill of the kill switch was held yet" in shown
    await press(world, MAYA, "details")
    assert "ORD-" in json.dumps(world.slack.modals(MAYA)[-1].view)
    await world.running.drills.hold(DRILL)
    await press(world, MAYA, "home_status")
    view = world.slack.home(MAYA)
    assert view is not None
    assert "a claim was refused" in json.dumps(view.view)


async def test_everything_is_paused_from_home(world: World) -> None:
    """One press by any full member; the home says who paused, to whoever opens it."""
    await home(world, SAM)
    await press(world, SAM, "home_pause")
    assert (await world.post_proposal(42)).status_code == 423
    view = world.slack.home(SAM)
    assert view is not None
    assert "Everything is paused since" in json.dumps(view.view)
    assert SAM in await home(world, MAYA)
    assert len(world.ledger().events(Paused)) == 1


async def test_a_guest_sees_why_not_and_pauses_nothing(world: World) -> None:
    """Neither what waits nor the button is for a guest."""
    await world.packet_of(await world.propose(180))
    shown = await home(world, LENA)
    assert "$180.00" not in shown
    await press(world, LENA, "home_pause")
    assert "you are a guest" in json.dumps(world.slack.modals(LENA)[-1].view)
    assert (await world.post_proposal(42)).status_code == 201


async def test_home_answers_while_slack_is_down(world: World) -> None:
    """An event that cannot be answered is an error to Slack, which sends it again; nothing breaks."""
    world.slack.fail("views.publish", ServerError())
    assert (await world.slack.open_home(MAYA)).status == 503
    await home(world, MAYA)


async def test_home_says_when_it_cannot_tell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the store out of reach the home says so, and its button is answered; events about other tabs are taken."""

    async def away(*_: object, **__: object) -> None:
        raise DeskUnavailableError("away")

    await home(world, MAYA)
    monkeypatch.setattr(PeopleUseCases, "pause", away)
    await press(world, MAYA, "home_pause")
    assert "could not reach its records" in json.dumps(world.slack.modals(MAYA)[-1].view)
    monkeypatch.setattr(PeopleUseCases, "overview", away)
    assert "could not reach its records" in await home(world, MAYA)
    event = {"type": "app_home_opened", "user": MAYA, "channel": "D1", "tab": "messages", "event_ts": "1.0"}
    assert (await world.slack.event(event)).ok


async def test_home_names_an_incident_and_that_there_is_more(world: World) -> None:
    """Ten are listed, and that there are more is said."""
    for _ in range(11):
        await world.propose(180)
    await world.say(SAM, "incident on the provider is down")
    shown = await home(world, MAYA)
    assert "An incident is on" in shown
    assert "These are the 10 most urgent; there are more." in shown
