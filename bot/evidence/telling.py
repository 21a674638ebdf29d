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
    pauses = {each.seq for each in decision.pauses}
    found: list[tuple[int, Happened]] = list(decision.events)
    found += [
        (item.seq, item.event)
        for item in decision.switch
        if item.seq in pauses and isinstance(item.event, Paused | Resumed)
    ]
    told = sorted([(seq, event) for seq, event in found if is_told(event)], key=lambda each: each[0])
    return [moment_of(seq, event, decision.told_at(seq)) for seq, event in told]
