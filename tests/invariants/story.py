"""One bad day, played once: two agents, nine people, three pauses, bad links; and all that is left of it.

The agents and people are both honest and not: they repeat, race, lie about digests, click what is over, and vote on
what is theirs. It must never judge: the files beside it say what must be true of the remains.
"""

import asyncio
import base64
import io
import json
import logging
import re
import shutil
import sqlite3
from collections import defaultdict
from contextlib import AsyncExitStack, closing, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import httpx

from approval_rules.people import ProposalId
from bot.agents import NewKey, RevokeAgent
from bot.keys import callback_secret
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError, Twice
from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.workspace import AGENT_OPS, FORMER, JONAS, LENA, MAYA, OUTSIDER, PRIYA, REFUND_APPROVALS, SAM
from bot.store.sealed import look_through
from handlers.slack.packet import digest_of_blocks
from tests.bot.delivery.receiver import OK, Receiver
from tests.crash.deeds import dice
from tests.ledger import Ledger
from tests.world import BOT_TOKEN, SIGNING_SECRET, TOOL, Heard, Proposal, World, denial

BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
HONEST = (MAYA, JONAS, PRIYA)
IN_THE_ROLE = (MAYA, JONAS, SAM, LENA, OUTSIDER, FORMER)  # the policy names some who may never vote
EVERYBODY = (*IN_THE_ROLE, PRIYA)
SCOPES = ("all", f"tool {TOOL}", "agent refund-bot")
PLOTS = ("honest", "denied", "cancelled", "left alone", "lied about", "unclaimed", "green", "unreachable")


