"""A callback's signature is what every Standard Webhooks library expects."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bot.clock import new_id, system_clock
from bot.delivery.webhook_signature import UnfitSecretError, signature_headers
from bot.keys import callback_secret, generate

SECRET = callback_secret(generate(), "agent_1", 1)


def test_the_published_example_comes_out() -> None:
    """The example of Standard Webhooks' own libraries: same id, time, body and secret, same signature."""
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_another_implementation_accepts_what_we_sign(body: str) -> None:
    """Whatever the body, the public library verifies it, with the Ed25519 signature beside it too."""
    for key in (None, generate()):
        headers = signature_headers(new_id("msg"), system_clock(), body.encode(), SECRET, key)
        Webhook(SECRET).verify(body, headers, json_parse=False)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_any_change_is_found(changed: str) -> None:
    """Id, time, body and secret are all bound."""
    now = system_clock()
    headers = signature_headers("msg_1", now, b'{"a":1}', SECRET)
    body, secret = '{"a":1}', SECRET
    match changed:
        case "webhook-id":
            headers["webhook-id"] = "msg_2"
        case "webhook-timestamp":
            headers["webhook-timestamp"] = str(int(now.timestamp()) - 1)
        case "body":
            body = '{"a":2}'
        case _:
            secret = callback_secret(generate(), "agent_1", 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers, json_parse=False)


def test_the_zone_of_a_time_does_not_matter() -> None:
    """The same moment has the same signature, and fractions of a second are dropped."""
    moment = datetime(2026, 11, 21, 12, 0, 0, 999_999, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-8)))
    assert signature_headers("m", moment, b"", SECRET) == signature_headers("m", elsewhere, b"", SECRET)
    assert signature_headers("m", moment, b"", SECRET)["webhook-timestamp"] == str(int(moment.timestamp()))
    with pytest.raises(ValueError, match="zone"):
        signature_headers("m", moment.replace(tzinfo=None), b"", SECRET)


def test_anybody_can_verify_the_second_signature() -> None:
    """`v1a` is Ed25519 over the same bytes, by the key of the JWKS."""
    key = generate()
    headers = signature_headers("msg_1", system_clock(), b"{}", SECRET, key)
    first, second = headers["webhook-signature"].split(" ")
    assert first.startswith("v1,")
    signature = base64.b64decode(second.removeprefix("v1a,"), validate=True)
    public = jwt.PyJWK.from_dict(key.jwk()).key
    public.verify(signature, f"msg_1.{headers['webhook-timestamp']}.{{}}".encode())
    with pytest.raises(InvalidSignature):
        public.verify(signature, f"msg_1.{headers['webhook-timestamp']}.[]".encode())


@pytest.mark.parametrize("webhook_id", ["", "a.b", "a b", "a\r\nb", "ä", "a" * 129])
def test_an_id_that_could_be_read_in_two_ways_is_not_signed(webhook_id: str) -> None:
    """A dot would move the border between id and time."""
    with pytest.raises(ValueError, match="webhook id"):
        signature_headers(webhook_id, system_clock(), b"{}", SECRET)


@pytest.mark.parametrize(
    "secret",
    [
        base64.b64encode(b"x" * 32).decode(),
        "whsec_",
        "whsec_not base 64!",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_an_unfit_secret_is_refused_and_not_shown(secret: str) -> None:
    """No weak or malformed secret signs anything, and the error does not quote it."""
    with pytest.raises(UnfitSecretError) as caught:
        signature_headers("msg_1", system_clock(), b"{}", secret)
    assert secret.removeprefix("whsec_")[:8] not in str(caught.value) or secret == "whsec_"
    assert caught.value.__cause__ is None
