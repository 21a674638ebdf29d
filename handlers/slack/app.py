"""The Slack edge as one ASGI application: verify in front, Bolt behind. It decides nothing and keeps nothing."""

import logging
from binascii import a2b_qp
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.config import SlackConfig
from handlers.slack.desks import Desks
from handlers.slack.register import bolt_app
from handlers.slack.verify import Send, Signed, SignedOnly, respond

_log = logging.getLogger(__name__)


_PAYLOAD: Final = "payload="


def opened(signed: Signed) -> tuple[str, str]:
    """Take the JSON out of a form with one `payload`; decoding the form is otherwise most of a click's cost."""
    if not signed.body.startswith(_PAYLOAD) or "&" in signed.body:
        return signed.body, signed.content_type
    return _unquoted(signed.body[len(_PAYLOAD) :].replace("+", " ")), "application/json"


def _unquoted(text: str) -> str:
    """Decode percent escapes: as quoted-printable, which is done in C, wherever that gives the same."""
    if text.isascii() and not any(special in text for special in "=\r\n"):
        decoded = a2b_qp(text.replace("%", "="))
        if len(decoded) == len(text) - 2 * text.count("%"):  # each escape was a good one
            return decoded.decode(errors="replace")
    return unquote(text)


def slack_app(desks: Desks, config: SlackConfig, client: AsyncWebClient) -> SignedOnly:
    """Make the application for POST /slack/events; `client` MUST NOT retry by itself (`retry_handlers=[]`)."""
    bolt = bolt_app(desks, config, client)

    async def handle(signed: Signed, send: Send) -> None:
        text, content_type = opened(signed)
        headers: dict[str, str | Sequence[str]] = {"content-type": content_type, "x-slack-signature": signed.signature}
        try:
            request = AsyncBoltRequest(body=text, headers=headers)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            _log.warning("a signed request could not be read: %s", type(error).__name__)
            await respond(send, 400, b"cannot be read", "text/plain; charset=utf-8")
            return
        answer = await bolt.async_dispatch(request)
        content_type = answer.headers.get("content-type", ["text/plain; charset=utf-8"])[0]
        await respond(send, answer.status, answer.body.encode(), content_type)

    return SignedOnly(config.signing_secret, config.clock, handle)
