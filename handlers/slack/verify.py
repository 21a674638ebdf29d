"""Lets only requests through that Slack signed a moment ago; all others get 401, however hostile they are.

A request that comes again within the five minutes of its signature is passed on: the signature goes with it as the
envelope's `request_id`, and the desk gives the same request no second effect, in the transaction and over all replicas.
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAX_BODY: Final = 2**20
MAX_AGE_SECONDS: Final = 300
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(rb"v0=[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that Slack signed: its text, its content type, and the signature that names it."""

    body: str
    content_type: str
    signature: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request that is turned away with this HTTP status and these words."""

    status: int
    detail: str


_NOT_SIGNED: Final = Rejected(401, "not signed by Slack")
Handle: TypeAlias = Callable[[Signed, Send], Awaitable[None]]


def signature_of(secret: str, timestamp: bytes, body: bytes) -> str:
    """Compute Slack's signature: HMAC-SHA256 over `v0:timestamp:body`."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp + b":" + body, hashlib.sha256).hexdigest()


class SignedOnly:
    """An ASGI application that calls `handle` with requests that Slack signed, and only with those.

    An object and not a function, so that Starlette's `Route` takes it as it is.
    """

    def __init__(self, secret: str, clock: Callable[[], datetime], handle: Handle) -> None:
        self._secret = secret
        self._clock = clock
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"Slack's requests are HTTP, not {scope['type']}")
        judged = await _judge(self._secret, self._clock, scope, receive)
        if isinstance(judged, Rejected):
            await respond(send, judged.status, judged.detail.encode(), "text/plain; charset=utf-8")
        elif judged is not None:
            await self._handle(judged, send)


async def respond(send: Send, status: int, body: bytes, content_type: str) -> None:
    """Send one whole HTTP answer."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _judge(
    secret: str, clock: Callable[[], datetime], scope: Scope, receive: Receive
) -> Signed | Rejected | None:
    """Judge one request; None where the sender went away."""
    if scope["method"] != "POST":
        return Rejected(405, "POST only")
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    timestamp = _only(headers, b"x-slack-request-timestamp", _TIMESTAMP)
    signature = _only(headers, b"x-slack-signature", _SIGNATURE)
    if timestamp is None or signature is None:
        return _NOT_SIGNED
    if abs(int(clock().timestamp()) - int(timestamp)) > MAX_AGE_SECONDS:
        return _NOT_SIGNED
    body = await _body(receive)
    if body is None or isinstance(body, Rejected):
        return body
    if not hmac.compare_digest(signature_of(secret, timestamp, body).encode(), signature):
        return _NOT_SIGNED
    content_type = b"".join([value for name, value in headers if name.lower() == b"content-type"][:1])
    try:
        return Signed(body.decode(), content_type.decode("latin-1"), signature.decode())
    except UnicodeDecodeError:
        return Rejected(400, "the body is not UTF-8")


def _only(headers: Sequence[tuple[bytes, bytes]], name: bytes, form: re.Pattern[bytes]) -> bytes | None:
    """Give the header's value where it stands exactly once and has exactly this form."""
    values = [value for key, value in headers if key.lower() == name]
    return values[0] if len(values) == 1 and form.fullmatch(values[0]) else None


async def _body(receive: Receive) -> bytes | Rejected | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return Rejected(413, "too large")
        if not message.get("more_body", False):
            return bytes(body)
