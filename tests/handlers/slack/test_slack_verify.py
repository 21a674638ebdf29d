"""Only what Slack signed a moment ago gets in, and hostile requests get 401, never 500."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.verify import MAX_BODY, Message, Scope, Send, Signed, SignedOnly, respond, signature_of

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = 1531420618
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a1"
    b"4d10d2c447fce8b6703c"
)
SIGNATURE = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
Headers = Sequence[tuple[bytes, bytes]]


def signed(ts: bytes = b"%d" % AT, signature: bytes = SIGNATURE) -> list[tuple[bytes, bytes]]:
    """Make the two headers."""
    return [(b"x-slack-request-timestamp", ts), (b"x-slack-signature", signature)]


class Inside:
    """What stands behind the verifier: it counts who got in."""

    def __init__(self) -> None:
        self.got: list[Signed] = []
        self.app = SignedOnly(SECRET, lambda: datetime.fromtimestamp(AT, UTC), self.handle)

    async def handle(self, request: Signed, send: Send) -> None:
        """Say hello."""
        self.got.append(request)
        await respond(send, 200, b"hello", "text/plain")

    async def call(self, headers: Headers, body: bytes = BODY, method: str = "POST", pieces: int = 1) -> int:
        """Make one request without any HTTP library's opinion about its headers."""
        sent: list[Message] = []
        size = max(1, -(-len(body) // pieces))
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

        async def receive() -> Message:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Scope = {"type": "http", "method": method, "path": "/slack/events", "headers": list(headers)}
        await self.app(scope, receive, send)
        return int(sent[0]["status"])


async def test_slacks_own_example_is_let_in() -> None:
    """The signature that Slack's documentation publishes is right, whole or in pieces, and names the request."""
    inside = Inside()
    assert signature_of(SECRET, b"1531420618", BODY).encode() == SIGNATURE
    assert await inside.call(signed()) == 200
    assert (
        await inside.call([(b"X-Slack-Signature", SIGNATURE), signed()[0], (b"content-type", b"text/x")], pieces=7)
        == 200
    )
    assert [(each.body.encode(), each.signature.encode()) for each in inside.got] == [(BODY, SIGNATURE)] * 2
    assert [each.content_type for each in inside.got] == ["", "text/x"]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        signed()[:1],
        signed()[1:],
        [*signed(), signed()[0]],
        [*signed(), signed()[1]],
        signed(ts=b""),
        signed(ts=b"soon"),
        signed(ts=b"1531420618.0"),
        signed(ts=b" 1531420618"),
        signed(ts=b"+1531420618"),
        signed(ts=b"-1531420618"),
        signed(ts=b"1_531_420_618"),
        signed(ts="١٥٣١٤٢٠٦١٨".encode()),
        signed(ts=b"9" * 13),
        signed(ts=b"9" * 5000),
        signed(ts=b"1531420618\n"),
        signed(signature=b""),
        signed(signature=b"v0="),
        signed(signature=SIGNATURE.upper()),
        signed(signature=SIGNATURE[:-1]),
        signed(signature=SIGNATURE + b"0"),
        signed(signature=SIGNATURE.replace(b"v0", b"v1")),
        signed(signature=SIGNATURE[:-2] + "é".encode()),
        signed(signature=SIGNATURE[:-1] + b"\xff"),
        signed(signature=SIGNATURE[:-1] + b"4"),
        signed(signature=SIGNATURE + b"\n"),
    ],
)
async def test_wrong_headers_get_401(headers: Headers) -> None:
    """Missing, doubled, malformed and wrong headers are 401, and nothing behind hears of them."""
    inside = Inside()
    assert await inside.call(headers) == 401
    assert inside.got == []


@pytest.mark.parametrize(("age", "status"), [(0, 200), (300, 200), (301, 401), (-300, 200), (-301, 401), (10**9, 401)])
async def test_only_five_minutes_count(age: int, status: int) -> None:
    """A signature counts for 300 seconds to either side, and not one more."""
    inside = Inside()
    ts = b"%d" % (AT - age)
    assert await inside.call(signed(ts, signature_of(SECRET, ts, BODY).encode())) == status


async def test_the_body_is_what_was_signed() -> None:
    """One changed byte, another secret, or a body that is not text is turned away."""
    inside = Inside()
    assert await inside.call(signed(), BODY + b"&") == 401
    assert await inside.call(signed(signature=signature_of("other", b"%d" % AT, BODY).encode())) == 401
    bad = b"payload=\xff"
    assert await inside.call(signed(signature=signature_of(SECRET, b"%d" % AT, bad).encode()), bad) == 400
    assert inside.got == []


async def test_sizes_and_methods_are_limited() -> None:
    """A body over the cap is 413 although signed, in one piece or many; only POST is served, and only HTTP."""
    inside = Inside()
    big = b"x" * (MAX_BODY + 1)
    headers = signed(signature=signature_of(SECRET, b"%d" % AT, big).encode())
    assert await inside.call(headers, big) == 413
    assert await inside.call(headers, big, pieces=9) == 413
    assert await inside.call(signed(), method="GET") == 405
    with pytest.raises(ValueError, match="websocket"):
        await inside.app({"type": "websocket"}, None, None)  # type: ignore[arg-type]  # never called
    assert inside.got == []


async def test_a_sender_that_goes_away_gets_nothing() -> None:
    """A request that is cut off is neither handled nor answered."""
    inside = Inside()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pytest.fail(f"answered {message}")

    await inside.app({"type": "http", "method": "POST", "headers": signed()}, receive, send)
    assert inside.got == []


@given(
    st.lists(st.tuples(st.sampled_from([b"x-slack-signature", b"x-slack-request-timestamp"]), st.binary()), max_size=4)
)
async def test_no_headers_ever_crash_it(headers: Headers) -> None:
    """Any bytes in any number of headers are 401."""
    assert await Inside().call(headers) == 401


async def test_it_serves_real_http() -> None:
    """Behind a real HTTP client it answers the same."""
    inside = Inside()
    ts = b"%d" % AT
    async with httpx.AsyncClient(transport=httpx.ASGITransport(inside.app), base_url="http://127.0.0.1") as client:
        answer = await client.post("/slack/events", content=BODY, headers=signed(ts))
        assert (answer.status_code, answer.text) == (200, "hello")
        late = await client.post(
            "/slack/events", content=BODY, headers=signed(b"%d" % (AT - timedelta(hours=1).seconds))
        )
        assert late.status_code == 401
