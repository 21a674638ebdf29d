"""Says in what is told of a decision where something has been erased: a gap must never look like what was there.

It brings nothing back, and what was empty from the beginning stays empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from approval_rules.events import Event, Revoked, Voted
from approval_rules.text import AgentText
from bot.store.codec import Recorded
from bot.store.decisions import Written
from bot.store.terms import APART

GONE: Final = AgentText("(erased)")
_LOST: Final = AgentText("")  # as the codec reads a text that is gone
_ALWAYS: Final[Mapping[str, frozenset[str]]] = {
    "proposal.submitted": frozenset({"arguments", "context", "digest", "run", "summary"}),
    "proposal.edited": frozenset({"arguments", "digest"}),
}


def with_gaps(recorded: Iterable[Recorded], written: Iterable[Written]) -> tuple[Recorded, ...]:
    """Put `(erased)` in the place of each text that is gone."""
    erased = {each.seq: each.erased for each in written}
    return tuple([replace(item, event=_told(item.event, erased.get(item.seq, 0))) for item in recorded])


def gone_of(each: Written) -> list[str]:
    """Name what an entry has lost, as far as it can be told: the others are counted."""
    if not each.erased:
        return []
    there = _ALWAYS.get(str(each.entry.get("type")), frozenset())
    if there and each.entry["data"]["requirement"].get("personal") is not None:
        there |= {APART}
    lost = sorted(there - {value.name for value in each.living})
    others = each.erased - len(lost)
    return [*lost, f"{others} more"] if lost and others else lost or [f"{others} of its values"]


def _told(event: Event, erased: int) -> Event:
    if not erased:
        return event
    told: Any = event
    lost = [each.name for each in fields(told) if getattr(told, each.name) == _LOST]
    if isinstance(event, Voted | Revoked) and event.reason is None and erased > _others(event):
        lost.append("reason")
    changed: Event = replace(told, **dict.fromkeys(lost, GONE))
    return changed


def _others(event: Voted | Revoked) -> int:
    """Count what is lost besides a reason, as far as it can be told; rather too much: no reason is made up."""
    if isinstance(event, Revoked):
        return 0
    signatures = event.proof is not None and event.evidence is None
    return (event.digest == "") + (event.shown is None) + signatures
