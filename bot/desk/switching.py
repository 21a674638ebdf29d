"""Recording what happened to the kill switch, and what follows: packets shown afresh, clocks moved, people told."""

from collections.abc import Iterable

from approval_rules.events import IncidentEvent, IncidentRefused, Paused, Resumed, SwitchEvent
from bot.desk.switch_telling import tell
from bot.desk.taking_back import take_back
from bot.desk.thawing import thaw_some
from bot.store import outbox
from bot.store.outbox import Kind
from bot.store.transaction import Transaction


def record_switch(tx: Transaction, events: Iterable[SwitchEvent]) -> None:
    """Record events of the kill switch with their effects, in the transaction that a claim would need too."""
    for event in events:
        before = tx.switch.of(event.scope)
        recorded = tx.record(event)
        if isinstance(event, Paused) and event.revoke:
            take_back(tx)
        if isinstance(event, Resumed):
            thaw_some(tx, event.scope)
        if isinstance(event, Paused | Resumed):
            outbox.plan_open_packets(tx, event.scope, recorded.seq)
        tell(tx, event, recorded.seq, before)


def record_incident(tx: Transaction, event: IncidentEvent) -> None:
    """Record what became of declaring or clearing an incident, and tell everybody. What waits is not judged again."""
    recorded = tx.record(event)
    if not isinstance(event, IncidentRefused):
        outbox.plan(tx, Kind.ANNOUNCE, "switch", recorded.seq, {})
