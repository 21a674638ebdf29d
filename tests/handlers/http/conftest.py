"""A web application on the fake desk, and a client that speaks to it in this process."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from handlers.http.app import http_app
from handlers.http.ports import Check, HttpPorts
from tests.handlers.http.fake_answers import FakeAnswers
from tests.handlers.http.fake_desk import AT, KEY, FakeDesk

BODY: dict[str, Any] = {
    "tool": "payments.refund",
    "arguments": {"order_id": "A-1", "amount_usd": 180},
    "summary": "Refund a broken machine.",
}


@dataclass
class World:
    """What the ports answer."""

    checks: Sequence[Check] = (Check("database", ok=True, detail="answers"),)
    slack_bodies: list[bytes] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=count)

    async def ready(self) -> Sequence[Check]:
        """Give the checks."""
        return self.checks

    async def slack(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stand where Bolt will: take the body, answer with an ack."""
        assert scope["method"] == "POST"
        message = await receive()
        self.slack_bodies.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ack"})

    def ports(self) -> HttpPorts:
        """Give the ports."""
        return HttpPorts(
            clock=lambda: AT,
            new_request_id=lambda: f"req_{next(self.ids):03d}",
            jwks=lambda: {"keys": [{"kty": "OKP", "kid": "k1"}]},
            ready=self.ready,
            metrics=lambda: (b"foureyes_pending 3\n", "text/plain; version=0.0.4; charset=utf-8"),
            answering=FakeAnswers(),
            slack=self.slack,
        )


@pytest.fixture
def desk() -> FakeDesk:
    """An empty desk."""
    return FakeDesk()


@pytest.fixture
def world() -> World:
    """The ports' answers."""
    return World()


@pytest.fixture
async def web(desk: FakeDesk, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(http_app(desk, world.ports()))
    async with httpx.AsyncClient(transport=transport, base_url="http://foureyes.test") as client:
        yield client


@pytest.fixture
async def api(web: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with an agent's key."""
    web.headers["Authorization"] = f"Bearer {KEY}"
    return web
