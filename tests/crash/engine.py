"""The engine without HTTP: writer, desk, outbox worker and anchor on a SQLite file, with Slack and the agent in files.

It must put the parts together as `bot.app` does; only the outside world is another one.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from approval_rules.people import Account, Agent, Flaw
from approval_rules.policy import RoleMembers
from bot import anchoring
from bot.agents import AddAgent
from bot.clock import SteadyClock, TimeOrderedIds, new_token, salts
from bot.delivery.agent_callback import CallbackSender
from bot.delivery.pace import ChannelPace
from bot.delivery.slack_post import SlackPost, SlackSenders
from bot.delivery.switch_post import SwitchPost
from bot.delivery.worker import OutboxWorker, Sender
from bot.desk.agents import AgentUseCases
from bot.desk.people import PeopleUseCases
from bot.desk.sweeps import Sweeps
from bot.desk.wiring import PolicyInForce, Wiring
from bot.directory import Member
from bot.keys import load_or_create
from bot.policy_files import load as load_policy
from bot.settings import Settings
from bot.slack_calls import SlackCalls
from bot.store import outbox, rows, schema
from bot.store.commit import Committed, run_now
from bot.store.engine import lock_server, open_reader, open_writer
from bot.store.outbox import Kind
from bot.store.reads import Reads
from bot.store.transaction import Sources
from bot.store.writer import Writer
from tests.crash.file_slack import BOT, CHANNEL, FileHook, FileSlack
from tests.world import EXAMPLES, TOOL, empty_database

TEAM = "T0CRASHES01"
AGENT_NAME = "refund-bot"
OWNER = "U0OWNER0001"
PEOPLE = ("U0PERSON001", "U0PERSON002", "U0PERSON003", OWNER)
HOOK = "http://127.0.0.1:9/hook"
_HOME = "INSERT INTO facts (name, value) VALUES ('home', ?)"


class MovedClock:
    """The machine's clock, moved ahead: a crash test has no hours to wait."""

    def __init__(self, ahead: timedelta) -> None:
        self._steady = SteadyClock()
        self.ahead = ahead

    def __call__(self) -> datetime:
        """Give the time now."""
        return self._steady() + self.ahead


class Staff:
    """A directory that always answers: everybody in PEOPLE is a support manager, the owner too."""

    def __init__(self, policy: PolicyInForce, clock: MovedClock) -> None:
        self._policy = policy
        self._clock = clock

    async def account_of(self, email: str) -> str | Flaw:  # noqa: ARG002 - Slack's question
        """Nobody is found by an address here."""
        return Flaw.UNKNOWN

    async def group_id(self, handle: str) -> str | None:
        """There are no groups here."""

    async def members_of(self, role: RoleMembers) -> tuple[frozenset[str], bool]:
        """Give whom the file names."""
        return role.people, True

    async def look_up(self, account: Account) -> Member:
        """Tell who an account is."""
        roles = {role for role, members in self._policy.folder.roles.items() if account.user_id in members.users}
        return Member(account.user_id.lower(), None, frozenset(roles), self._clock(), full_member=True)


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one engine."""

    folder: Path

    @property
    def database(self) -> Path:
        """The database."""
        return self.folder / "foureyes.db"

    @property
    def slack(self) -> Path:
        """What stands in Slack."""
        return self.folder / "slack.jsonl"

    @property
    def hook(self) -> Path:
        """What the agent was told."""
        return self.folder / "hook.jsonl"

    @property
    def settings(self) -> Settings:
        """Where the key and its anchor are."""
        return Settings(signing_key_file=self.folder / "foureyes.key")


@dataclass(frozen=True, slots=True)
class Engine:
    """What the commands of a test are given to."""

    agents: AgentUseCases
    people: PeopleUseCases
    sweeps: Sweeps
    wiring: Wiring
    agent: Agent
    clock: MovedClock
    anchors: anchoring.Anchoring


def lay_out(folder: Path) -> Place:
    """Write the files of a new engine: policy, key, and a database with one agent."""
    place = Place(folder)
    (folder / "policy").mkdir(parents=True)
    shutil.copy(EXAMPLES / f"{TOOL}.yml", folder / "policy")
    roles = {"roles": {"support_manager": {"users": list(PEOPLE)}}, "channels": {"default": CHANNEL}}
    (folder / "policy" / "roles.yml").write_text(json.dumps(roles), encoding="utf-8")
    place.database.write_bytes(empty_database())
    key = load_or_create(place.settings.signing_key_file)
    clock = SteadyClock()
    sources = Sources(clock, TimeOrderedIds(), salts)
    with closing(open_writer(place.database, checkpoints=True)) as connection:
        home = {"team_id": TEAM, "enterprise_id": None, "bot_user_id": "U0BOT", "bot_id": BOT, "app_id": None}
        run_now(connection, sources, lambda tx: tx.write(_HOME, (json.dumps(home),)))
        run_now(connection, sources, AddAgent(AGENT_NAME, OWNER, (TOOL,), ("127.0.0.1",), "root", new_token))
    anchoring.Anchoring(place.database, place.settings.anchor_file, key, clock).close()
    return place


@asynccontextmanager
async def started(place: Place, ahead: timedelta, crash_point: Callable[[str], None]) -> AsyncIterator[Engine]:
    """Start an engine on its files, as `running` does."""
    clock = MovedClock(ahead)
    key = load_or_create(place.settings.signing_key_file)
    policy = PolicyInForce(load_policy(place.folder / "policy"))
    schema.require_current(place.database)
    with lock_server(place.database):
        anchoring.require_not_behind(place.database, place.settings.anchor_file, key)
        loop = asyncio.get_running_loop()
        workers: list[OutboxWorker] = []

        def ring(committed: Committed) -> None:
            if committed.kinds:
                for worker in workers:
                    loop.call_soon_threadsafe(worker.wake)

        sources = Sources(clock, TimeOrderedIds(), salts)
        writer = Writer(open_writer(place.database, checkpoints=True), sources, on_commit=ring, crash_point=crash_point)
        reads = Reads(place.database)
        wiring = Wiring(writer, reads, policy, Staff(policy, clock), key, clock, TEAM)
        await writer.run(outbox.free_orphans)
        workers.append(OutboxWorker(wiring, senders(place, wiring), crash_point))
        task = asyncio.create_task(workers[0].run())
        anchors = anchoring.Anchoring(place.database, place.settings.anchor_file, key, clock)
        agent = agent_in(place.database)
        try:
            yield Engine(AgentUseCases(wiring), PeopleUseCases(wiring), Sweeps(wiring), wiring, agent, clock, anchors)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            anchors.close()
            await reads.close()
            writer.close()


def senders(place: Place, wiring: Wiring) -> dict[Kind, Sender]:
    """Give the real senders, with the files at their ends."""
    pace = ChannelPace(wiring.clock, timedelta(microseconds=1))
    post = SlackPost(FileSlack(place.slack), SlackCalls(wiring.clock), pace, BOT, CHANNEL)
    slack = SlackSenders(wiring, post)
    callback = CallbackSender(wiring, FileHook(place.hook))
    return {
        Kind.POST: slack.packet,
        Kind.UPDATE: slack.packet,
        Kind.THREAD: slack.thread,
        Kind.ANNOUNCE: SwitchPost(wiring, post, slack.announce),
        Kind.ANSWER: slack.answer,
        Kind.CALLBACK: callback,
    }


def agent_in(database: Path) -> Agent:
    """Read the one agent."""
    with closing(open_reader(database)) as connection:
        return rows.agent_from(connection.execute(rows.AGENT_BY_NAME, {"name": AGENT_NAME}).fetchone()).agent
