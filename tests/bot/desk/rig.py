"""The use cases on a real store, with a clock and a directory that a test decides about, and no outbox worker.

What a worker would have posted is recorded by the test, so that it can happen late, twice or never.
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from approval_rules.canonical import digest_of, sha256_name
from approval_rules.commands import Draft, RecordPosted
from approval_rules.events import Decision, Posted
from approval_rules.people import Account, Agent, Flaw, RoleName, ToolName
from approval_rules.policy import RoleMembers
from approval_rules.text import AgentJson, AgentText, Json
from bot.agents import AddAgent
from bot.audit.verify import verify
from bot.clock import TimeOrderedIds, new_token, salts
from bot.desk.agents import AgentUseCases
from bot.desk.apply import apply
from bot.desk.people import PeopleUseCases
from bot.desk.sweeps import Sweeps
from bot.desk.wiring import PolicyInForce, Wiring
from bot.directory import Member
from bot.keys import generate
from bot.policy_files import load as load_policy
from bot.store.check import differences
from bot.store.engine import open_reader, open_writer
from bot.store.reads import Reads
from bot.store.transaction import Sources, Transaction
from bot.store.writer import Writer
from handlers.desk import Accepted, Click, Envelope, Intake, Refused
from tests.movable_clock import MovableClock
from tests.world import EXAMPLES, TOOL, empty_database

TEAM = "T0RIG"
CHANNEL = "C0RIG"
MANAGER = RoleName("support_manager")
PEOPLE = tuple(f"U0PERSON{number}" for number in range(5))
OWNERS = (PEOPLE[4], PEOPLE[3])
_HOME = "INSERT INTO facts (name, value) VALUES ('home', ?)"


class Staff:
    """The directory: everybody is a support manager until a test says otherwise."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self.flaws: dict[str, Flaw] = {}
        self.outside: set[str] = set()
        self.asked = 0

    def eligible(self, user: str) -> bool:
        """Tell whether somebody may vote at all now."""
        return user not in self.flaws and user not in self.outside

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
        self.asked += 1
        user = account.user_id
        flaw = self.flaws.get(user)
        roles = frozenset() if flaw or user in self.outside else frozenset({MANAGER})
        marks = frozenset({f"e-mail:{user}"})
        return Member(user.lower(), flaw, roles, self._clock(), full_member=flaw is None, marks=marks)


class Rig:
    """Writer, readers and use cases on one file. `restart` opens everything anew."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "foureyes.db"
        self.path.write_bytes(empty_database())
        (folder / "policy").mkdir()
        shutil.copy(EXAMPLES / f"{TOOL}.yml", folder / "policy")
        (folder / "policy" / "roles.yml").write_text(json.dumps({"roles": {MANAGER: {"users": PEOPLE}}}), "utf-8")
        self.policy = PolicyInForce(load_policy(folder / "policy"))
        self.clock = MovableClock()
        self.staff = Staff(self.clock)
        self.key = generate()
        self._ids = TimeOrderedIds()
        self.agents: list[Agent] = []
        self.open()

    def open(self) -> None:
        """Open the file."""
        self.writer = Writer(open_writer(self.path, checkpoints=True), Sources(self.clock, self._ids, salts))
        self.reads = Reads(self.path)
        self.wiring = Wiring(self.writer, self.reads, self.policy, self.staff, self.key, self.clock, TEAM)
        self.for_agents = AgentUseCases(self.wiring)
        self.for_people = PeopleUseCases(self.wiring)
        self.sweeps = Sweeps(self.wiring)

    async def close(self) -> None:
        """Close the file."""
        await self.reads.close()
        self.writer.close()

    async def restart(self) -> None:
        """Close the file and open it again."""
        await self.close()
        self.open()

    async def hire(self) -> None:
        """Register one agent for each owner."""
        home = {"team_id": TEAM, "enterprise_id": None, "bot_user_id": "U0BOT", "bot_id": "B0", "app_id": "A0"}
        await self.writer.run(lambda tx: tx.write(_HOME, (json.dumps(home),)))
        for number, owner in enumerate(OWNERS):
            unit = AddAgent(f"bot-{number}", owner, (TOOL,), ("127.0.0.1",), "root", new_token)
            self.agents.append((await self.writer.run(unit)).agent)

    async def submit(
        self,
        agent: Agent,
        amount: int,
        key: str,
        *,
        starter: str | None = None,
        expires: timedelta | None = None,
        claim: bool = False,
    ) -> Accepted | Refused:
        """Propose a refund."""
        arguments: Mapping[str, Json] = {"amount_usd": amount, "order_id": key}
        draft = Draft(
            tool=ToolName(TOOL),
            arguments=AgentJson(arguments),
            digest=digest_of(TOOL, arguments),
            summary=AgentText("a refund"),
            context=AgentJson({"facts": {"customer_tier": "standard"}}),
            run=AgentJson({}),
            callback_url="http://127.0.0.1:9/hook",
            expires_in=expires,
        )
        body = sha256_name(repr((amount, key, starter, expires, claim)).encode())
        return await self.for_agents.submit(agent, draft, Intake(key, body, starter, claim_if_allowed=claim))

    async def post(self, proposal: str, ts: str) -> None:
        """Record what a worker would have posted."""
        posted = Posted(CHANNEL, ts, sha256_name(ts.encode()))

        def unit(tx: Transaction) -> None:
            loaded = tx.proposal(proposal)
            assert loaded is not None
            apply(tx, loaded, RecordPosted(tx.at, loaded.proposal.id, posted))

        await self.writer.run(unit)

    def envelope(self, user: str, request: str) -> Envelope:
        """Make the envelope of a request."""
        return Envelope(Account(TEAM, user), user, CHANNEL, request, f"http://127.0.0.1:9/{request}")

    def click(self, user: str, proposal: str, digest: str, ts: str, decision: Decision) -> Click:
        """Make a click that nobody made before."""
        reason = AgentText("because") if decision is Decision.DENY else None
        return Click(self.envelope(user, self._ids("req")), proposal, digest, ts, decision, reason)

    def faults(self) -> list[str]:
        """Verify the log and the index."""
        with closing(open_reader(self.path)) as connection:
            return [broken.what for broken in verify(connection, None).broken] + list(differences(connection))
