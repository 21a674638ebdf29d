"""Holds drills of the kill switch on the running server: a real claim must be refused in a pause, and given after it.

A drill goes the way of all work, through the writer, the rules and the use case that agents claim by. It stops nothing
but its own tool, asks nobody, and counts as no work. What came of it is recorded, and told where the switch failed.
"""

import asyncio
from datetime import timedelta

import structlog

from approval_rules.canonical import digest_of
from approval_rules.commands import Draft, Resume, StartPause, Submit
from approval_rules.decide import decide_switch
from approval_rules.drill import AGAIN_AFTER, DRILL, DRILL_SCOPE, DRILL_TOOL, HELD_EVERY
from approval_rules.events import Refusal, SubmitRefused
from approval_rules.people import Actor, ActorKind, PersonId, ProposalId
from approval_rules.requirement import PolicyRef, Requirement, Tier
from approval_rules.state import Proposal
from approval_rules.stop_events import DrillHeld
from approval_rules.text import AgentJson, AgentText
from approval_rules.versions import SERVER
from bot.desk.agents import AgentUseCases
from bot.desk.apply import apply
from bot.desk.switching import record_switch
from bot.desk.wiring import Wiring, written
from bot.store import drills, outbox
from bot.store.codec import DRILL as DRILL_SUBJECT
from bot.store.outbox import Kind
from bot.store.transaction import Transaction
from handlers.desk import Grant, Refused
from handlers.drill_words import DrillStanding, drill_standing

log = structlog.get_logger()
# Where this process dies in the middle of a drill, its pause ends by itself.
_PAUSE_ENDS = timedelta(minutes=1)
_BECAUSE = "a drill of the kill switch, which nothing but this server can propose"


class Drills:
    """The drills of one server, which `replica` names."""

    def __init__(self, wiring: Wiring, agents: AgentUseCases, replica: str) -> None:
        self._wiring = wiring
        self._agents = agents
        self._replica = replica
        self._one_at_a_time = asyncio.Lock()

    async def last(self) -> DrillHeld | None:
        """Give the newest drill; None where none was ever held."""
        return drills.newest(await self._wiring.reads.glance().rows(drills.NEWEST, {}))

    async def standing(self) -> DrillStanding:
        """Say when the kill switch was last proved; O(1) in everything."""
        return drill_standing(await self.last(), self._wiring.clock())

    async def obey(self) -> None:
        """Hold the drill that somebody asked for at the machine's command line, if there is one."""
        for ident, ref in await self._wiring.reads.glance().rows(drills.ASKED, {}):
            await self.hold(Actor(ActorKind.OPERATOR, PersonId(ref)), ident)

    async def keep(self) -> None:
        """Hold a drill where the last one is a week old, or failed some minutes ago; none while this is paused."""
        last = await self.last()
        wait = HELD_EVERY if last is None or last.ok else AGAIN_AFTER
        if last is None or self._wiring.clock() - last.at >= wait:
            await self.hold(DRILL)

    async def hold(self, by: Actor, ident: str | None = None) -> DrillHeld | None:
        """Hold one drill now and record it; None where it could not be held, because its tool is paused anyway."""
        async with self._one_at_a_time:
            opened = await written(self._wiring, _open)
            if opened is None:
                await written(self._wiring, drills.forget)
                return None
            took, fault = await self._paused_and_resumed(opened)
            fault = fault or await self._goes_on(opened)
            if fault is not None and await self._is_paused():
                # Somebody paused for real in between: the switch works, and nothing was proved.
                await written(self._wiring, drills.forget)
                return None
            microseconds = None if took is None else took // timedelta(microseconds=1)

            def record(tx: Transaction) -> DrillHeld:
                name = ident or tx.new_id("drill")
                held = DrillHeld(tx.at, by, name, fault is None, self._replica, microseconds, fault)
                return _record(tx, held)

            held = await written(self._wiring, record)
        if fault is not None:
            log.error("kill_switch_drill_failed", fault=fault)
        return held

    async def _is_paused(self) -> bool:
        return (await self._wiring.reads.glance().switch()).stops(SERVER.id, DRILL_TOOL) is not None

    async def _paused_and_resumed(self, opened: Proposal) -> tuple[timedelta | None, str | None]:
        """Claim during a pause: give how long after its commit the refusal came, or what is wrong."""
        await written(self._wiring, _pause)
        paused_at = self._wiring.clock()
        try:
            answer = await self._agents.claim(SERVER, opened.id, opened.digest, None)
            took = self._wiring.clock() - paused_at
        finally:
            await written(self._wiring, _resume)
        if isinstance(answer, Refused) and answer.code == Refusal.PAUSED.value:
            return took, None
        return None, f"in the pause the claim was {_told(answer)}, and not refused as paused"

    async def _goes_on(self, opened: Proposal) -> str | None:
        """Claim after the resume, and report; gives what is wrong."""
        answer = await self._agents.claim(SERVER, opened.id, opened.digest, None)
        if not isinstance(answer, Grant):
            return f"after the resume the claim was {_told(answer)}"
        await self._agents.report(SERVER, opened.id, "succeeded", {})
        return None


def _told(answer: Grant | Refused | None) -> str:
    match answer:
        case Grant():
            return "given"
        case Refused():
            return f"refused as {answer.code}"
        case None:
            return "answered as unknown"


def _open(tx: Transaction) -> Proposal | None:
    """Let the policy of the server itself approve a drill; None where its tool is paused."""
    ident = ProposalId(tx.new_id("prop"))
    nothing = AgentJson({})
    draft = Draft(
        DRILL_TOOL, nothing, digest_of(DRILL_TOOL, {}), AgentText("A drill of the kill switch"), nothing, nothing
    )
    requirement = Requirement(Tier.GREEN, (), PolicyRef(tx.versions.active or "", None, _BECAUSE))
    if tx.switch.stops(SERVER.id, DRILL_TOOL) is not None:
        return None
    applied = apply(tx, None, Submit(tx.at, ident, SERVER, None, draft, requirement))
    if applied.loaded is None or any(isinstance(event, SubmitRefused) for event in applied.events):
        raise RuntimeError("the drill's own proposal was turned away")
    return applied.loaded.proposal


def _pause(tx: Transaction) -> None:
    said = AgentText("a drill of the kill switch")
    record_switch(
        tx,
        decide_switch(tx.switch, StartPause(tx.at, DRILL, tx.new_id("pause"), DRILL_SCOPE, _PAUSE_ENDS, said, None)),
    )


def _resume(tx: Transaction) -> None:
    said = AgentText("the drill is over")
    record_switch(tx, decide_switch(tx.switch, Resume(tx.at, DRILL, DRILL_SCOPE, said, None, may_resume=True)))


def _record(tx: Transaction, held: DrillHeld) -> DrillHeld:
    recorded = tx.record(held)
    drills.forget(tx)
    if not held.ok:
        outbox.plan(tx, Kind.ANNOUNCE, DRILL_SUBJECT, recorded.seq, {})
    return held
