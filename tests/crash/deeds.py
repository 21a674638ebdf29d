"""What a child does to the engine: random deeds, each a line of JSON that can be done again after a crash.

A deed's answer is told only after it was got, in words that the log can be held against.
"""

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, TypeAlias

from approval_rules.canonical import digest_of, sha256_name
from approval_rules.commands import Draft
from approval_rules.events import Decision
from approval_rules.people import Account, ToolName
from approval_rules.switch import EVERYTHING, Scope, ScopeKind
from approval_rules.text import AgentJson, AgentText
from handlers.desk import Accepted, Click, Envelope, Grant, Intake, Refused, Seen
from tests.crash.engine import HOOK, PEOPLE, TEAM, Engine
from tests.world import TOOL

Deed: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, Any]
_KINDS = {"submit": 20, "vote": 40, "claim": 12, "report": 6, "cancel": 1, "pause": 1, "sweep": 2}
_IN_A_PAUSE = {"submit": 2, "vote": 2, "claim": 2, "resume": 8}
_OPEN = {
    "vote": "state = 'pending' AND channel IS NOT NULL",
    "cancel": "state = 'pending'",
    "claim": "clock = 'claim'",
    "report": "clock = 'outcome'",
}


def dice(seed: int) -> random.Random:
    """Give chance that can be repeated."""
    return random.Random(seed)  # noqa: S311 - a test that can be repeated, no secret


