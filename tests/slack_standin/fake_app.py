"""A small app on loopback for the stand-in to talk to: it records what it is sent and answers as it is told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.slack_standin.conversations import Message
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import REFUND_APPROVALS

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-standin-test"
Json = dict[str, Any]


def web_client(slack: SlackStandin, token: str | None = TOKEN) -> AsyncWebClient:
    """Return slack_sdk's own client, without its hidden retry."""
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])


def buttons(*action_ids: str, block_id: str = "b1", **extra: object) -> Json:
    """Return an actions block."""
    elements = [
        {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name}, "value": f"v-{name}"}
        | extra
        for name in action_ids
    ]
    return {"type": "actions", "block_id": block_id, "elements": elements}


def section(text: str, **extra: object) -> Json:
    """Return a section of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **extra}


def text_input(block_id: str = "why", action_id: str = "text", *, optional: bool = False, **extra: object) -> Json:
    """Return an input block with a text field."""
    element = {"type": "plain_text_input", "action_id": action_id, **extra}
    label = {"type": "plain_text", "text": "Why"}
    return {"type": "input", "block_id": block_id, "label": label, "element": element, "optional": optional}


def modal(*blocks: Json, **extra: object) -> Json:
    """Return a modal view."""
    title, submit = {"type": "plain_text", "text": "Deny"}, {"type": "plain_text", "text": "Send"}
    return {"type": "modal", "title": title, "submit": submit, "blocks": list(blocks), **extra}


async def card(client: AsyncWebClient, slack: SlackStandin, *blocks: Json, channel: str = REFUND_APPROVALS) -> Message:
    """Post a message with blocks and return it."""
    await client.chat_postMessage(channel=channel, text="please decide", blocks=list(blocks) or [buttons("approve")])
    return await slack.next_message(channel)


@dataclass
class Seen:
    """One request that the app got."""

    body: bytes
    headers: dict[str, str]

    @property
    def payload(self) -> Json:
        """The JSON of an interaction, or of an event."""
        text = self.body.decode()
        loaded: Json = json.loads(parse_qs(text)["payload"][0] if text.startswith("payload=") else text)
        return loaded

    @property
    def form(self) -> dict[str, str]:
        """The fields of a slash command."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class FakeApp:
    """The app: `answer` is called with each request and may await; without it the answer is an empty 200."""

    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], Awaitable[Response]] | None = None

    def __post_init__(self) -> None:
        """Prepare the server."""
        routes = [Route("/slack/events", self._endpoint, methods=["POST"])]
        self.server = LoopbackServer(Starlette(routes=routes))

    @property
    def request_url(self) -> str:
        """Where the app listens."""
        return f"{self.server.url}/slack/events"

    async def _endpoint(self, request: Request) -> Response:
        seen = Seen(await request.body(), dict(request.headers))
        self.seen.append(seen)
        return await self.answer(seen) if self.answer else Response()

    def says(self, answer: Json | str | int, delay_s: float = 0.0) -> None:
        """Answer everything with this JSON, this text or this status."""

        async def reply(_seen: Seen) -> Response:
            await asyncio.sleep(delay_s)
            if isinstance(answer, int):
                return Response(status_code=answer)
            return Response(answer, media_type="text/plain") if isinstance(answer, str) else JSONResponse(answer)

        self.answer = reply

    def opens(self, client: AsyncWebClient, view: Json) -> None:
        """Answer every interaction by opening a modal first, as apps must within three seconds."""

        async def reply(seen: Seen) -> Response:
            await client.views_open(trigger_id=seen.payload["trigger_id"], view=view)
            return Response()

        self.answer = reply
