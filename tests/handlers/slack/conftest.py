"""A running Slack edge over a fake desk, with the stand-in Slack in front of it. Everything on loopback."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

from bot.slack_standin.conversations import Message
from bot.slack_standin.limits import Rates
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import APP, BOT_USER, REFUND_APPROVALS, TEAM, demo_workspace
from bot.slack_standin.world import Options
from handlers.desk import Seen
from handlers.key_desk import KeyDesk
from handlers.slack.app import slack_app
from handlers.slack.config import SlackConfig
from handlers.slack.desks import Desks
from handlers.slack.packet import packet
from handlers.switch_desk import SwitchDesk
from handlers.weekly_desk import WeeklyDesk
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.fake_factors import FakeFactors
from tests.handlers.slack.fake_initiation import FakeInitiation
from tests.handlers.slack.made import NOW, seen

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-edge-test"


def system_time() -> datetime:
    """Give the machine's time, which the stand-in signs with."""
    return datetime.now(UTC)


def config_of(**changes: object) -> SlackConfig:
    """Make a configuration for the stand-in's workspace."""
    values: dict[str, object] = {
        "team_id": TEAM,
        "bot_user_id": BOT_USER,
        "bot_token": TOKEN,
        "signing_secret": SECRET,
        "clock": system_time,
        "api_app_id": APP,
    }
    return SlackConfig(**{**values, **changes})  # type: ignore[arg-type]  # a test may replace any field


class Edge:
    """The edge under test: the desk behind it, the Slack in front of it."""

    def __init__(self, desk: FakeDesk, slack: SlackStandin, client: AsyncWebClient) -> None:
        self.desk = desk
        self.slack = slack
        self.client = client

    async def post(self, shown: Seen | None = None) -> Message:
        """Post a packet as the outbox would."""
        made = packet(shown or seen(), NOW)
        await self.client.chat_postMessage(
            channel=REFUND_APPROVALS, text=made.text, blocks=made.blocks, unfurl_links=False, unfurl_media=False
        )
        return await self.slack.next_message(REFUND_APPROVALS)


@pytest.fixture
def desk() -> FakeDesk:
    """Return a desk that says yes."""
    return FakeDesk()


@pytest.fixture
async def edge(desk: FakeDesk) -> AsyncIterator[Edge]:
    """Return the running edge."""
    options = Options(rates=Rates.unlimited())
    async with SlackStandin(demo_workspace(), signing_secret=SECRET, bot_token=TOKEN, options=options) as slack:
        client = AsyncWebClient(token=TOKEN, base_url=slack.api_url, retry_handlers=[])
        desks = Desks(
            *(desk, desk, FakeFactors(desk), FakeInitiation()),
            *(AsyncMock(spec=SwitchDesk), AsyncMock(spec=WeeklyDesk), AsyncMock(spec=KeyDesk)),
        )
        app = slack_app(desks, config_of(), client)
        server = LoopbackServer(Starlette(routes=[Route("/slack/events", app)]))
        await server.start()
        slack.request_url = f"{server.url}/slack/events"
        yield Edge(desk, slack, client)
        await server.stop()
