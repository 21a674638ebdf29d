"""Where the server lives: learnt once, kept, and never exchanged behind anybody's back."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.agents import AddAgent
from bot.clock import SteadyClock, TimeOrderedIds, new_token, salts
from bot.directory import SlackDirectory
from bot.home import Home, HomeUnknownError, learn
from bot.slack_standin.faults import Refuse, ResetBefore, ServerError
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.workspace import demo_workspace
from bot.store.engine import open_writer
from bot.store.reads import Reads
from bot.store.transaction import Sources
from bot.store.writer import Writer
from tests.world import empty_database

TOKEN = "xoxb-home-1"


@dataclass(frozen=True)
class Place:
    """A database and a Slack."""

    slack: SlackStandin
    reads: Reads
    writer: Writer

    async def learn(self, token: str = TOKEN, slack: SlackStandin | None = None) -> Home:
        """Start as a server does."""
        client = AsyncWebClient(token, base_url=(slack or self.slack).api_url, retry_handlers=[])
        directory = SlackDirectory(client, "", None, dict, SteadyClock())
        return await learn(directory, self.reads, self.writer)

    async def refused(self, token: str = TOKEN, slack: SlackStandin | None = None) -> str:
        """The sentence with which a start is refused."""
        with pytest.raises(HomeUnknownError) as caught:
            await self.learn(token, slack)
        return str(caught.value)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A fresh database and the demo's workspace."""
    database = tmp_path / "foureyes.db"
    database.write_bytes(empty_database())
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackStandin(demo_workspace(), signing_secret="s", bot_token=TOKEN))
        writer = Writer(open_writer(database, checkpoints=True), Sources(SteadyClock(), TimeOrderedIds(), salts))
        stack.callback(writer.close)
        reads = Reads(database)
        stack.push_async_callback(reads.close)
        yield Place(slack, reads, writer)


async def test_the_home_is_learnt_and_kept(place: Place) -> None:
    """The second start knows without Slack what the first learnt, in each way that Slack can be down."""
    learnt = await place.learn()
    assert learnt.team_id == place.slack.workspace.id
    for down in (ServerError(503), ResetBefore(), Refuse("internal_error")):
        place.slack.fail("auth.test", down)
        assert await place.learn() == learnt


async def test_the_app_is_learnt_too(place: Place) -> None:
    """Without it, requests signed for another app of the same secret could not be told apart: no first start."""
    place.slack.fail("bots.info", Refuse("missing_scope"))
    assert "(missing_scope)" in await place.refused()
    assert (await place.learn()).app_id == place.slack.workspace.app_id


async def test_a_first_start_without_slack_is_refused(place: Place) -> None:
    """Before anything was learnt, an outage is said to be one."""
    place.slack.fail("auth.test", ServerError(503))
    told = await place.refused()
    assert told.startswith("Slack did not say whose token this is (")
    assert told.endswith("; check the network and SLACK_BOT_TOKEN, then run `foureyes doctor`")


@pytest.mark.parametrize("known", [False, True])
async def test_a_wrong_token_is_refused(place: Place, *, known: bool) -> None:
    """A token that Slack refuses is no outage, whatever was learnt before; it is not quoted."""
    if known:
        await place.learn()
    told = await place.refused("xoxb-wrong")
    assert told.startswith("Slack did not accept the bot token (invalid_auth); check SLACK_BOT_TOKEN")
    assert "xoxb" not in told


@pytest.mark.parametrize("code", ["account_inactive", "token_revoked", "token_expired", "not_authed"])
async def test_a_dead_token_is_refused(place: Place, code: str) -> None:
    """An app that was removed from the workspace does not start as if Slack were down."""
    await place.learn()
    place.slack.fail("auth.test", Refuse(code))
    assert f"({code})" in await place.refused()


async def test_another_workspace_is_refused(place: Place) -> None:
    """One database never serves two workspaces: whoever is a manager there is nobody here."""
    learnt = await place.learn()
    workspace = demo_workspace()
    workspace.id = "T0OTHER"
    async with SlackStandin(workspace, signing_secret="s", bot_token=TOKEN) as other:
        told = await place.refused(slack=other)
    assert f"belongs to workspace {learnt.team_id}, the bot token to T0OTHER" in told
    assert "use the token of the first, or another database" in told
    assert await place.learn() == learnt


async def test_owners_named_before_the_first_start_become_people_of_the_workspace(place: Place) -> None:
    """`agent add` before `serve` counts: the owner is found by the workspace's id afterwards."""
    await place.writer.run(AddAgent("a", "U0SAM", ("a.b",), (), "root", new_token))
    learnt = await place.learn()
    async with place.reads.snapshot() as snapshot:
        found = await snapshot.rows("SELECT team_id FROM people WHERE user_id = 'U0SAM'", {})
        kept = await snapshot.rows("SELECT team_id FROM people WHERE user_id = 'root'", {})
    assert found == [(learnt.team_id,)]
    assert kept == [("os",)]
