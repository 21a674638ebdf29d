"""One careful call to Slack's Web API: two seconds, no retry, its rate limits kept; anything odd is an outage.

It must never let the client's own errors out: their texts quote answers.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import Clock

DOWN_FOR: Final = timedelta(seconds=1)
_CALL_SECONDS: Final = 2.0
_LIMITED_FOR_AT_MOST: Final = timedelta(minutes=5)
_CODE: Final = re.compile(r"[a-z_]{1,64}")
_SECONDS: Final = re.compile(r"[0-9]{1,6}")
_TOO_MANY_REQUESTS: Final = 429

Call = Callable[[], Awaitable[AsyncSlackResponse]]


class SlackUnavailableError(Exception):
    """Slack gave no answer to use; `code` is its own, or `unreachable`, `ratelimited` or `unexpected-answer`."""

    def __init__(self, code: str, retry_after: timedelta = DOWN_FOR) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class SlackCalls:
    """Makes calls; while a method is limited, it is not called at all."""

    def __init__(self, clock: Clock, seconds: float = _CALL_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._limited_until: dict[str, datetime] = {}

    async def make(self, method: str, call: Call) -> AsyncSlackResponse:
        """Call once; gives an `ok` answer with an object in it, or raises SlackUnavailableError and nothing else."""
        now = self._clock()
        left = self._limited_until.get(method, now) - now
        if left > timedelta(0):
            raise SlackUnavailableError("ratelimited", left)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await call()
        except SlackApiError as error:
            raise self._refusal(method, error.response) from None
        except Exception:  # noqa: BLE001 - the client raises aiohttp's, json's and its own; all mean: nobody can tell
            raise SlackUnavailableError("unreachable") from None
        if not isinstance(answer.data, dict) or answer.data.get("ok") is not True:
            raise unexpected()
        return answer

    def _refusal(self, method: str, response: object) -> SlackUnavailableError:
        if not isinstance(response, AsyncSlackResponse):
            return unexpected()
        if response.status_code == _TOO_MANY_REQUESTS:
            wait = _retry_after(response.headers)
            self._limited_until[method] = self._clock() + wait
            return SlackUnavailableError("ratelimited", wait)
        code = response.data.get("error") if isinstance(response.data, dict) else None
        return SlackUnavailableError(code) if isinstance(code, str) and _CODE.fullmatch(code) else unexpected()


def unexpected() -> SlackUnavailableError:
    """Name an answer of a shape that Slack does not have."""
    return SlackUnavailableError("unexpected-answer")


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    text = headers.get("Retry-After", "")
    asked = timedelta(seconds=int(text)) if _SECONDS.fullmatch(text) else DOWN_FOR
    return min(max(asked, DOWN_FOR), _LIMITED_FOR_AT_MOST)
