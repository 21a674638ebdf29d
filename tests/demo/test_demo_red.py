"""The demo's red action: blocked for the agent, started by a person, approved by two, each with an own phone."""

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from bot.demo import phones
from bot.demo.routes import DemoRoutes
from bot.demo.stage import Stage
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import JONAS, MAYA, OUTSIDER, PRIYA, REFUND_APPROVALS
from tests.demo.test_demo_routes import act, done, state


def said(stage: Stage, words: str) -> Message | None:
    """Give the newest packet that says this."""
    messages = stage.slack.messages(REFUND_APPROVALS)
    return next((message for message in reversed(messages) if words in message.text), None)


async def top(stage: Stage, who: str) -> str:
    """Give the id of the dialog that this person has before him."""
    return (await stage.slack.until(lambda: stage.slack.modals(who), "a dialog"))[-1].id


async def type_code(stage: Stage, who: str, action: str) -> None:
    """Type what the own phone shows."""
    typed = {"code": {action: stage.phones.code(who)}}
    assert (await stage.slack.submit(who, await top(stage, who), typed)).ok


async def test_the_guide_follows_the_red_action(stage: Stage, page: httpx.AsyncClient) -> None:
    """Each of the three steps is ticked off by the deed; the agent takes up what the person started, and pays once."""
    assert await act(page, "propose-payout") == {"ok": True, "show": "channel"}
    assert "packet" not in await done(page, "red"), "what is blocked asks nobody"
    blocked = said(stage, "Blocked by policy")
    assert blocked is not None
    await stage.slack.click(MAYA, blocked.channel, blocked.ts, "start")
    typed = {"typed": {"value": "9400"}, "reason": {"value": "I have the invoice here."}}
    assert (await stage.slack.submit(MAYA, await top(stage, MAYA), typed)).ok
    await type_code(stage, MAYA, "value")
    assert "packet" not in await done(page, "start"), "the packet of what a person started is no step of its own"
    started = await stage.slack.until(lambda: said(stage, "started by Maya Chen"), "the packet of what was started")
    for who in (JONAS, PRIYA):
        await stage.slack.click(who, started.channel, started.ts, "approve")
        await type_code(stage, who, "code")
    assert "second-yes" in await done(page, "red-yes")
    told = "\n".join(line.title for line in stage.agent.lines)
    assert "A person has started it himself" in told
    assert "Paid INV-7731 (a pretend payment: nothing real is touched)." in told


async def test_a_phone_shows_its_own_code_for_half_a_minute(stage: Stage, page: httpx.AsyncClient) -> None:
    """Three people hold one; nobody else does; no secret stands in what a log could print of them."""
    shown = (await state(page))["phones"]
    assert [phone["user"] for phone in shown] == [MAYA, JONAS, PRIYA]
    assert len({phone["code"] for phone in shown}) == 3
    assert all(phone["code"].isdigit() and len(phone["code"]) == 6 for phone in shown)
    assert {phone["until"] % 30 for phone in shown} == {0}
    assert "TOTP" not in repr(stage.phones)
    with pytest.raises(KeyError):
        stage.phones.code(OUTSIDER)


@pytest.mark.parametrize(
    ("name", "value", "why"), [("HOLDERS", (OUTSIDER,), "other-workspace"), ("WHO_CONFIRMS", MAYA, "own-factor")]
)
async def test_a_phone_that_cannot_be_enrolled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, value: object, why: str
) -> None:
    """The demo has no way around: whoever may have no factor gets none, and nobody confirms his own."""
    monkeypatch.setattr(phones, name, value)
    with pytest.raises(phones.NoPhoneError, match=why):
        await stage.phones.hand_out()


async def test_starting_over_is_asked_for_at_the_page(stage: Stage) -> None:
    """The routes only say that somebody wants it; whoever runs the demo does it, and the page sees another number."""
    routes = DemoRoutes(3)
    routes.stage = stage
    app = Starlette(routes=routes.routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        assert (await client.post("/demo/act/start-over", data={})).status_code == 415
        assert not routes.start_over.is_set()
        assert (await client.post("/demo/act/start-over", json={})).json() == {"ok": True}
        assert routes.start_over.is_set()
        assert (await client.get("/demo/state")).json()["run"] == 3


async def test_a_code_whose_half_minute_ends_on_the_way_is_typed_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow machine has its phones all the same; a code that never counts is no endless wait."""
    monkeypatch.setattr(phones, "HOLDERS", (JONAS,))
    late = iter([timedelta(minutes=5), timedelta()])
    again = phones.Phones(stage.phones.factors, lambda: stage.phones.clock() - next(late, timedelta()))
    await again.hand_out()
    assert again.code(JONAS) != stage.phones.code(JONAS)
    never = phones.Phones(stage.phones.factors, lambda: stage.phones.clock() - timedelta(minutes=5))
    with pytest.raises(phones.NoPhoneError, match="instead of Enrolled"):
        await never.hand_out()
