"""Gets the facts of a proposal from where its policy says, while nobody waits in the writer.

What is turned away anyway is not looked up for: a retry gets its stored answer, a paused agent its refusal, at once.
"""

from dataclasses import replace

from approval_rules.commands import Draft
from approval_rules.people import Agent
from bot.desk.case import Case
from bot.desk.wiring import Wiring
from handlers.desk import Refused


async def informed(wiring: Wiring, agent: Agent, draft: Draft, key: str | None) -> tuple[Case, Refused | None]:
    """Give the case with what was looked up; and the refusal of arguments that break their contract.

    `key` is the idempotency key; None asks what would happen, whoever is paused.
    """
    while True:
        in_force = wiring.policy
        case = Case(in_force.folder, in_force.environment, agent, draft, wiring.clock())
        broken = case.breach()
        if broken is not None:
            return case, broken
        policy = case.policy
        if policy is None or not policy.lookups or draft.tool not in agent.tools:
            return case, None
        if key is not None and await _is_answered_anyway(wiring, agent, draft, key):
            return case, None
        filled = await wiring.look_up(policy, draft)
        # While we waited, another policy may have come into force: it has its own contract and its own facts.
        if case.folder is wiring.policy.folder:
            return replace(case, draft=filled, at=wiring.clock()), None


async def _is_answered_anyway(wiring: Wiring, agent: Agent, draft: Draft, key: str) -> bool:
    """Tell whether the writer needs no facts: it decides on its own, and asks people where this was told too early."""
    snapshot = wiring.reads.glance()
    return (await snapshot.switch()).stops(agent.id, draft.tool) is not None or await snapshot.key_used(agent.id, key)
