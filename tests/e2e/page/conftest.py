"""The page's stage: the local Slack, an app that answers it, and somebody looking at it in a browser."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest_asyncio
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.slack_standin.conversations import Content
from bot.slack_standin.limits import Rates
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import REFUND_APPROVALS, demo_workspace
from bot.slack_standin.world import Options

Json = dict[str, Any]
TOKEN = "xoxb-page-tests"
SHORT_PATIENCE_S = 0.5
TOO_LATE_S = 0.9
WHEN = "2026-01-01T10:00:00Z"
DEMO: Json = {
    "steps": [
        {
            "id": "propose",
            "title": "Let the agent propose",
            "text": "Type `/agent status` too.",
            "done": False,
            "action": {"label": "Propose", "post": "/demo/act/propose"},
        },
        {"id": "later", "title": "Later", "text": "Second step", "done": True, "action": None},
    ],
    "agent": [{"at": WHEN, "direction": "sent", "title": "POST", "detail": "<b>x</b>", "ok": False}],
    "log": [
        {"seq": 1, "at": WHEN, "type": "Submitted", "actor": "a", "subject": "p1", "hash": "aa", "prev": ""},
        {"seq": 2, "at": WHEN, "type": "Voted", "actor": "b", "subject": "p1", "hash": "bb", "prev": "XX"},
    ],
    "verify": {"status": "broken", "text": "Row 2 was changed"},
    "paused": [{"scope": "all", "since": WHEN, "by": "maya"}],
}


def plain(text: str) -> Json:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


def section(text: str) -> Json:
    """Return a section of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str, text: str, **more: object) -> Json:
    """Return a button."""
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": "p1", **more}


def card() -> list[Json]:
    """Return a refund's packet."""
    confirm = {
        "title": plain("Approve this refund?"),
        "text": {"type": "mrkdwn", "text": "*$180.00* leaves the account."},
        "confirm": plain("Approve"),
        "deny": plain("Not yet"),
    }
    return [
        {"type": "header", "text": plain("Refund $180.00")},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Order*\nA-1001"}, plain("Customer: Northwind")]},
        {
            "type": "actions",
            "elements": [
                button("approve", "Approve …", style="primary", confirm=confirm),
                button("deny", "Deny …", style="danger"),
                button("slow", "Details"),
            ],
        },
    ]


DENY_VIEW: Json = {
    "type": "modal",
    "callback_id": "deny",
    "title": plain("Deny this refund"),
    "submit": plain("Deny"),
    "close": plain("Cancel"),
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True, "min_length": 3},
        },
        {
            "type": "input",
            "block_id": "kind",
            "optional": True,
            "label": plain("Kind"),
            "element": {
                "type": "radio_buttons",
                "action_id": "pick",
                "options": [
                    {"text": plain("Amount"), "value": "amount"},
                    {"text": plain("Customer"), "value": "customer"},
                ],
            },
        },
    ],
}


@dataclass
class Stage:
    """The local Slack, what its app was sent, and a browser to look with."""

    slack: SlackStandin
    browser: Browser
    received: list[Json] = field(default_factory=list)

    async def call(self, method: str, **arguments: object) -> Json:
        """Call the Web API as the app."""
        async with httpx.AsyncClient() as client:
            headers = {"authorization": f"Bearer {TOKEN}"}
            answer: Json = (await client.post(self.slack.api_url + method, json=arguments, headers=headers)).json()
        return answer

    async def post(self, blocks: list[Json], text: str = "a packet") -> Json:
        """Post a message as the app, through the strict Web API."""
        answer = await self.call("chat.postMessage", channel=REFUND_APPROVALS, text=text, blocks=blocks)
        assert answer["ok"], answer
        return answer

    def plant(self, blocks: list[Json]) -> None:
        """Put a message there that the Web API would refuse."""
        self.slack.world.conversations.post(REFUND_APPROVALS, Content("planted", blocks))

    async def look(self, width: int = 1280, height: int = 800, **how: Any) -> Page:  # noqa: ANN401 - what new_context takes
        """Open the page in a browser of its own; any error in it fails the test."""
        context = await self.browser.new_context(viewport={"width": width, "height": height}, **how)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.received.append({"type": "page error", "error": str(error)}))
        await page.goto(self.slack.url)
        await page.locator("#people [aria-checked=true]").wait_for(state="attached")
        return page

    async def heard(self, wanted: Callable[[Json], bool]) -> Json:
        """Return the first payload of a kind that the app was sent, waiting for it."""
        async with asyncio.timeout(5):
            while not (found := [payload for payload in self.received if wanted(payload)]):  # noqa: ASYNC110 - no event to await
                await asyncio.sleep(0.02)
        return found[0]

    async def answer(self, request: Request) -> Response:
        """Be the app: `deny` opens a dialog, `slow` misses Slack's patience, a reason with `bad` in it is refused."""
        form = parse_qs((await request.body()).decode())
        if "command" in form:
            return JSONResponse({"response_type": "ephemeral", "text": f"*Status* for `{form['text'][0]}`: all quiet"})
        payload: Json = json.loads(form["payload"][0])
        self.received.append(payload)
        if payload["type"] == "view_submission":
            reason = payload["view"]["state"]["values"]["reason"]["text"]["value"]
            errors = {"reason": "Say what is wrong with it"}
            return JSONResponse({"response_action": "errors", "errors": errors}) if "bad" in reason else Response()
        action = payload["actions"][0]["action_id"] if payload.get("actions") else ""
        if action == "deny":
            await self.call("views.open", trigger_id=payload["trigger_id"], view=DENY_VIEW)
        if action == "slow":
            await asyncio.sleep(TOO_LATE_S)
        return Response()


async def _demo_state(_request: Request) -> Response:
    return JSONResponse(DEMO)


async def _demo_act(request: Request) -> Response:
    return JSONResponse({"ok": False, "text": f"no {request.path_params['name']} today"})


def _options() -> Options:
    return Options(rates=Rates.unlimited(), patience_s=SHORT_PATIENCE_S)


async def _staged(browser: Browser, routes: list[Route]) -> AsyncIterator[Stage]:
    slack = SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN, options=_options(), extra_routes=routes)
    async with slack:
        stage = Stage(slack, browser)
        app = LoopbackServer(Starlette(routes=[Route("/slack/events", stage.answer, methods=["POST"])]))
        await app.start()
        slack.request_url = f"{app.url}/slack/events"
        yield stage
        for context in browser.contexts:
            await context.close()
        await app.stop()
    errors = [entry for entry in stage.received if entry["type"] == "page error"]
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    """The local Slack without a demo beside it."""
    async for staged in _staged(browser, []):
        yield staged


@pytest_asyncio.fixture(loop_scope="session")
async def demo(browser: Browser) -> AsyncIterator[Stage]:
    """The local Slack with the demo's guide, agent and log."""
    routes = [
        Route("/demo/state", _demo_state),
        Route("/demo/act/{name}", _demo_act, methods=["POST"]),
    ]
    async for staged in _staged(browser, routes):
        yield staged
