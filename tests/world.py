"""The whole product on real parts, for tests: a SQLite file, the local Slack, HTTP over loopback, a clock that moves.

    async with World(tmp_path) as world:
        proposal = await world.propose(180)
        packet = await world.packet_of(proposal["id"])
        assert "counts" in await world.click(MAYA, packet, "approve")

It must never look into the product where Slack, HTTP or the database file can tell as well.
"""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, cast
from unittest.mock import patch

import httpx

from approval_rules.erasure_events import Why, erasures
from approval_rules.people import PersonId, system
from bot.agents import AddAgent, NewKey
from bot.app import Running, running
from bot.clock import TimeOrderedIds, new_token
from bot.data_keys import DataKeys
from bot.keys import load
from bot.person_marks import account_marking
from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.limits import Rates
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.server import SlackStandin
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS, SAM, User, demo_workspace
from bot.slack_standin.world import Options
from bot.store import people, schema
from bot.store.commit import no_crash
from bot.store.engine import open_reader
from bot.store.transaction import Transaction
from handlers.slack.ids import read_value
from tests.ledger import Ledger
from tests.movable_clock import MovableClock

TOOL = "payments.refund"
MANAGER = "support_manager"
BOT_TOKEN = "xoxb-world-0123456789"
SIGNING_SECRET = "signing-secret-of-the-world"
EXAMPLES = Path(__file__).parent.parent / "examples" / "policy"
WAIT_S = 20.0
# Slack waits 3 s, and our edges keep within it; seconds are the subject of other tests, and here a machine may be busy.
PATIENCE_S = 30.0
_EDGES = ("handlers.slack.patience.DESK_SECONDS", "handlers.slack.actions.SLACK_SECONDS")
_LOOK_UPS = {"bot.directory._LOOK_UP_SECONDS": 2.5, "bot.directory._ROLE_SECONDS": 2.0}

Proposal = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer that a client of the API got."""

    method: str
    path: str
    sent: bytes
    status: int
    body: bytes
    headers: dict[str, str] = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Read the body."""
        return json.loads(self.body)


