"""The demo page's server side: same origin only, strict headers, state and events that agree, acting as a person."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.slack_standin import page_api
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import FORMER, JONAS, MAYA, REFUND_APPROVALS, demo_workspace
from tests.slack_standin.fake_app import TOKEN, FakeApp, Json, buttons, card, modal, text_input


@pytest.fixture
async def http(slack: SlackStandin) -> AsyncIterator[httpx.AsyncClient]:
    """Return a browser's stand-in."""
    async with httpx.AsyncClient(base_url=slack.url) as client:
        yield client


async def act(http: httpx.AsyncClient, name: str, **body: object) -> Json:
    """Do something as a person."""
    answer: Json = (await http.post(f"/standin/act/{name}", json=body)).json()
    return answer


async def test_files_come_with_strict_headers(
    http: httpx.AsyncClient, tmp_path: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer forbids inline code, sniffing, framing and storing; nothing outside the page's folder is served."""
    for path in ("/", "/standin/state", "/nowhere", "/static/nowhere.js"):
        headers = (await http.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert (await http.get("/static/%2e%2e/server.py")).status_code == 404
    assert "Local Slack" in (await http.get("/")).text
    monkeypatch.setattr(page_api, "PAGE", tmp_path)
    assert (await http.get("/")).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:x", "", "127.0.0.2"])
async def test_other_host_names_get_nothing(slack: SlackStandin, http: httpx.AsyncClient, host: str) -> None:
    """A page elsewhere that rebinds its name to this machine reads neither the state nor the Web API."""
    for path in ("/standin/state", "/api/auth.test"):
        assert (await http.get(path, headers={"host": host})).status_code == 421
    port = slack.url.rpartition(":")[2]
    assert (await http.get("/standin/state", headers={"host": f"localhost:{port}"})).status_code == 200


async def test_only_the_page_itself_may_act(slack: SlackStandin, http: httpx.AsyncClient) -> None:
    """Another origin, another site or a plain form cannot act; bad bodies are 400, not a crash."""
    say = {"user": MAYA, "channel": REFUND_APPROVALS, "text": "hi"}
    url = "/standin/act/command"
    assert (await http.post(url, data=say)).status_code == 415
    assert (await http.post(url, json=say, headers={"origin": "http://evil.example"})).status_code == 403
    assert (await http.post(url, json=say, headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await http.post(url, json={"user": MAYA})).status_code == 400
    assert (await http.post(url, json=[])).status_code == 400
    assert slack.messages(REFUND_APPROVALS) == []
    assert (await http.post(url, json=say, headers={"origin": slack.url})).json() == {"ok": True}


async def test_the_state_is_what_the_page_draws(
    slack: SlackStandin, client: AsyncWebClient, http: httpx.AsyncClient, app: FakeApp
) -> None:
    """Everything visible is in the state, with the number of the last event in it; what is gone is not."""
    message = await card(client, slack)
    await client.chat_postMessage(channel=REFUND_APPROVALS, text="re", thread_ts=message.ts)
    gone = await client.chat_postMessage(channel=REFUND_APPROVALS, text="gone")
    await client.chat_delete(channel=REFUND_APPROVALS, ts=gone["ts"])
    await client.chat_postEphemeral(channel=REFUND_APPROVALS, user=MAYA, text="psst")
    await client.conversations_open(users=MAYA)
    app.opens(client, modal(text_input()))
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    state = (await http.get("/standin/state")).json()
    assert state["team"] == {"id": slack.workspace.id, "name": slack.workspace.name}
    assert state["app"]["bot_user_id"] == slack.workspace.bot_user
    kinds = {user["kind"] for user in state["users"]}
    assert kinds == {"member", "guest", "deactivated", "outside", "bot"}
    assert all(channel["name"] != "directmessage" for channel in state["channels"])
    assert [entry["text"] for entry in state["messages"]] == ["please decide", "re"]
    assert state["messages"][1]["thread_ts"] == message.ts
    assert set(state["ephemerals"][0]) == {"id", "user", "channel", "ts", "text", "blocks"}
    assert state["modals"][0]["user"] == MAYA
    assert state["modals"][0]["view"]["type"] == "modal"
    assert state["cursor"] == slack.world.feed.cursor


async def events(http: httpx.AsyncClient, path: str, count: int, headers: dict[str, str] | None = None) -> list[Json]:
    """Read so many events from the stream."""
    found: list[Json] = []
    async with http.stream("GET", path, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        entry: Json = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                entry[name] = value
            elif entry:
                found.append(entry)
                entry = {}
            if len(found) == count:
                break
    return found


async def test_events_follow_the_state(
    slack: SlackStandin, client: AsyncWebClient, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream replays what came after a number, then goes on live; a hint keeps idle connections open."""
    message = await card(client, slack)
    await client.chat_update(channel=REFUND_APPROVALS, ts=message.ts, text="done")
    replayed = await events(http, "/standin/events?after=0", 2)
    assert [(entry["id"], entry["event"]) for entry in replayed] == [("1", "message"), ("2", "message_changed")]
    assert json.loads(replayed[1]["data"])["edited"] is True
    assert (await events(http, "/standin/events", 1, {"last-event-id": "1"}))[0]["id"] == "2"
    assert (await events(http, "/standin/events?after=99", 1))[0]["id"] == "1"
    assert (await http.get("/standin/events?after=x")).status_code == 400
    monkeypatch.setattr(page_api, "KEEP_ALIVE_S", 0.01)
    live = asyncio.create_task(events(http, "/standin/events?after=2", 1))
    await asyncio.sleep(0.05)
    await client.chat_delete(channel=REFUND_APPROVALS, ts=message.ts)
    (entry,) = await live
    assert (entry["event"], json.loads(entry["data"])["deleted"]) == ("message_deleted", True)


async def test_an_open_stream_does_not_hold_up_the_end() -> None:
    """The stand-in stops at once although a page still listens."""
    slack = await SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN).start()
    async with httpx.AsyncClient(base_url=slack.url) as http, http.stream("GET", "/standin/events") as response:
        lines = response.aiter_lines()
        await anext(lines)
        await asyncio.wait_for(slack.stop(), 2)
        assert [line async for line in lines if line] == []


async def test_clicking_from_the_page(
    slack: SlackStandin, client: AsyncWebClient, http: httpx.AsyncClient, app: FakeApp
) -> None:
    """Messages, ephemerals and modals are clicked by their ids; what cannot be pressed is a warning."""
    message = await card(client, slack)
    await client.chat_postEphemeral(channel=REFUND_APPROVALS, user=MAYA, text="x", blocks=[buttons("ok")])
    app.opens(client, modal(buttons("more")))
    where = {"channel": REFUND_APPROVALS, "ts": message.ts, "block_id": "b1", "action_id": "approve"}
    assert await act(http, "click", user=MAYA, **where) == {"ok": True}
    app.answer = None
    note, view = slack.ephemerals(MAYA)[0], slack.modals(MAYA)[0]
    press = {"user": MAYA, "block_id": "b1"}
    assert await act(http, "click", **press, ephemeral_id=note.id, action_id="ok") == {"ok": True}
    assert await act(http, "click", **press, view_id=view.id, action_id="more") == {"ok": True}
    for gone in ({"ephemeral_id": "E0"}, {"view_id": "V0"}, {"channel": REFUND_APPROVALS, "ts": "1.1"}):
        assert "gone" in (await act(http, "click", **press, **gone, action_id="ok"))["warning"]
    assert "deactivated" in (await act(http, "click", **{**where, "user": FORMER}))["warning"]
    app.says(500)
    assert await act(http, "click", user=MAYA, **where) == {
        "ok": False,
        "warning": "⚠ This app responded with Status Code 500.",
    }


async def test_commands_and_words_from_the_page(slack: SlackStandin, http: httpx.AsyncClient, app: FakeApp) -> None:
    """A slash sends a command, anything else is said; what fails says why."""
    say = {"user": MAYA, "channel": REFUND_APPROVALS}
    assert await act(http, "command", **say, text="/agent pause all") == {"ok": True}
    assert app.seen[-1].form["text"] == "pause all"
    assert await act(http, "command", **say, text="hello") == {"ok": True}
    assert slack.messages(REFUND_APPROVALS)[0].user == MAYA
    assert "not a valid command" in (await act(http, "command", **say, text="/dance"))["error"]
    app.says(500)
    assert "http_service_error" in (await act(http, "command", **say, text="/agent"))["error"]


async def test_modals_from_the_page(
    slack: SlackStandin, client: AsyncWebClient, http: httpx.AsyncClient, app: FakeApp
) -> None:
    """A submission brings the page's values, comes back with errors or done; closing closes."""
    message = await card(client, slack)
    app.opens(client, modal(text_input()))
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    app.answer = None
    view = {"user": MAYA, "view_id": slack.modals(MAYA)[0].id}
    assert (await act(http, "submit", **view, values={}))["errors"] == {"why": "Please complete this required field."}
    values = {"why": {"text": {"type": "plain_text_input", "value": "because"}}}
    app.says(500)
    assert "trouble" in (await act(http, "submit", **view, values=values))["warning"]
    app.answer = None
    assert await act(http, "submit", **view, values=values) == {"ok": True}
    assert "gone" in (await act(http, "submit", **view))["warning"]
    assert "gone" in (await act(http, "close", **view))["warning"]
    app.opens(client, modal(text_input()))
    await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")
    assert await act(http, "close", user=MAYA, view_id=slack.modals(MAYA)[0].id) == {"ok": True}
    assert slack.modals(MAYA) == []


async def test_a_demo_can_add_its_own_routes() -> None:
    """Extra routes are served beside the page's, behind the same guards."""

    async def demo(_request: Request) -> JSONResponse:
        return JSONResponse({"demo": True})

    routes = [Route("/demo/state", demo)]
    slack = SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN, extra_routes=routes)
    async with slack, httpx.AsyncClient() as http:
        answer = await http.get(f"{slack.url}/demo/state")
        assert answer.json() == {"demo": True}
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_home_of_the_app(
    http: httpx.AsyncClient, slack: SlackStandin, client: AsyncWebClient, app: FakeApp
) -> None:
    """Opening it tells the app; what the app publishes is in the state and an event; its buttons can be pressed."""
    assert await act(http, "home", user=MAYA) == {"ok": True}
    assert app.seen[-1].payload["event"]["type"] == "app_home_opened"
    await client.views_publish(user_id=MAYA, view={"type": "home", "blocks": [buttons("pause")]})
    (home,) = (await http.get("/standin/state")).json()["homes"]
    assert (home["user"], home["view"]["type"]) == (MAYA, "home")
    assert [entry.data["user"] for entry in slack.world.feed.after(0) if entry.event == "home"] == [MAYA]
    assert (await act(http, "click", user=MAYA, view_id=home["view"]["id"], action_id="pause"))["ok"]
    assert app.seen[-1].payload["view"]["type"] == "home"
    other = await act(http, "click", user=JONAS, view_id=home["view"]["id"], action_id="pause")
    assert "no live element" in other["warning"], "nobody presses another person's button"
    assert not (await act(http, "home", user=FORMER))["ok"]
    slack.request_url = "http://127.0.0.1:1/slack/events"
    assert (await act(http, "home", user=MAYA))["warning"] == "The app did not answer."


async def test_a_name_that_is_typed_becomes_a_mention(
    http: httpx.AsyncClient, slack: SlackStandin, app: FakeApp
) -> None:
    """As in Slack: the longest name that somebody has; one that nobody has, and an address, stay as they are."""
    await act(http, "command", user=MAYA, channel=REFUND_APPROVALS, text="/agent away delegate @Jonas Weber, @nobody")
    assert app.seen[-1].form["text"] == f"away delegate <@{JONAS}|jonas>, @nobody"
    await act(http, "command", user=MAYA, channel=REFUND_APPROVALS, text="@jonas <@U1> mail a@maya.example")
    assert slack.messages(REFUND_APPROVALS)[-1].content.text == f"<@{JONAS}> &lt;@U1&gt; mail a@maya.example"
