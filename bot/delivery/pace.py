"""One post a second a channel, which is what Slack keeps; each channel has its own queue."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import Clock

BETWEEN_POSTS = timedelta(seconds=1, milliseconds=50)


class ChannelPace:
    """Slack keeps about one message a second a channel; more may be lost without an error."""

    def __init__(self, clock: Clock, between: timedelta = BETWEEN_POSTS) -> None:
        self._clock = clock
        self._between = between
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, datetime] = {}

    async def post(self, channel: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        """Make a call when it is the channel's turn."""
        async with self._locks[channel]:
            wait = self._free_at.get(channel, self._clock()) - self._clock()
            if wait > timedelta(0):
                await asyncio.sleep(wait.total_seconds())
            try:
                return await call()
            finally:
                self._free_at[channel] = self._clock() + self._between
