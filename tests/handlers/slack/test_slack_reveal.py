"""The button and the form for originals where something is wrong: nobody is left without an answer."""

import json
from typing import Any
from unittest.mock import AsyncMock

from handlers.desk import DeskUnavailableError
from handlers.reveal_desk import Choice, RevealDesk
from handlers.slack.ids import REVEAL
from handlers.slack.reveal_modal import Reveals

TARGET = "prop_1|sha256:" + "a" * 64
USER = {"id": "U0MAYA", "team_id": "T0HOME", "name": "maya"}


def reveals(answer: Any = None) -> Reveals:  # noqa: ANN401 - what a desk answers, or raises
    """Make the edge over a desk that answers so, and a Slack that takes every modal."""
    desk = AsyncMock(spec=RevealDesk)
    desk.in_slack.side_effect = answer if isinstance(answer, Exception) else None
    desk.in_slack.return_value = answer
    return Reveals(desk, AsyncMock())


def press(value: str = TARGET) -> dict[str, Any]:
    """Press the button as Slack tells it."""
    action = {"action_id": REVEAL, "value": value}
    return {"user": USER, "trigger_id": "1.2", "container": {"type": "view"}, "actions": [action]}


def filled(field: str | None = "iban", why: str = "case 17") -> dict[str, Any]:
    """Submit the form as Slack tells it."""
    chosen = {"selected_option": None if field is None else {"value": field}}
    values = {"field": {"field": chosen}, "reason": {"reason": {"value": why}}}
    view = {"callback_id": REVEAL, "private_metadata": "prop_1", "state": {"values": values}}
    return {"user": USER, "view": view}


async def pushed(edge: Reveals, body: dict[str, Any]) -> str:
    """Press, and give what came on top."""
    assert (await edge.pressed(body, "r1")).status == 200
    return json.dumps(edge.client.views_push.call_args.kwargs["view"])  # type: ignore[attr-defined]  # a mock


async def test_a_press_is_always_answered() -> None:
    """By the trouble, by what is wrong with the button, or by there being no such proposal any more."""
    assert "could not reach its records" in await pushed(reveals(DeskUnavailableError("down")), press())
    edge = reveals()
    assert "not one that Foureyes can read" in await pushed(edge, press("prop_1"))
    edge.desk.in_slack.assert_not_called()  # type: ignore[attr-defined]  # a mock
    assert "does not know this proposal" in await pushed(reveals(None), press())


async def test_a_name_that_no_menu_takes_is_left_to_the_command() -> None:
    """A form is never refused by Slack for one long name among others."""
    view = json.loads(await pushed(reveals(Choice("prop_1", ["x" * 76, "iban"])), press()))
    assert [each["value"] for each in view["blocks"][0]["element"]["options"]] == ["iban"]


async def test_a_form_without_a_choice_or_a_reason_asks_nothing() -> None:
    """It stays open, with what is missing said at its field; one that nobody sent is unreadable."""
    edge = reveals()
    for body, said in ((filled(None), "choose"), (filled(why=""), "say why"), (filled(why="x" * 501), "say why")):
        assert said in (await edge.submitted(body, "r1")).body
    assert "not one that Foureyes can read" in (await edge.submitted({**filled(), "user": {}}, "r1")).body
    edge.desk.in_slack.assert_not_called()  # type: ignore[attr-defined]  # a mock
