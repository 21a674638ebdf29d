"""A storm: agents, people and Slack at work while all three links fail at random; then calm, and the reckoning.

Clients do what honest clients do: ask again with the same key, click again when told to. Time runs faster than outside,
so that retries come due.
"""

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from approval_rules.events import Claimed
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError, Twice
from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, REFUND_APPROVALS
from tests.bot.delivery.receiver import Receiver
from tests.crash.laws import ENDS, broken_promises, shown
from tests.faults.faulty_link import FaultyLink, Harm, mostly_harmless
from tests.ledger import Ledger
from tests.world import TOOL, World, votable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
METHODS = (
    "chat.postMessage",
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "users.info",
    "usergroups.list",
    "usergroups.users.list",
    "response_url",
)
FROM_SLACK = ("app:block_actions", "app:*")
AT_ONCE = 8
TRIES = 200


@dataclass(slots=True)
class Told:
    """What the agents were told: ids by key, grants by proposal."""

    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    grants: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    retries: int = 0


class Storm:
    """One server, three bad links, and everybody who uses them."""

    def __init__(self, folder: Path, dice: Random) -> None:
        self.world = World(folder)
        self.dice = dice
        self.receiver = Receiver(answers=[OK])
        self.told = Told()
        self.faults: Counter[str] = Counter()
        self._stack = AsyncExitStack()
        self._weather: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_async_context
        try:
            await enter(self.world)
            await enter(self.receiver)
            self.hook = await enter(FaultyLink(self.receiver.port, mostly_harmless(self.dice, 0.5)))
            self.link = await enter(FaultyLink(urlsplit(self.world.url).port or 0, mostly_harmless(self.dice)))
            self.http = await enter(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{self.link.port}",
                    headers={"Authorization": f"Bearer {self.world.agent.key}"},
                    limits=httpx.Limits(max_keepalive_connections=0),
                    trust_env=False,
                    timeout=30,
                )
            )
        except BaseException:
            await self._stack.aclose()
            raise
        self._weather = [asyncio.create_task(self._time()), asyncio.create_task(self._trouble())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._still()
        await self._stack.aclose()

    async def rage(self, requests: int) -> None:
        """Let so many proposals be made and seen through, several at once."""
        numbers = iter(range(requests))

        async def agent() -> None:
            for number in numbers:
                await self._case(number)

        await asyncio.gather(*(agent() for _ in range(AT_ONCE)))

    async def calm(self) -> None:
        """End every fault, and let hours pass until everything has ended and has been told."""
        await self._still()
        self.world.slack.faults.clear()
        self.link.heal()
        self.hook.heal()

        async def over() -> bool:
            await self.world.move(minutes=2)
            with self.world.db() as db:
                waiting = db.execute("SELECT 1 FROM outbox WHERE state IN ('queued', 'sending')").fetchone()
                open_ones = db.execute("SELECT 1 FROM proposals WHERE clock IS NOT NULL").fetchone()
            return waiting is None and open_ones is None

        await self.world.until(over, "the end of everything", 120)

    async def _still(self) -> None:
        for task in self._weather:
            task.cancel()
        for task in self._weather:
            with suppress(asyncio.CancelledError):
                await task
        self._weather = []

    async def _time(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.world.clock.move(timedelta(seconds=1))

    async def _trouble(self) -> None:
        """Order a few faults at a time; those that nothing has met are forgotten, so that Slack is never quite down."""
        dice = self.dice
        anything: list[Fault] = [
            RateLimited(1),
            ServerError(503),
            ServerError(500),
            ResetBefore(),
            LostAnswer(),
            Delay(0.05),
            Refuse("fatal_error"),
        ]
        from_slack: list[Fault] = [ResetBefore(), LostAnswer(), Delay(0.05), Twice()]
        while True:
            await asyncio.sleep(0.05)
            self.world.slack.faults.clear()
            for _ in range(4):
                target = dice.choice((*METHODS, *FROM_SLACK))
                fault = dice.choice(from_slack if target in FROM_SLACK else anything)
                self.world.slack.fail(target, fault, times=dice.choice((1, 1, 3)))
                self.faults[target] += 1

    async def _case(self, number: int) -> None:
        """Propose, ask people, claim, report."""
        body = {
            "tool": TOOL,
            "arguments": {
                "amount_usd": self.dice.choice([20, 180]),
                "order_id": f"ORD-{number}",
                "customer_id": "C-1",
            },
            "summary": "The parcel arrived broken.",
            "context": {"facts": {"customer_tier": "standard"}},
            "callback_url": f"http://127.0.0.1:{self.hook.port}/hook",
        }
        key = f"storm-{number}"
        answer = await self._insist("/v1/proposals", key, body)
        assert answer.status_code in (200, 201), answer.text
        proposal = answer.json()
        self.told.ids[key].add(proposal["id"])
        if proposal["state"] == "pending":
            await self._people(proposal["id"])
        path = f"/v1/proposals/{proposal['id']}"
        claim = await self._insist(f"{path}/claim", f"claim-{number}", {"digest": proposal["digest"]})
        if claim.status_code == 200:
            self.told.grants[proposal["id"]].add(claim.json()["grant"])
            outcome = await self._insist(f"{path}/outcome", None, {"status": "succeeded"})
            assert outcome.status_code == 200, outcome.text

    async def _insist(self, path: str, key: str | None, body: dict[str, Any]) -> httpx.Response:
        """Ask with the same key until there is an answer that is no outage."""
        headers = {} if key is None else {"Idempotency-Key": key}
        for _ in range(TRIES):
            with suppress(httpx.TransportError):
                answer = await self.http.post(path, headers=headers, json=body)
                if answer.status_code not in (429, 503):
                    return answer
            self.told.retries += 1
            await asyncio.sleep(0.01)
        raise AssertionError(f"no answer to {path} after {TRIES} tries")

    async def _people(self, proposal: str) -> None:
        """Two people click until the packet is decided, as long as they have patience."""
        packet = await self._packet(proposal)
        for _ in range(20):
            if packet is None or not votable(packet):
                return
            user = self.dice.choice((MAYA, JONAS, PRIYA))
            with suppress(NotPossibleError):
                await self.world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
            await asyncio.sleep(0.02)

    async def _packet(self, proposal: str) -> Message | None:
        for _ in range(TRIES):
            found = packets_of(self.world, proposal)
            if found:
                return found[0]
            await asyncio.sleep(0.02)
        return None


def packets_of(world: World, proposal: str) -> list[Message]:
    """List the messages that were posted as this proposal's packet."""
    posted = [message for message in world.slack.messages(REFUND_APPROVALS) if message.metadata]
    return [message for message in posted if (message.metadata or {})["event_payload"].get("proposal") == proposal]


def wrong_after(storm: Storm) -> list[str]:
    """Compare what everybody saw: I1, I5, I6, I10."""
    ledger = storm.world.ledger()
    wrong = broken_promises(ledger) + _answers(storm.told, ledger) + _callbacks(storm.receiver, ledger)
    for ident in ledger.proposals:
        packets = packets_of(storm.world, ident)
        if len(packets) != (ident in shown(ledger)):
            wrong.append(f"I1: {ident} has {len(packets)} packets in Slack")
        wrong += [f"the packet of {ident} can still be voted on" for packet in packets if votable(packet)]
    dead = [row for row in ledger.outbox if row["state"] == "dead" and row["kind"] != "callback"]
    return wrong + [f"given up: {row['name']}: {row['last_error']}" for row in dead]


def _answers(told: Told, ledger: Ledger) -> list[str]:
    wrong = [f"I1: {key} is {ids}" for key, ids in told.ids.items() if ids != {ledger.proposal_by_key(key)}]
    claims = {event.proposal for event in ledger.events(Claimed)}
    wrong += [f"I5: {ident} has {len(grants)}" for ident, grants in told.grants.items() if len(grants) != 1]
    return wrong + [f"I5: {ident} was granted and not claimed" for ident in told.grants if ident not in claims]


def _callbacks(receiver: Receiver, ledger: Ledger) -> list[str]:
    """I6: every decision arrived under one id with one body, or is a dead letter."""
    seen: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for request in receiver.requests:
        body = json.loads(request.body)
        seen[f"{body['data']['id']} {body['type']}"].add((request.headers["webhook-id"], request.body))
    dead = {row["subject"] for row in ledger.outbox if row["state"] == "dead"}
    wrong = []
    for ident in ledger.proposals:
        for event in ledger.of(ident):
            name = f"{ident} proposal.{type(event).__name__.lower()}"
            if isinstance(event, ENDS) and len(seen[name]) != 1 and ident not in dead:
                wrong.append(f"I6: {name} arrived under {len(seen[name])} ids or bodies")
    return wrong


def harms(storm: Storm) -> set[Harm]:
    """Tell which harms both TCP links have done."""
    return set(storm.link.done) & set(storm.hook.done)
