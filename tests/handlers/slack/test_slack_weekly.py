"""The buttons and the modal of a weekly review where something is wrong: nobody is left without an answer."""

import json
from typing import Any
from unittest.mock import AsyncMock

import pytest

from approval_rules.refusals import Refusal
from handlers.desk import DeskUnavailableError
from handlers.slack.ids import REVIEW_FLAG, REVIEW_READ, read_report
from handlers.slack.weekly import WeekPresses
from handlers.weekly_desk import WeeklyDesk

REPORT = "sha256:" + "a" * 64


def presses(**answers: Any) -> WeekPresses:  # noqa: ANN401 - what a desk answers, or raises
    """Make the edge over a desk that answers so, and a Slack that takes every modal."""
    desk = AsyncMock(spec=WeeklyDesk)
    for name, answer in answers.items():
        getattr(desk, name).side_effect = answer if isinstance(answer, Exception) else None
        getattr(desk, name).return_value = answer
    return WeekPresses(desk, AsyncMock())


def press(value: str = REPORT) -> dict[str, Any]:
    """Press a button as Slack tells it."""
    user = {"id": "U0MAYA", "team_id": "T0HOME", "name": "maya"}
    return {"user": user, "trigger_id": "1.2", "actions": [{"action_id": REVIEW_READ, "value": value}]}


def flagged(metadata: str = REPORT, items: str = "1", note: str = "look") -> dict[str, Any]:
    """Submit the modal as Slack tells it."""
    values = {"items": {"items": {"value": items}}, "reason": {"reason": {"value": note}}}
    view = {"callback_id": REVIEW_FLAG, "private_metadata": metadata, "state": {"values": values}}
    return {"user": {"id": "U0MAYA", "team_id": "T0HOME"}, "view": view}


async def test_an_outage_is_said_in_a_modal() -> None:
    """While the records cannot be reached, a press is answered with that, and nothing counts."""
    edge = presses(read_week=DeskUnavailableError("down"))
    assert (await edge.pressed(press(), "r1")).status == 200
    view = edge.client.views_open.call_args.kwargs["view"]  # type: ignore[attr-defined]  # a mock
    assert "could not reach its records" in json.dumps(view)


async def test_an_outage_keeps_what_was_typed() -> None:
    """A flag that could not be written is told at the field, in the same modal."""
    answered = await presses(flag_week=DeskUnavailableError("down")).submitted(flagged(), "r1")
    assert json.loads(answered.body)["response_action"] == "errors"


async def test_a_modal_that_is_not_ours_flags_nothing() -> None:
    """Without a report's name in it, the desk is not even asked."""
    edge = presses()
    assert "did not count" in (await edge.submitted(flagged("prop_1|x"), "r1")).body
    edge.desk.flag_week.assert_not_called()  # type: ignore[attr-defined]  # a mock


async def test_a_late_refusal_takes_the_modals_place() -> None:
    """Whoever lost the role while typing is told so."""
    answered = await presses(flag_week=Refusal.NOT_IN_ROLE).submitted(flagged(items="3, 1 1"), "r1")
    assert "has its role" in answered.body


@pytest.mark.parametrize("value", [None, 7, "", "sha256:", REPORT.upper(), REPORT + "\n", f"{REPORT}|x"])
def test_only_a_reports_name_is_one(value: object) -> None:
    """Anything that we did not write is unreadable."""
    assert read_report(value) is None
