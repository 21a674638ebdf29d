"""Records what happened to a person's factors with what follows: the rows, a word to the person, a question to others.

Nothing happens to a factor without its event; no secret is in any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, assert_never

from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEnrolled,
    FactorEvent,
    FactorKept,
    FactorLocked,
    FactorRefused,
    FactorRemovalAsked,
    FactorRemoved,
    RecoveryUsed,
)
from approval_rules.factors import Factors, Wish
from approval_rules.refusals import Refusal
from approval_rules.times import format_time
from bot.store.bound import material_digests
from bot.store.credentials import CredentialRow, credentials_of, factors_of, put_credential
from bot.store.transaction import Transaction
from bot.store.vouching import ask_to_vouch, show_again, tell
from handlers.desk import Face
from handlers.factor_desk import Done, FactorSaid

_DONE: Final[dict[type[FactorEvent], Done]] = {
    FactorConfirmed: "confirmed",
    FactorRemoved: "removed",
    FactorKept: "kept",
    FactorLocked: "locked",
    FactorRemovalAsked: "removal-asked",
}
Act: TypeAlias = Callable[[Factors, Wish, str], tuple[FactorEvent, ...]]


@dataclass(frozen=True, slots=True)
class New:
    """What a new credential is verified by, which no event may hold."""

    label: str
    material: Mapping[str, Any] = field(repr=False)
    counter: int = 0


def record_factors(tx: Transaction, events: Sequence[FactorEvent], new: Mapping[str, New] | None = None) -> None:
    """Record events; `new` has what belongs to each credential that they enrol."""
    recovered = any(isinstance(event, RecoveryUsed) for event in events)
    for wanted in events:
        event = wanted
        if isinstance(event, FactorEnrolled):
            event = replace(event, bound=material_digests((new or {})[event.credential].material))
        seq = tx.record(event).seq
        row = None if isinstance(event, FactorRefused) else _kept(tx, event, new or {})
        if row is not None:
            show_again(tx, event.person, row.id, seq)
        if row is None or row.factor != "recovery" or isinstance(event, RecoveryUsed):
            _follow_up(tx, event, seq, recovered=recovered)


def _follow_up(tx: Transaction, event: FactorEvent, seq: int, *, recovered: bool) -> None:
    """Tell the person, by a message that no page or command can hold back; ask the others where they must answer."""
    match event:
        case FactorEnrolled() | FactorConfirmed() if recovered:
            pass  # one message tells it all
        case FactorEnrolled() | FactorRemovalAsked() | RecoveryUsed():
            tell(tx, event.person, seq)
            ask_to_vouch(tx, event.person, event.credential, seq)
        case FactorLocked():
            tell(tx, event.person, seq)
            if event.why == "failures":
                ask_to_vouch(tx, event.person, event.credential, seq)
        case FactorConfirmed() | FactorKept():
            tell(tx, event.person, seq)
        case FactorRemoved():
            if event.why != "replaced":
                tell(tx, event.person, seq)
        case FactorRefused():
            if event.tried == "open":
                tell(tx, event.person, seq)
        case _:
            assert_never(event)


def _kept(tx: Transaction, event: FactorEvent, new: Mapping[str, New]) -> CredentialRow | None:
    """Bring the credential's row to what the event says."""
    if isinstance(event, FactorEnrolled):
        made = new[event.credential]
        row = CredentialRow(
            id=event.credential,
            person=event.person,
            factor=event.factor,
            state="waiting",
            label=made.label,
            material=made.material,
            counter=made.counter,
            failures=0,
            created_at=format_time(event.at),
        )
    elif isinstance(event, FactorRefused):
        return None
    else:
        row = _changed(credentials_of(tx, event.person)[event.credential], event)
    put_credential(tx, row)
    return row


def _changed(row: CredentialRow, event: FactorEvent) -> CredentialRow:
    match event:
        case FactorConfirmed():
            since = format_time(event.at)
            return replace(row, state="active", failures=0, active_since=since, confirmed_by=event.by.ref)
        case FactorLocked():
            return replace(row, state="locked")
        case FactorRemoved():
            return replace(row, state="removed", material={})  # nothing of it is needed ever again
        case FactorRemovalAsked():
            return replace(row, material={**row.material, "removal_asked": True})
        case FactorKept():
            return replace(row, material={**row.material, "removal_asked": False})
        case RecoveryUsed():
            return replace(row, last_used_at=format_time(event.at))
        case _:
            return row


def apply_wish(tx: Transaction, wish: Wish, act: Act, credential: str | None) -> tuple[FactorEvent, ...]:
    """Do one thing with a person's factors and record it; without a `credential`, with all that it can be about."""
    held = factors_of(tx, wish.person)
    meant = [credential] if credential is not None else _meant(held)
    if len(meant) > 1 and any(held[one].asks for one in meant):
        events = several(wish, "confirm")
    else:
        events = ()
        for one in meant:
            events += act(held, wish, one)
    record_factors(tx, events)
    return events


def said(events: Sequence[FactorEvent], face: Face, held: Factors) -> FactorSaid:
    """Put into one answer what the events say."""
    first = events[0]
    if isinstance(first, FactorRefused):
        return FactorSaid(first.code, face=face)
    factor = held[first.credential].factor
    done = _DONE[type(first)]
    if isinstance(first, FactorRemoved) and first.why == "refused":
        done = "locked" if any(isinstance(event, FactorLocked) for event in events) else "refused"
    return FactorSaid(None, done, face, factor)


def _meant(held: Factors) -> list[str]:
    """Name what a confirmation can be about: what asks for one; where nothing does, everything that is locked."""
    asking = [one.id for one in held.values() if one.asks]
    return asking or [one.id for one in held.values() if one.state == "locked" and one.factor != "recovery"] or [""]


def several(wish: Wish, tried: Literal["confirm", "remove"]) -> tuple[FactorEvent, ...]:
    """Refuse what is not clear: a person has more than one that it could be about."""
    return (FactorRefused(wish.at, wish.by, wish.person, tried, Refusal.SEVERAL_WAIT),)
