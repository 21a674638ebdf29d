"""Tells one decision in the order in which things happened, with the pauses that held it. It decides nothing."""

from approval_rules.events import Paused, Resumed
from bot.evidence.gathering import Decision
from handlers.web.story import Moment, moment_of


def moments(decision: Decision) -> list[Moment]:
    """Give every moment, oldest first; of the kill switch what stopped this agent or tool in the meantime."""
    first, last = decision.written[0].seq, decision.written[-1].seq
    found = [moment_of(seq, event, decision.told_at(seq)) for seq, event in decision.events]
    for item in decision.switch:
        event = item.event
        if first < item.seq < last and isinstance(event, Paused | Resumed):
            agent = decision.proposal.agent
            if event.scope.covers(agent.id, decision.proposal.tool):
                found.append(moment_of(item.seq, event, decision.told_at(item.seq)))
    return sorted(found, key=lambda each: each.seq)
