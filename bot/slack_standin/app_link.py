"""What Slack sends to the app: signed, to one loopback URL, with three seconds' patience; it decides no content."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from bot.slack_standin.clock import Clock
from bot.slack_standin.faults import Delay, Faults, LostAnswer, ResetBefore, Twice
from bot.slack_standin.loopback import NAMES
from bot.slack_standin.refusal import NotPossibleError

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
Failure = Literal["timeout", "connection"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to the app and how it ended: kept byte for byte, so that a test can replay it."""

    kind: str
    body: bytes
    headers: dict[str, str]
    status: int | None = None
    answer: bytes = b""
    answer_type: str = ""
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether the app said 200 in time."""
        return self.status == httpx.codes.OK


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's v0 signature of a body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class AppLink:
    """The way from Slack to the app."""

    signing_secret: str
    clock: Clock
    faults: Faults
    patience_s: float
    deliveries: list[Delivery] = field(default_factory=list)
    _request_url: str | None = None
    _client: httpx.AsyncClient | None = None

    @property
    def request_url(self) -> str | None:
        """Where the app listens."""
        return self._request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        if url is not None and urlsplit(url).hostname not in NAMES:
            raise ValueError(f"the local Slack calls apps on {' and '.join(NAMES)} only, not {url}")
        self._request_url = url

    def headers(self, body: bytes, content_type: str, timestamp: str | None = None) -> dict[str, str]:
        """Return the headers of a signed request, signed now or at another time."""
        timestamp = timestamp or str(int(self.clock.wall()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self.signing_secret, timestamp, body),
        }

    async def deliver(
        self, kind: str, body: bytes, content_type: str, extra_headers: dict[str, str] | None = None
    ) -> Delivery:
        """Send one signed request to the app, with whatever fault was ordered for it."""
        headers = self.headers(body, content_type) | (extra_headers or {})
        match self.faults.take(f"app:{kind}"):
            case ResetBefore():
                return self._keep(Delivery(kind, body, headers, failure="timeout"))
            case LostAnswer():
                await self.send(kind, body, headers)
                return self._keep(Delivery(kind, body, headers, failure="timeout"))
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Twice():
                await self.send(kind, body, headers)
        return await self.send(kind, body, headers)

    async def send(self, kind: str, body: bytes, headers: dict[str, str]) -> Delivery:
        """Send bytes as they are, signed or not, and keep a record."""
        if self._request_url is None:
            raise NotPossibleError("the app has no request URL yet: set `request_url`")
        try:
            async with asyncio.timeout(self.patience_s):
                response = await self._http().post(self._request_url, content=body, headers=headers)
        except TimeoutError:
            return self._keep(Delivery(kind, body, headers, failure="timeout"))
        except httpx.HTTPError:
            return self._keep(Delivery(kind, body, headers, failure="connection"))
        answer_type = response.headers.get("content-type", "").partition(";")[0]
        return self._keep(Delivery(kind, body, headers, response.status_code, response.content, answer_type))

    def _http(self) -> httpx.AsyncClient:
        # A fresh connection each time: an app that was restarted must not be met on a dead one.
        if self._client is None:
            limits = httpx.Limits(max_keepalive_connections=0)
            self._client = httpx.AsyncClient(trust_env=False, timeout=None, limits=limits)  # noqa: S113 - see patience_s
        return self._client

    def _keep(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        return delivery

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
