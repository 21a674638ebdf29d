"""Plans what people are told about the kill switch: a message for each event, and earlier ones shown afresh."""

from collections.abc import Sequence

from approval_rules.drill import DRILL_SCOPE
from approval_rules.events import Paused, ResumeAsked, SwitchEvent, SwitchRefused
from approval_rules.people import ActorKind
from approval_rules.switch import Pause
from bot.store import outbox, switch_posts
from bot.store.codec import SWITCH
from bot.store.outbox import Kind
from bot.store.transaction import Transaction


def tell(tx: Transaction, event: SwitchEvent, seq: int, before: Sequence[Pause]) -> None:
    """Announce an event, and let the messages about the pauses `before` it, of its scope, show what is true now.

    A drill is announced to nobody.
    """
    drilled = event.scope == DRILL_SCOPE and event.by.kind is ActorKind.SYSTEM
    if isinstance(event, SwitchRefused) or drilled:
        return
    for earlier in switch_posts.about(tx, [pause.id for pause in before]):
        outbox.show_again(tx, Kind.ANNOUNCE, SWITCH, earlier, seq)
    outbox.plan(tx, Kind.ANNOUNCE, SWITCH, seq, {})
    if isinstance(event, Paused):
        switch_posts.note(tx, seq, event.pause)
    elif isinstance(event, ResumeAsked):
        switch_posts.note(tx, seq, before[-1].id)
