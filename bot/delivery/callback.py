"""Telling an agent: one signed attempt, and what became of it.

At least once: the same `webhook-id` and body over all attempts. An error must never hold the body or the secret.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias

from bot.callback_target import ForbiddenTargetError
from bot.delivery.guarded_http import Answer, CallFailedError
from bot.delivery.webhook_signature import signature_headers
from bot.keys import SigningKey

LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_WAITS: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Http(Protocol):
    """What delivery needs of `GuardedHttp`."""

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post once; raises ForbiddenTargetError, CallFailedError."""


@dataclass(frozen=True, slots=True)
class PreparedCallback:
    """One attempt, ready to send."""

    url: str
    webhook_id: str
    at: datetime
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it: a 2xx status."""

    status: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver never wants it: 410."""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """It was not delivered. `reason` is a stable code (`http-500`, `timeout`); `retry_after` is what was asked for."""

    reason: str
    retry_after: timedelta | None = None


Outcome: TypeAlias = Delivered | Gone | RetryLater


def prepare(
    url: str, webhook_id: str, at: datetime, body: str, secret: str, *, key: SigningKey | None = None
) -> PreparedCallback:
    """Sign one attempt. `body` was fixed when the decision committed; `at` is the time of this attempt.

    A later attempt MUST be prepared anew: receivers refuse a timestamp that is more than five minutes old.
    """
    data = body.encode()
    headers = {"content-type": "application/json"} | signature_headers(webhook_id, at, data, secret, key)
    return PreparedCallback(url, webhook_id, at, data, headers)


async def deliver(prepared: PreparedCallback, http: Http) -> Outcome:
    """Make one attempt; never raises for anything that the receiver or the network does."""
    try:
        answer = await http.post(prepared.url, prepared.body, dict(prepared.headers))
    except (ForbiddenTargetError, CallFailedError) as error:
        return RetryLater(error.reason)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(answer.status)
    if answer.status == HTTPStatus.GONE:
        return Gone()
    asked = answer.unverified_retry_after if answer.status in _WAITS else None
    return RetryLater(f"http-{answer.status}", _wait(asked, prepared.at))


def _wait(unverified_retry_after: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header, in seconds or as an HTTP date; nonsense is None, and a day is the most."""
    if unverified_retry_after is None:
        return None
    text = unverified_retry_after.strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # RFC 9110 dates are in GMT; `-0000` is the one zone that the parser leaves naive.
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)
