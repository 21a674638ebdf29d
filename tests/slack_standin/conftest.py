"""A running stand-in, an app behind it, and a client: everything on loopback, everything closed afterwards."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_standin.limits import Rates
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import awkward_workspace
from bot.slack_standin.world import Options
from tests.slack_standin.fake_app import SECRET, TOKEN, FakeApp, web_client


class LeapingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds

    def leap(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@pytest.fixture
def clock() -> LeapingClock:
    """Return the clock that measures rates and lifetimes."""
    return LeapingClock()


@pytest.fixture
def options() -> Options:
    """Return options without rate limits; tests about limits bring their own."""
    return Options(rates=Rates.unlimited())


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    """Return a running app."""
    fake = FakeApp()
    await fake.server.start()
    yield fake
    await fake.server.stop()


@pytest.fixture
async def slack(app: FakeApp, options: Options, clock: LeapingClock) -> AsyncIterator[SlackStandin]:
    """Return a running stand-in that knows the app."""
    standin = SlackStandin(
        awkward_workspace(),
        signing_secret=SECRET,
        bot_token=TOKEN,
        request_url=app.request_url,
        options=options,
        clock=clock,
    )
    async with standin:
        yield standin


@pytest.fixture
def client(slack: SlackStandin) -> AsyncWebClient:
    """Return slack_sdk's client for the app's token."""
    return web_client(slack)
