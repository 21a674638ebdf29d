"""Tells one decision in the order in which things happened, with the pauses that held it. It decides nothing."""

from collections.abc import Callable
from typing import TypeAlias

from approval_rules.events import Paused, ProposalEvent, Resumed
from bot.evidence.gathering import Decision
from handlers.web.story import Moment, moment_of

Happened: TypeAlias = ProposalEvent | Paused | Resumed


def everything(_: Happened) -> bool:
    """Tell every event."""
    return True


def moments(decision: Decision, is_told: Callable[[Happened], bool] = everything) -> list[Moment]:
    """Give every moment that is told, oldest first; of the kill switch what stopped this agent or tool in between."""
    first, last = decision.written[0].seq, decision.written[-1].seq
    agent, tool = decision.proposal.agent, decision.proposal.tool
    found: list[tuple[int, Happened]] = list(decision.events)
    for item in decision.switch:
        event = item.event
        if first < item.seq < last and isinstance(event, Paused | Resumed) and event.scope.covers(agent.id, tool):
            found.append((item.seq, event))
    told = sorted([(seq, event) for seq, event in found if is_told(event)], key=lambda each: each[0])
    return [moment_of(seq, event, decision.told_at(seq)) for seq, event in told]
