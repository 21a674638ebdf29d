"""One attempt: 2xx is delivered, 410 is the end, everything else comes again; nothing secret gets out."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bot.clock import system_clock
from bot.delivery.addresses import AllowList
from bot.delivery.callback import (
    LONGEST_RETRY_AFTER,
    Delivered,
    Gone,
    Outcome,
    PreparedCallback,
    RetryLater,
    deliver,
    prepare,
)
from bot.delivery.guarded_http import Answer, GuardedHttp
from bot.keys import callback_secret, generate
from tests.bot.delivery.receiver import Receiver

KEY = generate()
SECRET = callback_secret(KEY, "agent_1", 1)
BODY = '{"type":"proposal.approved","data":{"summary":"gr\u00fc\u00dfe"}}'
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def prepared(url: str, at: datetime | None = None) -> PreparedCallback:
    """One attempt to a receiver."""
    return prepare(url, "msg_1", at or system_clock(), BODY, SECRET, key=KEY)


class Says:
    """An HTTP side that gives one answer."""

    def __init__(self, status: int, retry_after: str | None = None) -> None:
        self.answer = Answer(status, retry_after)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Answer."""
        assert (url, body, headers["content-type"]) == ("http://h/", BODY.encode(), "application/json")
        return self.answer


async def outcome_of(status: int, retry_after: str | None = None) -> Outcome:
    """What becomes of an answer at noon."""
    return await deliver(prepared("http://h/", NOON), Says(status, retry_after))


async def test_the_receiver_can_verify_what_it_got() -> None:
    """Over a real connection, with the public library: body, id and both signatures arrive."""
    async with Receiver() as receiver, GuardedHttp(AllowList.parse("127.0.0.1")) as http:
        assert await deliver(prepared(receiver.url()), http) == Delivered(200)
        (request,) = receiver.requests
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(BODY)
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["webhook-signature"].count("v1a,") == 1


def test_a_later_attempt_must_be_prepared_anew() -> None:
    """The id and the body stay, the time does not: receivers refuse what is more than five minutes old."""
    now = system_clock()
    old, new = prepared("http://h/", now - timedelta(minutes=6)), prepared("http://h/", now)
    assert (old.webhook_id, old.body) == (new.webhook_id, new.body)
    Webhook(SECRET).verify(new.body, new.headers)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(old.body, old.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(status: int) -> None:
    """And nothing else is."""
    assert await outcome_of(status) == Delivered(status)


async def test_gone_is_the_end() -> None:
    """410 says never again."""
    assert await outcome_of(410) == Gone()


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 418, 500, 502, 599]
)
async def test_everything_else_comes_again(status: int) -> None:
    """A redirect is a failure like any other; a wait is only asked for by 429 and 503."""
    assert await outcome_of(status, "60") == RetryLater(f"http-{status}")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "wait"),
    [
        (None, None),
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("999999999", LONGEST_RETRY_AFTER),
        ("9" * 40, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("\u0661\u0662", None),
        (format_datetime(NOON + timedelta(hours=1), usegmt=True), timedelta(hours=1)),
        (format_datetime(NOON - timedelta(hours=1), usegmt=True), timedelta(0)),
        (format_datetime(NOON + timedelta(days=400), usegmt=True), LONGEST_RETRY_AFTER),
        ("Sat, 21 Nov 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Sat, 21 Nov 99999999999 12:00:30 GMT", None),
    ],
)
async def test_a_wait_that_was_asked_for_is_honoured(status: int, text: str | None, wait: timedelta | None) -> None:
    """Seconds or an HTTP date, a day at most; nonsense asks for nothing."""
    assert await outcome_of(status, text) == RetryLater(f"http-{status}", wait)


@given(st.text(max_size=64))
async def test_no_header_breaks_delivery(text: str) -> None:
    """Whatever a receiver writes, the outcome is to come again, within a day."""
    outcome = await outcome_of(503, text)
    assert isinstance(outcome, RetryLater)
    assert outcome.retry_after is None or timedelta(0) <= outcome.retry_after <= LONGEST_RETRY_AFTER


async def test_a_wait_comes_over_the_wire() -> None:
    """The header is found whatever its case, and the body is nobody's business."""
    answer = b"HTTP/1.1 503 busy\r\nRETRY-after: 90\r\nContent-Length: 6\r\n\r\nsecret"
    async with Receiver([answer]) as receiver, GuardedHttp(AllowList.parse("127.0.0.1")) as http:
        assert await deliver(prepared(receiver.url()), http) == RetryLater("http-503", timedelta(seconds=90))


async def test_a_failed_call_is_a_reason_and_nothing_more() -> None:
    """Refused addresses, dead receivers and bad urls come again under their code, without body, secret or address."""
    async with Receiver() as receiver:
        dead = receiver.url()
    async with GuardedHttp(AllowList.parse("127.0.0.1")) as http:
        assert await deliver(prepared(dead), http) == RetryLater("connection-failed")
        assert await deliver(prepared("http://10.0.0.1/"), http) == RetryLater("address-not-allowed")
        assert await deliver(prepared("http://u:p@h/"), http) == RetryLater("url-with-credentials")


def test_a_prepared_callback_shows_neither_body_nor_signature() -> None:
    """What may end up in a log line is the address and the id."""
    shown = repr(prepared("http://h/"))
    assert "msg_1" in shown
    assert "proposal" not in shown
    assert "v1," not in shown
