"""What the page asks for beside the channel: state, events, acts; for the page itself only."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.demo.routes import DemoRoutes
from bot.demo.stage import Stage
from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS, SAM
from tests.demo.test_demo_cases import packet_of


async def act(page: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """Press a button of the page."""
    answer: dict[str, Any] = (await page.post(f"/demo/act/{name}", json={})).json()
    return answer


async def state(page: httpx.AsyncClient) -> dict[str, Any]:
    """Read the whole state."""
    answer: dict[str, Any] = (await page.get("/demo/state")).json()
    return answer


async def done(page: httpx.AsyncClient, *wanted: str) -> set[str]:
    """Wait until these steps are done; give all that are."""
    async with asyncio.timeout(10):
        while True:
            found = {step["id"] for step in (await state(page))["steps"] if step["done"]}
            if found >= set(wanted):
                return found
            await asyncio.sleep(0.05)


async def test_the_state_has_the_shape_that_the_page_draws(page: httpx.AsyncClient) -> None:
    """Steps, agent, log and so on, each with the fields that the page reads, also before anything happened."""
    first = await state(page)
    assert set(first) == {"run", "steps", "agent", "log", "verify", "paused", "phones"}
    assert first["run"] == 0
    assert [step["done"] for step in first["steps"]] == [False] * 14
    assert [step["id"] for step in first["steps"] if step["with_passkey"]] == ["start"]
    assert [set(phone) for phone in first["phones"]] == [{"user", "code", "until"}] * 3
    assert first["steps"][0]["action"] == {"label": "Let the agent propose $42.50", "post": "/demo/act/propose-small"}
    assert first["verify"]["status"] == "unknown"
    assert first["paused"] == []
    assert await act(page, "propose") == {"ok": True}
    await done(page, "small")
    later = await state(page)
    assert set(later["log"][0]) == {"seq", "at", "type", "actor", "subject", "hash", "prev"}
    assert [row["seq"] for row in later["log"]] == list(range(len(later["log"])))
    assert later["log"][1]["prev"] == later["log"][0]["hash"]
    assert set(later["agent"][0]) == {"at", "direction", "title", "detail", "ok"}
    assert {line["direction"] for line in later["agent"]} == {"sent", "received", "note"}


async def test_the_guide_follows_what_really_happened(stage: Stage, page: httpx.AsyncClient) -> None:
    """Each step is ticked off by the deed itself, whoever did it and wherever: clicks, commands and the agent."""
    assert await act(page, "propose-small") == {"ok": True}, "nobody is asked: there is nothing to see in the channel"
    await done(page, "small")
    assert await act(page, "propose-large") == {"ok": True, "show": "channel"}
    await done(page, "packet")
    subject = next(row["subject"] for row in (await state(page))["log"] if row["type"] == "packet.posted")
    packet = await packet_of(stage, subject)
    for who, step in ((MAYA, "first-yes"), (SAM, "refused"), (JONAS, "second-yes")):
        await stage.slack.click(who, packet.channel, packet.ts, "approve")
        await done(page, step)
    await stage.slack.command(SAM, REFUND_APPROVALS, "/agent", "pause looks wrong")
    now = await state(page)
    assert [(pause["scope"], pause["by"]) for pause in now["paused"]] == [("all", SAM)]
    assert (await act(page, "propose"))["text"].startswith("The agent was refused: 423")
    await done(page, "pause")
    await stage.slack.command(MAYA, REFUND_APPROVALS, "/agent", "resume all")
    await stage.slack.command(JONAS, REFUND_APPROVALS, "/agent", "resume all")
    assert "hostile" not in await done(page, "resume")
    await stage.slack.command(SAM, REFUND_APPROVALS, "/agent", "pause agent refund-bot")
    assert (await state(page))["paused"][0]["scope"] == "agent refund-bot"


async def test_the_log_on_the_page_is_checked_forged_and_restored(page: httpx.AsyncClient) -> None:
    """Verify, tamper, verify, restore: the page says which entry, and each impossible act says why."""
    assert "nothing worth forging" in (await act(page, "tamper"))["text"]
    assert "Nothing is forged" in (await act(page, "restore"))["text"]
    await act(page, "propose-small")
    await done(page, "small")
    assert await act(page, "verify") == {"ok": True, "show": "log"}
    assert (await state(page))["verify"]["status"] == "ok"
    assert await act(page, "tamper") == {"ok": True, "show": "log"}
    assert "forged already" in (await act(page, "tamper"))["text"]
    await act(page, "verify")
    found = (await state(page))["verify"]
    assert found["status"] == "broken"
    assert found["text"].startswith(f"Entry {found['broken_seq']}: ")
    await act(page, "restore")
    assert {"verify", "forge"} <= await done(page)
    await act(page, "verify")
    assert (await state(page))["verify"]["status"] == "ok"


async def test_a_burst_is_ten_packets(page: httpx.AsyncClient) -> None:
    """Ten proposals at once, each with its own packet."""
    assert await act(page, "burst") == {"ok": True, "show": "channel"}
    await done(page, "burst")
    posted = [row["subject"] for row in (await state(page))["log"] if row["type"] == "packet.posted"]
    assert len(set(posted)) == 10


async def test_only_the_page_itself_may_act(stage: Stage, page: httpx.AsyncClient) -> None:
    """A form, another origin, another site or another host name starts nothing; an unknown act is said to be one."""
    url = "/demo/act/propose"
    assert (await page.post(url, data={})).status_code == 415
    assert (await page.post(url, json={}, headers={"origin": "http://evil.example"})).status_code == 403
    assert (await page.post(url, json={}, headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await page.post(url, json={}, headers={"host": "evil.example"})).status_code == 421
    assert (await page.get("/demo/state", headers={"host": "evil.example"})).status_code == 421
    assert (await page.get(url)).status_code == 405
    assert (await page.post("/demo/act/format-disk", json={})).status_code == 404
    assert list(stage.agent.lines) == []
    assert (await page.post(url, json={}, headers={"origin": stage.slack.url})).json() == {"ok": True}


async def test_every_change_is_an_event(stage: Stage, page: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream begins with an event, speaks again when something happens anywhere, and keeps quiet lines open."""
    monkeypatch.setattr("bot.demo.routes.LOOK_S", 0.01)
    monkeypatch.setattr("bot.demo.routes._STILL_HERE", 3)
    async with page.stream("GET", "/demo/events") as response, asyncio.timeout(10):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        heard = [line async for line in _until(lines, ": still here")]
        assert [line for line in heard if line.startswith("data:")]
        await stage.inspection.verify()
        assert [line async for line in _until(lines, "data:")]


async def _until(lines: Any, wanted: str) -> Any:  # noqa: ANN401 - httpx's iterator of lines
    async for line in lines:
        yield line
        if line.startswith(wanted):
            return


async def test_before_the_stage_is_set() -> None:
    """A page that asks too early is told to try again."""
    app = Starlette(routes=DemoRoutes().routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as early:
        assert (await early.get("/demo/state")).status_code == 503
        assert (await early.get("/demo/events")).status_code == 503
        assert (await early.post("/demo/act/propose", json={})).status_code == 503