class Chooser:
    """Invents deeds about what is in the database now."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._dice = dice(seed)
        self._numbers = (f"{seed}-{number}" for number in count())

    async def next(self) -> Deed:
        """Choose what to do."""
        async with self._engine.wiring.reads.snapshot() as snapshot:
            kinds = _IN_A_PAUSE if (await snapshot.switch()).active else _KINDS
            (kind,) = self._dice.choices(list(kinds), list(kinds.values()))
            where = _OPEN.get(kind, "0")
            sql = f"SELECT id FROM proposals WHERE {where} ORDER BY id DESC LIMIT 4"  # noqa: S608 - our own constants
            open_ones = await snapshot.rows(sql, {})
        name = next(self._numbers)
        if kind == "submit" or (kind in _OPEN and not open_ones):
            return self._submit(name)
        deed: Deed = {"do": kind, "name": name}
        if kind in _OPEN:
            deed["target"] = self._dice.choice(open_ones)[0]
        if kind in ("pause", "resume"):
            deed |= {"user": self._dice.choice(PEOPLE[:3]), "tool": self._dice.random() < 0.5}
        if kind == "vote":
            deed |= {"user": self._dice.choice(PEOPLE), "yes": self._dice.random() < 0.85}
        if kind == "claim":
            deed["key"] = name if self._dice.random() < 0.7 else None
        return deed

    def _submit(self, name: str) -> Deed:
        dice = self._dice
        return {
            "do": "submit",
            "name": name,
            "amount": dice.choice([20, 180, 180]),
            "callback": dice.random() < 0.5,
            "claim": dice.random() < 0.3,
            "expires": dice.choice([None, None, 60, 3600]),
            "starter": dice.choice([None, None, PEOPLE[0]]),
        }


async def done(engine: Engine, deed: Deed) -> Answer:
    """Do a deed and give its answer."""
    return await _DOERS[deed["do"]](engine, deed)


async def _submit(engine: Engine, deed: Deed) -> Answer:
    arguments = {"amount_usd": deed["amount"], "order_id": f"ORD-{deed['name']}", "customer_id": "C-1"}
    expires = deed["expires"]
    draft = Draft(
        tool=ToolName(TOOL),
        arguments=AgentJson(arguments),
        digest=digest_of(TOOL, arguments),
        summary=AgentText("The parcel arrived broken."),
        context=AgentJson({"facts": {"customer_tier": "standard"}}),
        run=AgentJson({}),
        callback_url=HOOK if deed["callback"] else None,
        expires_in=None if expires is None else timedelta(seconds=expires),
    )
    body = sha256_name(json.dumps(deed, sort_keys=True).encode())
    answer = await engine.agents.submit(
        engine.agent, draft, Intake(deed["name"], body, deed["starter"], claim_if_allowed=deed["claim"])
    )
    if isinstance(answer, Refused):
        return {"refused": answer.code}
    return {"accepted": answer.seen.proposal.id, "replayed": answer.replayed, "grant": _token(answer)}


def _token(answer: Accepted) -> str | None:
    return None if answer.grant is None else answer.grant.token


async def _vote(engine: Engine, deed: Deed) -> Answer:
    async with engine.wiring.reads.snapshot() as snapshot:
        loaded = await snapshot.proposal(deed["target"])
    assert loaded is not None
    packet = loaded.proposal.packet
    channel, ts = (packet.channel, packet.ts) if packet else ("C0NOWHERE01", "1.1")
    decision = Decision.APPROVE if deed["yes"] else Decision.DENY
    who = Envelope(Account(TEAM, deed["user"]), deed["user"], channel, deed["name"])
    click = Click(who, deed["target"], loaded.proposal.digest, ts, decision, AgentText("because"))
    judged = await engine.people.vote(click)
    return {"judged": None if judged.refusal is None else judged.refusal.value}


async def _claim(engine: Engine, deed: Deed) -> Answer:
    async with engine.wiring.reads.snapshot() as snapshot:
        loaded = await snapshot.proposal(deed["target"])
    assert loaded is not None
    answer = await engine.agents.claim(engine.agent, deed["target"], loaded.proposal.digest, deed["key"])
    return {"grant": answer.token} if isinstance(answer, Grant) else {"refused": answer.code if answer else "none"}


async def _report(engine: Engine, deed: Deed) -> Answer:
    answer = await engine.agents.report(engine.agent, deed["target"], "succeeded", {"status": "succeeded"})
    return _state(answer)


async def _cancel(engine: Engine, deed: Deed) -> Answer:
    return _state(await engine.agents.cancel(engine.agent, deed["target"]))


def _state(answer: Seen | Refused | None) -> Answer:
    return (
        {"state": answer.proposal.status.value}
        if isinstance(answer, Seen)
        else {"refused": getattr(answer, "code", "")}
    )


async def _pause(engine: Engine, deed: Deed) -> Answer:
    who = Envelope(Account(TEAM, deed["user"]), deed["user"], "C1", deed["name"])
    scope = Scope(ScopeKind.TOOL, TOOL) if deed["tool"] else EVERYTHING
    switched = await engine.people.pause(who, scope, None, AgentText("stop"))
    return {"paused": switched.refusal is None}


async def _resume(engine: Engine, deed: Deed) -> Answer:
    async with engine.wiring.reads.snapshot() as snapshot:
        active = (await snapshot.switch()).active
    scope = active[0].scope if active else EVERYTHING
    who = Envelope(Account(TEAM, deed["user"]), deed["user"], "C1", deed["name"])
    switched = await engine.people.resume(who, scope, AgentText("go on"))
    return {"resumed": switched.refusal is None, "waiting": switched.waiting}


async def _sweep(engine: Engine, _deed: Deed) -> Answer:
    engine.clock.ahead += timedelta(seconds=20)
    await engine.sweeps.pass_time()
    engine.anchors.write_if_grown()
    return {}


_DOERS: dict[str, Callable[[Engine, Deed], Awaitable[Answer]]] = {
    "submit": _submit,
    "vote": _vote,
    "claim": _claim,
    "report": _report,
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "sweep": _sweep,
}


def retried(deeds: Sequence[Deed]) -> list[Deed]:
    """Choose what a client does again when it got no answer: whatever has a name that makes it the same deed."""
    return [deed for deed in deeds if deed["do"] in ("submit", "vote") or deed.get("key")]