@cache
def empty_database() -> bytes:
    """Make the schema once a process; every world starts from a copy of the same file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        schema.upgrade(path)
        return path.read_bytes()


class World:
    """One server, one workspace, one agent, `refund-bot`, owned by Sam; Maya, Jonas and (by group) Priya decide."""

    def __init__(
        self,
        folder: Path,
        *,
        managers: tuple[str, ...] = (MAYA, JONAS),
        rates: Rates | None = None,
        history_lag_s: float = 0.0,
        patience_s: float = PATIENCE_S,
        pace: timedelta = timedelta(milliseconds=1),
        callback_allow: str = "127.0.0.1",
        crash_point: Callable[[str], None] = no_crash,
    ) -> None:
        self.folder = folder
        self.clock = MovableClock()
        self.pace = pace
        self.crash_point = crash_point
        self.workspace = demo_workspace()
        for user in managers:
            if user not in self.workspace.users:
                self.workspace.add_user(User(user, user.lower(), f"Manager {user}"), REFUND_APPROVALS, AGENT_OPS)
        self.slack = SlackStandin(
            self.workspace,
            signing_secret=SIGNING_SECRET,
            bot_token=BOT_TOKEN,
            options=Options(rates=rates or Rates.unlimited(), history_lag_s=history_lag_s, patience_s=patience_s),
            wall=lambda: self.clock().timestamp(),
        )
        self.policy = folder / "policy"
        self.database = folder / "foureyes.db"
        self.callback_allow = callback_allow
        self.environment = "production"
        self.public_url: str | None = None
        self.witness_file: Path | None = None
        self.tlog_witness = ""
        self.witness_git: Path | None = None
        self.time_stamp_url = ""
        self.time_stamp_ca: Path | None = None
        self.channels = {"default": REFUND_APPROVALS, "announcements": AGENT_OPS}
        self.heard: list[Heard] = []
        self._ids = TimeOrderedIds()
        self._numbers = count(1)
        self._server = AsyncExitStack()
        self.running: Running
        self.url = ""
        self.port = 0
        self.agent: NewKey
        self.http: httpx.AsyncClient
        self._write_files(managers)

    def _write_files(self, managers: tuple[str, ...]) -> None:
        self.policy.mkdir(parents=True)
        shutil.copy(EXAMPLES / f"{TOOL}.yml", self.policy)
        self.write_roles({"users": list(managers), "usergroup": "support-managers"})
        self.database.write_bytes(empty_database())

    def write_roles(self, manager: dict[str, Any], **others: dict[str, Any]) -> None:
        """Say who is a support manager, and who fills other roles."""
        roles = {MANAGER: manager, **others}
        text = json.dumps({"roles": roles, "channels": self.channels})  # JSON is YAML
        (self.policy / "roles.yml").write_text(text, encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """Give the settings as the environment would."""
        return Settings(
            database_url=f"sqlite+aiosqlite:///{self.database}",
            policy=self.policy,
            callback_allow=self.callback_allow,
            lookup_allow="127.0.0.1",
            environment=self.environment,
            signing_key_file=self.folder / "foureyes.key",
            slack_api_url=self.slack.api_url,
            slack_bot_token=BOT_TOKEN,
            slack_signing_secret=SIGNING_SECRET,
            public_url=self.public_url,
            witness_file=self.witness_file,
            tlog_witness=self.tlog_witness,
            witness_git=self.witness_git,
            time_stamp_url=self.time_stamp_url,
            time_stamp_ca=self.time_stamp_ca,
        )

    # --- running

    async def __aenter__(self) -> Self:
        await self.slack.start()
        try:
            await self.start()
            self.agent = await self.add_agent("refund-bot", SAM, TOOL)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self.http = self.client(self.agent.key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self.slack.stop()

    async def start(self) -> None:
        """Start the server on the world's files."""
        async with AsyncExitStack() as stack:
            for seconds, patience in (*((edge, PATIENCE_S - 5) for edge in _EDGES), *_LOOK_UPS.items()):
                stack.enter_context(patch(seconds, patience))
            self.running = await stack.enter_async_context(
                running(self.settings, self.clock, self._ids, crash_point=self.crash_point, pace=self.pace)
            )
            server = LoopbackServer(self.running.app, port=self.port)
            await server.start()
            stack.push_async_callback(server.stop)
            self.url = server.url
            self.slack.request_url = f"{server.url}/slack/events"
            self._server = stack.pop_all()
        if hasattr(self, "agent"):
            self.http = self.client(self.agent.key)

    async def stop(self) -> None:
        """Stop the server."""
        await self._server.aclose()
        self._server = AsyncExitStack()

    async def restart(self) -> None:
        """Stop the server and start it again on the same files."""
        await self.stop()
        await self.start()

    async def move(self, **by: float) -> None:
        """Let time pass (`hours=4`), and let the sweeps see it."""
        self.clock.move(timedelta(**by))
        await self.running.sweeps.lift_timed_pauses()
        await self.running.sweeps.pass_time()

    # --- agents

    async def add_agent(self, name: str, owner: str, *tools: str, callback_hosts: tuple[str, ...] = ()) -> NewKey:
        """Register an agent as `foureyes agent add` does."""
        unit = AddAgent(name, owner, tools, callback_hosts or ("127.0.0.1",), "root", new_token)
        return await self.running.wiring.writer.run(unit)

    def client(self, key: str) -> httpx.AsyncClient:
        """Make an agent's HTTP client; what it hears is kept in `heard`."""

        async def note(response: httpx.Response) -> None:
            await response.aread()
            asked = response.request
            path = asked.url.raw_path.decode()
            sent = await asked.aread()
            headers = dict(response.headers)
            self.heard.append(Heard(asked.method, path, sent, response.status_code, response.content, headers))

        client = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            event_hooks={"response": [note]},
            trust_env=False,
            timeout=30,
        )
        self._server.push_async_callback(client.aclose)
        return client

    async def post_proposal(
        self,
        amount: float | str,
        *,
        tier: str = "standard",
        key: str | None = None,
        client: httpx.AsyncClient | None = None,
        **more: Any,  # noqa: ANN401 - JSON
    ) -> httpx.Response:
        """Propose a refund and give the raw answer."""
        number = next(self._numbers)
        body = {
            "tool": TOOL,
            "arguments": {"amount_usd": amount, "order_id": f"ORD-{number}", "customer_id": "C-1"},
            "summary": "The parcel arrived broken.",
            "context": {"facts": {"customer_tier": tier}},
            **more,
        }
        http = client or self.http
        return await http.post("/v1/proposals", headers={"Idempotency-Key": key or f"key-{number}"}, json=body)

    async def propose(self, amount: float | str = 180, **more: Any) -> Proposal:  # noqa: ANN401 - JSON
        """Propose a refund that must be accepted."""
        answer = await self.post_proposal(amount, **more)
        assert answer.status_code == 201, answer.text
        return cast("Proposal", answer.json())

    async def read(self, proposal: Proposal, wait: int = 0) -> Proposal:
        """Read a proposal as its agent."""
        answer = await self.http.get(f"/v1/proposals/{proposal['id']}", params={"wait": wait} if wait else {})
        assert answer.status_code == 200, answer.text
        return cast("Proposal", answer.json())

    async def claim(self, proposal: Proposal, *, digest: str | None = None, key: str | None = None) -> httpx.Response:
        """Ask for the permission."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"digest": digest or proposal["digest"]}
        return await self.http.post(f"/v1/proposals/{proposal['id']}/claim", headers=headers, json=body)

    async def report(self, proposal: Proposal, status: str = "succeeded") -> httpx.Response:
        """Say how it went."""
        return await self.http.post(f"/v1/proposals/{proposal['id']}/outcome", json={"status": status})

    # --- people

    async def packet_of(self, proposal: Proposal | str) -> Message:
        """Wait until the packet stands in Slack and the server knows it."""
        ident = proposal if isinstance(proposal, str) else proposal["id"]
        place: list[str] = []

        async def posted() -> bool:
            with self.db() as db:
                row = db.execute("SELECT channel, ts FROM proposals WHERE id = ?", (ident,)).fetchone()
            place[:] = [] if row is None or row[0] is None else row
            return bool(place)

        await self.until(posted, f"a packet of {ident}")
        message = self.slack.world.conversations.find(*place)
        assert message is not None
        return message

    def packets(self, proposal: Proposal) -> list[Message]:
        """List every message that carries a button for this proposal, wherever it is."""
        everywhere = [message for channel in self.workspace.channels for message in self.slack.messages(channel)]
        return [message for message in everywhere if message.app_id and proposal["id"] in targets_of(message)]

    def thread(self, packet: Message) -> list[str]:
        """List the replies under a packet."""
        return [message.text for message in self.slack.messages(packet.channel) if message.thread_ts == packet.ts]

    async def click(self, user: str, packet: Message, action: str = "approve", *, force: bool = False) -> str:
        """Press a button, and wait for what only the clicker is told."""
        before = len(self.slack.ephemerals(user))
        outcome = await self.slack.click(user, packet.channel, packet.ts, action, force=force)
        assert outcome.ok, outcome.warning
        return (await self._next_note(user, before)).strip()

    async def _next_note(self, user: str, before: int) -> str:
        def find() -> str | None:
            notes = self.slack.ephemerals(user)
            return notes[before].text or " " if len(notes) > before else None

        return await self.slack.until(find, f"an answer to {user}", timeout=WAIT_S)

    async def deny(self, user: str, packet: Message, reason: str) -> str:
        """Press Deny, give a reason in the modal, and tell what the modal says then."""
        return await self.fill(user, packet, "deny", denial(reason))

    async def fill(
        self, user: str, packet: Message, action: str, values: dict[str, Any], *, force: bool = False
    ) -> str:
        """Press a button, fill in its modal, and tell what the modal says then, or what is wrong with an input."""
        outcome = await self.slack.click(user, packet.channel, packet.ts, action, force=force)
        assert outcome.ok, outcome.warning
        modal = self.slack.modals(user)[-1]
        if modal.view.get("submit") is None:
            return json.dumps(modal.view, ensure_ascii=False)
        outcome = await self.slack.submit(user, modal.id, values)
        assert outcome.warning is None, outcome.warning
        return json.dumps(outcome.errors or self.slack.modals(user)[-1].view, ensure_ascii=False)

    async def approve(self, proposal: Proposal, *users: str) -> Message:
        """Let people (Maya and Jonas, where nobody is named) approve."""
        packet = await self.packet_of(proposal)
        for user in users or (MAYA, JONAS):
            await self.click(user, packet, "approve")
        return packet

    async def say(self, user: str, text: str) -> str:
        """Type `/agent TEXT` and give the answer."""
        before = len(self.slack.ephemerals(user))
        outcome: Outcome = await self.slack.command(user, REFUND_APPROVALS, "/agent", text)
        assert outcome.ok, outcome.warning
        return await self._next_note(user, before)

    # --- looking

    def vault(self) -> DataKeys | None:
        """Open the keys of the sealed values; None where nothing was sealed yet."""
        file = self.settings.data_keys_file
        marking = account_marking(load(self.settings.signing_key_file))
        return DataKeys(file, new_token, marking) if file.exists() else None

    @contextmanager
    def db(self) -> Iterator[sqlite3.Connection]:
        """Look into the database as a stranger with a read-only connection would."""
        connection = open_reader(self.database, self.vault())
        try:
            yield connection
        finally:
            connection.close()

    def person_of(self, user: str) -> str:
        """Give the pseudonym of an account."""
        with self.db() as db:
            (found,) = db.execute("SELECT ref FROM people WHERE user_id = ?", (user,)).fetchall()
        return str(found[0])

    async def take_out(self, user: str) -> None:
        """Erase who somebody is, and nothing else, on record."""
        person = PersonId(self.person_of(user))

        def unit(tx: Transaction) -> None:
            for sql in people.FORGET:
                tx.write(sql, (person,))
            for event in erasures(tx.at, system("test"), Why.PERSON, (), people=[person]):
                tx.record(event)

        await self.running.wiring.writer.run(unit)

    def ledger(self) -> Ledger:
        """Read the whole log and what was folded from it."""
        with self.db() as db:
            return Ledger.read(db)

    def verify_log(self) -> None:
        """Assert that the log verifies against the anchor and that every index row is the fold of its events."""
        with self.db() as db:
            assert self.ledger().faults(db, self.settings) == []

    async def until(self, true: Callable[[], Awaitable[bool]], what: str, within: float = WAIT_S) -> None:
        """Wait for something that only looking can tell."""
        await until(true, what, within)

    async def settled(self, within: float = WAIT_S) -> None:
        """Wait until everything that was to be told has been told, or is a dead letter."""

        async def quiet() -> bool:
            with self.db() as db:
                row = db.execute("SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')").fetchone()
            return bool(row[0] == 0)

        await self.until(quiet, "a quiet outbox", within)


async def until(true: Callable[[], Awaitable[bool]], what: str, within: float = WAIT_S) -> None:
    """Poll every 10 ms; AssertionError says what did not come."""
    for _ in range(int(within * 100)):
        if await true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what} did not come within {within} s")


def targets_of(message: Message) -> set[str]:
    """Name the proposals that the message's buttons are about."""
    return {target.proposal for button in buttons_of(message) if (target := read_value(button.get("value")))}


def buttons_of(message: Message) -> list[dict[str, Any]]:
    """List the buttons of a message."""
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


def denial(reason: str, category: str = "other") -> dict[str, Any]:
    """Give what stands in the modal that denies."""
    return {"category": {"category": category}, "reason": {"reason": reason}}


def votable(message: Message) -> bool:
    """Tell whether somebody could still vote on this message."""
    return any(button["action_id"] in ("approve", "deny") for button in buttons_of(message))
