"""Sets the demo's stage: database, local Slack, the real server and the agent, all on loopback, all in one folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.routing import Route

from approval_rules.people import Account
from bot.agents import AddAgent
from bot.app import Running, running
from bot.clock import Clock, SteadyClock, TimeOrderedIds, new_token
from bot.delivery.pace import BETWEEN_POSTS
from bot.demo import cases
from bot.demo.administrator import Administrator
from bot.demo.agent import SupportAgent
from bot.demo.inspection import Inspection
from bot.demo.ledger import Ledger
from bot.demo.phones import Phones
from bot.desk.people import PeopleUseCases
from bot.desk.second_factors import SecondFactors
from bot.settings import Settings
from bot.slack_standin.limits import Rates
from bot.slack_standin.loopback import LoopbackServer, free_port
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS, SAM, demo_workspace
from bot.slack_standin.world import Options
from bot.store import schema

AGENT: Final = "refund-bot"
TOOL: Final = "payments.refund"
RED_TOOL: Final = "payments.payout"
# Between two parts of this process; nothing outside of it ever accepts them.
_BOT_TOKEN: Final = "xoxb-local-demo"  # noqa: S105 - the stand-in's own
_SIGNING_SECRET: Final = "local-demo"  # noqa: S105 - the stand-in's own
_ROLES: Final = f"""\
roles:
  support_manager:
    users: [{MAYA}, {JONAS}]
    usergroup: support-managers
  admin:
    users: [{SAM}]
channels:
  default: {REFUND_APPROVALS}
  announcements: {AGENT_OPS}
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the local Slack lets messages in. The default is Slack's own pace."""

    rates: Rates
    between_posts: timedelta


SLACKS_OWN: Final = Pace(Rates(), BETWEEN_POSTS)
AT_ONCE: Final = Pace(Rates.unlimited(), timedelta(0))


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that plays."""

    slack: SlackStandin
    api_url: str
    server: Running
    people: PeopleUseCases
    agent: SupportAgent
    inspection: Inspection
    phones: Phones


@asynccontextmanager
async def staged(
    folder: Path,
    port: int = 0,
    *,
    pace: Pace = SLACKS_OWN,
    routes: tuple[Route, ...] = (),
    clock: Clock | None = None,
) -> AsyncIterator[Stage]:
    """Set everything up on `port` of loopback (0: a free one) and put it away at the end.

    Raises OSError where the port is taken.
    """
    _write_policy(folder / "policy")
    database = folder / "foureyes.db"
    schema.upgrade(database)
    clock, new_id = clock or SteadyClock(), TimeOrderedIds()
    standin = SlackStandin(
        demo_workspace(),
        signing_secret=_SIGNING_SECRET,
        bot_token=_BOT_TOKEN,
        options=Options(rates=pace.rates),
        port=port,
        extra_routes=routes,
        wall=lambda: clock().timestamp(),
    )
    async with standin as slack:
        pages = free_port() or 0
        settings = _settings(folder, database, slack.api_url, pages)
        async with running(settings, clock, new_id, pace=pace.between_posts) as server:
            web = LoopbackServer(server.app, port=pages)
            await web.start()
            slack.request_url = f"{web.url}/slack/events"
            key = await server.wiring.writer.run(AddAgent(AGENT, SAM, (TOOL, RED_TOOL), (), "demo", new_token))
            owner, name = Account(server.wiring.home_team, SAM), slack.workspace.users[SAM].real_name
            await server.wiring.writer.run(lambda tx: tx.person(owner, name))
            agent = SupportAgent(web.url, key.key, cases.load(), clock)
            ledger = Ledger(database, settings.anchor_file, server.wiring.key)
            inspection = Inspection(ledger, Administrator(database))
            people = PeopleUseCases(server.wiring)
            phones = Phones(SecondFactors(server.wiring, people, settings.public_url, new_token), clock)
            try:
                await phones.hand_out()
                yield Stage(slack, web.url, server, people, agent, inspection, phones)
            finally:
                await agent.close()
                await web.stop()


def _write_policy(folder: Path) -> None:
    """Write the founding policy as `foureyes init` does, one that is red, and roles with this workspace's people."""
    folder.mkdir()
    policy = (files("bot") / "templates" / "policies" / "founding" / f"{TOOL}.yml").read_text(encoding="utf-8")
    (folder / f"{TOOL}.yml").write_text(policy, encoding="utf-8")
    red = (files("bot") / "demo" / f"{RED_TOOL}.yml").read_text(encoding="utf-8")
    (folder / f"{RED_TOOL}.yml").write_text(red, encoding="utf-8")
    (folder / "roles.yml").write_text(_ROLES, encoding="utf-8")


def _settings(folder: Path, database: Path, slack_api_url: str, pages: int) -> Settings:
    """Give the settings; people's browsers find the pages at `localhost`, where passkeys work without TLS."""
    return Settings(
        database_url=f"sqlite+aiosqlite:///{database}",
        policy=folder / "policy",
        signing_key_file=folder / "foureyes.key",
        slack_api_url=slack_api_url,
        slack_bot_token=_BOT_TOKEN,
        slack_signing_secret=_SIGNING_SECRET,
        public_url=f"http://localhost:{pages}",
    )