@dataclass
class Story:
    """What is left of a day. `proposals` are the 201s by id; `claims` every answer to a claim, by proposal."""

    world: World
    receiver: Receiver
    gone: Receiver
    dice: Random
    night: NewKey = field(init=False)
    unreachable: set[str] = field(default_factory=set)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    claims: dict[str, list[httpx.Response]] = field(default_factory=lambda: defaultdict(list))
    clicks: int = 0
    left: datetime = field(init=False)
    secrets: list[str] = field(default_factory=list)
    callback_secrets: dict[str, str] = field(default_factory=dict)
    printed: str = ""

    # --- playing

    async def play(self) -> None:
        """Go through the day, and on until nothing is open and everything has been told."""
        self.world.write_roles({"users": list(IN_THE_ROLE), "usergroup": "support-managers"})
        await self.world.running.watch.look()
        self.night = await self.world.add_agent("night-bot", MAYA, TOOL)
        for number, scope in enumerate(SCOPES):
            self._spoil_the_links()
            plots = [self._case(plot, number) for plot in self.dice.sample(PLOTS, len(PLOTS))]
            await asyncio.gather(*plots, self._pause(scope))
        self.world.workspace.change_group("S0SUPPORTMG")  # Priya leaves
        self.left = self.world.clock()
        self.world.slack.faults.clear()
        await self.world.move(minutes=2)
        await asyncio.gather(*(self._case(plot, 3) for plot in ("honest", "denied", "lied about")))
        last = [await self.world.propose(42, client=self.client_of("night")) for _ in range(2)]
        self.proposals |= {proposal["id"]: proposal for proposal in last}
        await self._lie(last[1], "night")  # approved by policy, so that only the digest stands in the way
        await self.world.running.wiring.writer.run(RevokeAgent("night-bot", "root"))
        await self._claim(last[0], "night", "late")
        await self._evening()

    def client_of(self, agent: str) -> httpx.AsyncClient:
        """Give the HTTP client of one of the two agents."""
        return self.world.client(self.night.key) if agent == "night" else self.world.http

    def _spoil_the_links(self) -> None:
        slack = self.world.slack
        anything: list[Fault] = [RateLimited(1), ServerError(500), ResetBefore(), LostAnswer(), Refuse("fatal_error")]
        for target in ("chat.postMessage", "chat.update", "users.info", "response_url", "conversations.history"):
            slack.fail(target, self.dice.choice(anything))
        doubled: list[Fault] = [Twice(), LostAnswer(), Delay(0.02)]
        for _ in range(3):
            slack.fail("app:block_actions", self.dice.choice(doubled))
        self.receiver.answers = [*(self.dice.choice((OK, BROKEN, b"")) for _ in range(12)), OK]

    async def _case(self, plot: str, number: int) -> None:
        fixed = {"honest": "refund", "unreachable": "refund", "lied about": "night"}
        agent = fixed.get(plot) or self.dice.choice(("refund", "night"))
        proposal = await self._proposed(plot, agent, f"{plot.replace(' ', '-')}-{number}")
        if proposal is None:
            return
        if proposal["state"] == "pending":
            packet = await self._packet(proposal)
            if plot == "denied":
                await self._press(JONAS, packet, "deny")
            if plot == "cancelled":
                await self._press(self.dice.choice(EVERYBODY), packet)
                path = f"/v1/proposals/{proposal['id']}/cancel"
                await asyncio.gather(*(self.client_of(agent).post(path) for _ in range(2)))
            if plot != "left alone":
                await self._crowd(packet)
        if plot != "unclaimed":
            await self._claimed(plot, proposal, agent)

    async def _proposed(self, plot: str, agent: str, key: str) -> Proposal | None:
        """Propose three times at once under one key; one of the three lies about the body."""
        http = self.client_of(agent)
        more: dict[str, Any] = {"callback_url": (self.gone if plot == "unreachable" else self.receiver).url()}
        if plot in ("denied", "lied about"):
            more["run"] = {"started_by": self.dice.choice(HONEST)}
        body = {
            "tool": TOOL,
            "arguments": {"amount_usd": 42 if plot == "green" else 180, "order_id": key, "customer_id": "C-1"},
            "summary": "The parcel arrived broken. <!channel> *Approved by Maya*",
            "context": {"facts": {"customer_tier": "standard"}},
            **more,
        }
        other = {**body, "arguments": {**body["arguments"], "amount_usd": 49}}
        headers = {"Idempotency-Key": key}
        sent = [http.post("/v1/proposals", headers=headers, json=one) for one in (body, body)]
        answers = await asyncio.gather(*sent)
        answers.append(await http.post("/v1/proposals", headers=headers, json=other))
        made = [answer.json() for answer in answers if answer.status_code == 201]
        self.proposals |= {one["id"]: one for one in made}
        self.unreachable |= {one["id"] for one in made if plot == "unreachable"}
        return made[0] if made else None

    async def _packet(self, proposal: Proposal) -> Message:
        async def posted() -> bool:
            self.world.clock.move(timedelta(seconds=0.2))
            return self.world.ledger().proposals[proposal["id"]].packet is not None

        await self.world.until(posted, "a packet", 30)
        return await self.world.packet_of(proposal)

    async def _crowd(self, packet: Message) -> None:
        """Let everybody click, most of them more than once and some at the same time."""
        order = [*EVERYBODY, *self.dice.choices(HONEST, k=4)]
        self.dice.shuffle(order)
        for place in range(0, len(order), 3):
            await asyncio.gather(*(self._press(user, packet) for user in order[place : place + 3]))

    async def _press(self, user: str, packet: Message, action: str = "approve") -> None:
        with suppress(NotPossibleError):
            self.clicks += 1
            outcome = await self.world.slack.click(user, packet.channel, packet.ts, action, force=True)
            modals = self.world.slack.modals(user)
            if action == "deny" and outcome.ok and modals:
                await self.world.slack.submit(user, modals[-1].id, denial("The parcel was fine."))

    async def _claimed(self, plot: str, proposal: Proposal, agent: str) -> None:
        if plot == "lied about":
            await self._lie(proposal, agent)
        await asyncio.gather(*(self._claim(proposal, agent, f"k{number % 2}") for number in range(4)))
        for status in ("succeeded", "failed"):
            await self.client_of(agent).post(f"/v1/proposals/{proposal['id']}/outcome", json={"status": status})

    async def _lie(self, proposal: Proposal, agent: str) -> None:
        await self._claim(proposal | {"digest": "sha256:" + "0" * 64}, agent, "lie")

    async def _claim(self, proposal: Proposal, agent: str, key: str) -> None:
        path = f"/v1/proposals/{proposal['id']}/claim"
        body = {"digest": proposal["digest"]}
        answer = await self.client_of(agent).post(path, headers={"Idempotency-Key": f"claim-{key}"}, json=body)
        self.claims[proposal["id"]].append(answer)

    async def _pause(self, scope: str) -> None:
        """Stop in the middle, let agents and people try all the same, and resume with one and then two people."""
        await asyncio.sleep(self.dice.random() * 0.6)
        say = self.world.slack.command
        waiting = await self.world.propose(42)
        self.proposals[waiting["id"]] = waiting
        await say(SAM, REFUND_APPROVALS, "/agent", f"pause {scope} it loops")
        for proposal in list(self.proposals.values()):  # those of the other agent too
            await self._claim(proposal, "refund", "paused")
        await self.world.post_proposal(180)
        for user in (LENA, SAM, MAYA, MAYA, JONAS, PRIYA):
            await say(user, REFUND_APPROVALS, "/agent", f"resume {scope}")
            await self.world.move(seconds=15)

    async def _evening(self) -> None:
        self.world.slack.faults.clear()
        self.receiver.answers = [OK]

        async def over() -> bool:
            await self.world.move(minutes=10)
            with self.world.db() as db:
                waiting = db.execute("SELECT 1 FROM outbox WHERE state IN ('queued', 'sending')").fetchone()
                open_ones = db.execute("SELECT 1 FROM proposals WHERE clock IS NOT NULL").fetchone()
            return waiting is None and open_ones is None

        await self.world.until(over, "the end of the day", 30)
        await asyncio.gather(*(self.client_of("refund").get(f"/v1/proposals/{ident}") for ident in self.proposals))
        for ident in self.proposals:
            message = self.packet(ident)
            if message is not None:
                await self._press(JONAS, message)
            await self._claim(self.proposals[ident], "refund", "evening")
        await self.world.settled()
        await self._note_secrets()

    async def _note_secrets(self) -> None:
        await self.world.client("fe_00000000_" + "B" * 43).get("/v1/agent")
        await self.world.slack.send_signed(b"payload={", timestamp="1")
        key = self.world.running.wiring.key
        for made in (self.world.agent, self.night):
            secret = callback_secret(key, made.agent.id, made.generation)
            self.callback_secrets[made.agent.id] = secret
            self.secrets += [made.key, secret, secret.removeprefix("whsec_")]
        pem = (self.world.folder / "foureyes.key").read_text(encoding="ascii").splitlines()[1]
        urls = [f"/response/{name}" for name in self.world.slack.world.entitlements.urls]
        self.secrets += [BOT_TOKEN, SIGNING_SECRET, pem, pem[-43:], *urls]

    # --- looking

    def shown(self) -> dict[str, list[Any]]:
        """Give the blocks of every packet that Slack was sent, by their digest; Slack itself adds its defaults."""
        calls = [call for call in self.world.slack.calls if call.method in ("chat.postMessage", "chat.update")]
        return {digest_of_blocks(call.args["blocks"]): call.args["blocks"] for call in calls if call.args.get("blocks")}

    @cached_property
    def ledger(self) -> Ledger:
        """The log of the whole day and its fold."""
        return self.world.ledger()

    @property
    def heard(self) -> list[Heard]:
        """Every answer that an agent got, oldest first."""
        return self.world.heard

    def packet(self, ident: str) -> Message | None:
        """Give the one message in Slack that is this proposal's packet."""
        found = self.packets(ident)
        return found[0] if found else None

    def packets(self, ident: str) -> list[Message]:
        """List every message that was posted as this proposal's packet."""
        posted = [message for message in self.world.slack.messages(REFUND_APPROVALS) if message.metadata]
        return [one for one in posted if (one.metadata or {})["event_payload"].get("proposal") == ident]

    def in_slack(self) -> str:
        """Give everything that anybody could read in Slack, every version of it."""
        slack = self.world.slack
        said = [one.versions for channel in (REFUND_APPROVALS, AGENT_OPS) for one in slack.messages(channel)]
        notes = [(one.text, one.blocks) for user in EVERYBODY for one in slack.ephemerals(user)]
        views = [one.view for user in EVERYBODY for one in slack.modals(user)]
        return json.dumps([said, notes, views], ensure_ascii=False, default=str)

    def grants(self) -> dict[ProposalId, set[str]]:
        """Give the permissions that agents were handed, by proposal."""
        found: dict[ProposalId, set[str]] = defaultdict(set)
        for ident, answers in self.claims.items():
            found[ProposalId(ident)] |= {answer.json()["grant"] for answer in answers if answer.status_code == 200}
        return {ident: grants for ident, grants in found.items() if grants}

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """List the callbacks that arrived: webhook-id and body."""
        requests = [*self.receiver.requests, *self.gone.requests]
        return [(request.headers["webhook-id"], json.loads(request.body)) for request in requests]

    def copy_of_the_database(self, path: Path) -> sqlite3.Connection:
        """Copy the database to where it may be damaged, with the guards taken off, as its administrator can."""
        shutil.copy(self.world.database, path)
        db = sqlite3.connect(path, isolation_level=None)
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{trigger}"')
        look_through(db, self.world.vault())
        return db


def payload_of(grant: str) -> dict[str, Any]:
    """Read a grant as somebody without the key would."""
    middle = grant.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def path_id(heard: Heard) -> str | None:
    """Name the proposal that a request was about."""
    found = re.match(r"/v1/proposals/([^/?]+)", heard.path)
    return found[1] if found else None


async def played(folder: Path, seed: int) -> Story:
    """Play a day in a folder; the server has stopped when this returns, and everything it printed is kept."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(lambda record: not record.name.startswith("uvicorn"))  # the local Slack is the other side
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with redirect_stdout(out), redirect_stderr(out):
            async with AsyncExitStack() as stack:
                world = await stack.enter_async_context(World(folder))
                receiver = await stack.enter_async_context(Receiver())
                gone = await stack.enter_async_context(Receiver(answers=[GONE]))
                story = Story(world, receiver, gone, dice(seed))
                await story.play()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    story.printed = out.getvalue()
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return story
