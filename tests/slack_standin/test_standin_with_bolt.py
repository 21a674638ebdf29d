"""slack_bolt itself, unchanged, works against the stand-in: the proof that its shapes are Slack's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import MAYA, REFUND_APPROVALS, SAM
from tests.slack_standin.fake_app import SECRET, card, modal, text_input

Ack = Any


@pytest.fixture
async def bolt(slack: SlackStandin, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """Return a Bolt app that listens where the stand-in sends."""
    app = AsyncApp(client=client, signing_secret=SECRET, process_before_response=True)
    handler = AsyncSlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    server = LoopbackServer(Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])]))
    await server.start()
    slack.request_url = f"{server.url}/slack/events"
    yield app
    await server.stop()


async def test_bolt_is_driven_from_command_to_submission(
    slack: SlackStandin, client: AsyncWebClient, bolt: AsyncApp
) -> None:
    """A command, an event, a click that opens a modal, and its submission reach Bolt's listeners and are answered."""
    heard: list[str] = []

    async def on_command(ack: Ack, command: dict[str, str]) -> None:
        await ack(f"you said {command['text']}")

    async def on_click(ack: Ack, body: dict[str, Any], client: AsyncWebClient, respond: Ack) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(text_input(), callback_id="deny"))
        await respond("noted")
        await ack()

    async def on_submit(ack: Ack, view: dict[str, Any]) -> None:
        heard.append(view["state"]["values"]["why"]["text"]["value"])
        await ack()

    async def on_home(event: dict[str, Any]) -> None:
        heard.append(event["user"])

    bolt.command("/agent")(on_command)
    bolt.action("approve")(on_click)
    bolt.view("deny")(on_submit)
    bolt.event("app_home_opened")(on_home)

    assert (await slack.verify_url()).answer == b'{"challenge": "c0ffee"}'
    assert (await slack.command(SAM, REFUND_APPROVALS, "/agent", "status")).ok
    assert slack.ephemerals(SAM)[0].text == "you said status"
    message = await card(client, slack)
    assert (await slack.click(MAYA, REFUND_APPROVALS, message.ts, "approve")).ok
    assert slack.ephemerals(MAYA)[0].text == "noted"
    assert (await slack.submit(MAYA, slack.modals(MAYA)[0].id, {"why": {"text": "because"}})).ok
    assert (await slack.open_home(MAYA)).ok
    assert heard == ["because", MAYA]


@pytest.mark.usefixtures("bolt")
async def test_bolt_refuses_a_forgery(slack: SlackStandin) -> None:
    """A signature made with another secret is 401 for Bolt, so the stand-in's good ones mean something."""
    delivery = await slack.send_signed(b"command=%2Fagent", headers={"X-Slack-Signature": "v0=" + "0" * 64})
    assert (delivery.status, delivery.ok) == (401, False)
