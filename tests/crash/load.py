"""Clients that never give up: agents that propose and claim, people who click, a receiver of callbacks.

They know nothing of crashes. Each keeps what it was told, for the comparison at the end.
"""

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

import httpx

from approval_rules.events import Claimed, Voted, VoteRefused
from bot.slack_standin.conversations import Message
from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.bot.delivery.receiver import Receiver
from tests.crash.laws import ENDS
from tests.crash.served import ServedWorld
from tests.ledger import Ledger
from tests.world import targets_of, votable

PEOPLE = (MAYA, JONAS, PRIYA, SAM)
AGENTS, CLAIMERS, CLICKERS = 4, 2, 3


class Load:
    """Everybody who talks to the server, until `stop`."""

    def __init__(self, world: ServedWorld, receiver: Receiver, dice: Random) -> None:
        self._world = world
        self._receiver = receiver
        self._dice = dice
        self._numbers = count()
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False
        self.proposals: dict[str, set[str]] = defaultdict(set)
        self.created = 0
        self.claimable: list[dict[str, Any]] = []
        self.grants: dict[str, set[str]] = defaultdict(set)
        self.clicked: list[tuple[str, str]] = []

    def start(self) -> None:
        """Begin."""
        many = (self._propose, AGENTS), (self._claim, CLAIMERS), (self._click, CLICKERS)
        self._tasks = [asyncio.create_task(doing()) for doing, times in many for _ in range(times)]

    async def stop(self) -> None:
        """Begin nothing new, and wait for what is under way: the server MUST run. Raises what a client raised."""
        self._over = True
        await asyncio.gather(*self._tasks)

    async def met_everything(self) -> bool:
        """Tell whether something was created, clicked and permitted."""
        return bool(self.created and self.clicked and self.grants)

    async def _propose(self) -> None:
        while not self._over:
            number = next(self._numbers)
            key = f"load-{number}"
            body = {
                "tool": self._dice.choice(list(self._world.tools)),
                "arguments": {
                    "amount_usd": 180 if self._dice.random() < 0.2 else 20,
                    "order_id": f"ORD-{number}",
                    "customer_id": "C-1",
                },
                "summary": "The parcel arrived broken.",
                "context": {"facts": {"customer_tier": "standard"}},
                "callback_url": self._receiver.url(),
            }
            answer = await self._until_answered("/v1/proposals", key, body)
            assert answer.status_code in (200, 201), answer.text
            self.created += answer.status_code == 201
            self.proposals[key].add(answer.json()["id"])
            self.claimable.append(answer.json())
            await asyncio.sleep(0.01)

    async def _claim(self) -> None:
        while not self._over:
            await asyncio.sleep(0.01)
            if self.claimable:
                proposal = self._dice.choice(self.claimable)
                path = f"/v1/proposals/{proposal['id']}/claim"
                key = f"claim-{proposal['id']}"
                answer = await self._until_answered(path, key, {"digest": proposal["digest"]})
                if answer.status_code == 200:
                    self.grants[proposal["id"]].add(answer.json()["grant"])

    async def _until_answered(self, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
        """Ask again with the same key until there is an answer, as every client should."""
        while True:
            with suppress(httpx.TransportError):
                return await self._world.http.post(path, headers={"Idempotency-Key": key}, json=body)
            await asyncio.sleep(0.05)

    async def _click(self) -> None:
        while not self._over:
            await asyncio.sleep(0.02)
            live = [message for message in self._world.load_messages() if votable(message)]
            if live:
                await self._press(self._dice.choice(live), self._dice.choice(PEOPLE))

    async def _press(self, message: Message, user: str) -> None:
        (proposal,) = targets_of(message)
        with suppress(NotPossibleError):
            outcome = await self._world.slack.click(user, message.channel, message.ts, "approve", force=True)
            if outcome.ok:
                self.clicked.append((user, proposal))


def lost(load: Load, receiver: Receiver, ledger: Ledger) -> list[str]:
    """Name everything that a client was told and the log does not know, and every decision that no callback told."""
    broken = []
    for key, idents in load.proposals.items():
        known = ledger.proposal_by_key(key)
        if idents != {known}:
            broken.append(f"I1: {key} was answered with {idents}, the log has {known}")
    claims = {event.proposal for event in ledger.events(Claimed)}
    for ident, grants in load.grants.items():
        if len(grants) != 1 or ident not in claims:
            broken.append(f"I5: {len(grants)} different grants for {ident}")
    judged = {(ledger.user(event.by.ref), event.proposal) for event in ledger.events(Voted)}
    judged |= {(ledger.user(event.by.ref), event.proposal) for event in ledger.events(VoteRefused)}
    broken += [
        f"a click was acknowledged and is not recorded: {click}" for click in load.clicked if click not in judged
    ]
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for request in receiver.requests:
        body = json.loads(request.body)
        told[body["data"]["id"], body["type"]].add(request.headers["webhook-id"])
    for ident in ledger.proposals:
        for event in ledger.of(ident):
            kind = f"proposal.{type(event).__name__.lower()}"
            if isinstance(event, ENDS) and len(told[ident, kind]) != 1:
                broken.append(f"I6: {kind} of {ident} came under the ids {told[ident, kind]}")
    return broken
