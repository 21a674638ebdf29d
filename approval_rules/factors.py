"""What a person holds as second factors, folded from what happened, and what may become of it. Verifies no code.

Nobody's factor counts, comes back or goes away on his own word: another person confirms. Locking is safe, so it needs
nobody else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, assert_never

from approval_rules.factor_events import (
    FactorConfirmed,
    FactorEnrolled,
    FactorEvent,
    FactorKept,
    FactorLocked,
    FactorRefused,
    FactorRemovalAsked,
    FactorRemoved,
    Held,
    RecoveryUsed,
)
from approval_rules.people import Actor, ActorKind, PersonId, Standing, human, system
from approval_rules.refusals import Refusal

CONFIRM_WITHIN: Final = timedelta(days=7)
FAILURES: Final = 5
"""So many wrong codes in a row lock a factor."""

State: TypeAlias = Literal["waiting", "active", "locked", "removed"]
_LOCK = system("second-factor")


@dataclass(frozen=True, slots=True)
class Credential:
    """One factor, or one set of recovery codes, of one person. `removal_asked` is who wants it gone.

    `bound` are the digests of what it is verified by, of which recovery codes have `left` so many, when some were used.
    """

    id: str
    person: PersonId
    factor: Held
    state: State
    enrolled_at: datetime
    came_with: str | None = None
    removal_asked: Actor | None = None
    bound: tuple[str, ...] | None = None
    left: int | None = None

    @property
    def asks(self) -> Literal["enrolment", "removal"] | None:
        """What waits for another person; None where nothing does."""
        if self.factor == "recovery":
            return None
        if self.state == "waiting":
            return "enrolment"
        return "removal" if self.removal_asked is not None and self.state != "removed" else None


Factors: TypeAlias = Mapping[str, Credential]
"""Everything that one person ever held, by its id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants something done with the factors of `person`. `standing` is None on the machine's command line.

    `may` tells that he is one of those who confirm for others.
    """

    at: datetime
    by: Actor
    person: PersonId
    standing: Standing | None
    may: bool

    @property
    def own(self) -> bool:
        """Tell whether it is about his own, by whichever of his accounts."""
        return self.standing is not None and self.standing.is_one_with(self.person)

    def is_by(self, actor: Actor | None) -> bool:
        """Tell whether it is this actor who wants it, by whichever of his accounts."""
        if actor is None or self.standing is None or actor.kind is not ActorKind.HUMAN:
            return actor == self.by
        return self.standing.is_one_with(PersonId(actor.ref))


def evolve_factors(held: Factors, event: FactorEvent) -> Factors:
    """Apply one event."""
    match event:
        case FactorEnrolled():
            new = Credential(
                event.credential, event.person, event.factor, "waiting", event.at, event.came_with, bound=event.bound
            )
        case FactorConfirmed():
            new = replace(held[event.credential], state="active")
        case FactorLocked():
            new = replace(held[event.credential], state="locked")
        case FactorRemovalAsked():
            new = replace(held[event.credential], removal_asked=event.by)
        case FactorKept():
            new = replace(held[event.credential], removal_asked=None)
        case FactorRemoved():
            new = replace(held[event.credential], state="removed", removal_asked=None)
        case RecoveryUsed():
            new = replace(held[event.credential], left=event.left)
        case FactorRefused():
            return held
        case _:
            assert_never(event)
    return {**held, new.id: new}


def fold_factors(events: Iterable[FactorEvent]) -> Factors:
    """Apply all events of one person in order."""
    held: Factors = {}
    for event in events:
        held = evolve_factors(held, event)
    return held


def enrol(held: Factors, wish: Wish, credential: str, factor: Held, codes: str | None) -> tuple[FactorEvent, ...]:
    """Let a new factor wait for another person, with the set of recovery `codes` that came with it.

    What waited before of the same kind is replaced: there is never more than one that somebody could confirm by error.
    """
    gone = [one for one in held.values() if one.state == "waiting" and one.factor == factor]
    gone += [codes for one in gone for codes in _waiting_codes(held, one)]
    enrolled = FactorEnrolled(wish.at, wish.by, wish.person, credential, factor)
    with_it = FactorEnrolled(wish.at, wish.by, wish.person, codes, "recovery", credential) if codes else None
    return *(_gone(wish, one, "replaced") for one in gone), enrolled, *([with_it] if with_it else [])


def recover(held: Factors, wish: Wish, credential: str, factor: Held, left: int) -> tuple[FactorEvent, ...]:
    """Let a new factor count at once, because a recovery code came with it: it stands in for the other person."""
    codes = recovery_codes(held)
    if codes is None:
        return (FactorRefused(wish.at, wish.by, wish.person, "recover", Refusal.FACTOR_REFUSED),)
    enrolled = enrol(held, wish, credential, factor, None)
    after = held
    for event in enrolled:
        after = evolve_factors(after, event)
    return (
        RecoveryUsed(wish.at, wish.by, wish.person, codes.id, left),
        *enrolled,
        FactorConfirmed(wish.at, wish.by, wish.person, credential, codes.id),
        *_replaced(after, wish, credential),
    )


def confirm(held: Factors, wish: Wish, credential: str) -> tuple[FactorEvent, ...]:
    """Say yes to what waits for another person: an enrolment, the end of a lock, or a removal."""
    found = held.get(credential)
    refusal = _not_another(wish) or _nothing_to_confirm(wish, found)
    if refusal is not None or found is None:
        return (FactorRefused(wish.at, wish.by, wish.person, "confirm", refusal or Refusal.NOT_WAITING),)
    if found.asks == "removal":
        return _removed(held, wish, found, "asked")
    codes = [one for one in held.values() if one.came_with == credential and one.state == found.state]
    events: list[FactorEvent] = []
    for one in (found, *codes):
        events += [FactorConfirmed(wish.at, wish.by, wish.person, one.id, None), *_replaced(held, wish, one.id)]
    return tuple(events)


def refuse(held: Factors, wish: Wish, credential: str) -> tuple[FactorEvent, ...]:
    """Say no to what waits: an enrolment is gone, a factor that was to be removed stays."""
    found = held.get(credential)
    refusal = _flaw(wish) or (None if wish.may or wish.own else Refusal.NOT_FACTOR_ADMIN)
    if refusal is None and (found is None or found.asks is None):
        refusal = Refusal.NOT_WAITING
    if refusal is not None or found is None:
        return (FactorRefused(wish.at, wish.by, wish.person, "refuse", refusal or Refusal.NOT_WAITING),)
    if found.asks == "removal":
        return (FactorKept(wish.at, wish.by, wish.person, credential),)
    return _removed(held, wish, found, "refused")


def lock(held: Factors, wish: Wish) -> tuple[FactorEvent, ...]:
    """Let nothing of a person's count from now on: his own wish, or that of anybody who confirms for others.

    His recovery codes outlive his own wish, for that is when he needs them; not the wish of somebody else. Where Slack
    cannot say who somebody is, he still locks his own.
    """
    flaw = _flaw(wish)
    refusal = (None if wish.own and flaw is Refusal.DIRECTORY_DOWN else flaw) or (
        None if wish.may or wish.own else Refusal.NOT_FACTOR_ADMIN
    )
    waiting = [one for one in held.values() if one.state == "waiting"]
    active = [one for one in held.values() if one.state == "active" and not (one.factor == "recovery" and wish.own)]
    if refusal is None and not [*waiting, *active]:
        refusal = Refusal.NOT_WAITING
    if refusal is not None:
        return (FactorRefused(wish.at, wish.by, wish.person, "lock", refusal),)
    return (
        *(_gone(wish, one, "refused") for one in waiting),
        *(FactorLocked(wish.at, wish.by, wish.person, one.id, "asked") for one in active),
    )


def lock_after_failures(at: datetime, found: Credential) -> FactorLocked:
    """Lock what somebody guessed at too often."""
    return FactorLocked(at, _LOCK, found.person, found.id, "failures")


def remove(held: Factors, wish: Wish, credential: str) -> tuple[FactorEvent, ...]:
    """Ask for a factor to be removed; one's own that nobody has confirmed yet is gone at once."""
    found = held.get(credential)
    refusal = _flaw(wish) or (None if wish.may or wish.own else Refusal.NOT_FACTOR_ADMIN)
    if refusal is None and (found is None or found.state == "removed" or found.asks == "removal"):
        refusal = Refusal.NOT_WAITING
    if refusal is not None or found is None:
        return (FactorRefused(wish.at, wish.by, wish.person, "remove", refusal or Refusal.NOT_WAITING),)
    if found.state == "waiting":
        return _removed(held, wish, found, "asked")
    return (FactorRemovalAsked(wish.at, wish.by, wish.person, credential),)


def recovery_codes(held: Factors) -> Credential | None:
    """Give the set of recovery codes that works now."""
    return next((one for one in held.values() if one.factor == "recovery" and one.state == "active"), None)


def _flaw(wish: Wish) -> Refusal | None:
    flaw = None if wish.standing is None else wish.standing.flaw
    return None if flaw is None else Refusal(flaw.value)


def _not_another(wish: Wish) -> Refusal | None:
    """Whoever confirms must be known, be one of those who may, and be somebody else: another person, not an account."""
    if (flaw := _flaw(wish)) is not None:
        return flaw
    if wish.own or wish.by == human(wish.person):
        return Refusal.OWN_FACTOR
    return None if wish.may else Refusal.NOT_FACTOR_ADMIN


def _nothing_to_confirm(wish: Wish, found: Credential | None) -> Refusal | None:
    if found is None or (found.asks is None and found.state != "locked"):
        return Refusal.NOT_WAITING
    if wish.is_by(found.removal_asked):
        return Refusal.OTHER_ADMIN_NEEDED
    late = found.state == "waiting" and wish.at >= found.enrolled_at + CONFIRM_WITHIN
    return Refusal.EXPIRED if late else None


def _gone(wish: Wish, one: Credential, why: Literal["asked", "refused", "replaced"]) -> FactorRemoved:
    return FactorRemoved(wish.at, wish.by, wish.person, one.id, why)


def _replaced(held: Factors, wish: Wish, credential: str) -> tuple[FactorRemoved, ...]:
    """A new authenticator app takes the place of the old one; a person may have several passkeys."""
    kind = held[credential].factor
    others = [one for one in held.values() if one.factor == kind != "passkey" and one.state in ("active", "locked")]
    return tuple(_gone(wish, one, "replaced") for one in others if one.id != credential)


def _removed(
    held: Factors, wish: Wish, found: Credential, why: Literal["asked", "refused"]
) -> tuple[FactorRemoved, ...]:
    """Remove a factor; with the last one all recovery codes go."""
    rest = [one for one in held.values() if one.factor != "recovery" and one.state != "removed" and one != found]
    every = [one for one in held.values() if one.factor == "recovery" and one.state != "removed"]
    codes = _waiting_codes(held, found) if rest else every
    return _gone(wish, found, why), *(_gone(wish, one, why) for one in codes)


def _waiting_codes(held: Factors, found: Credential) -> list[Credential]:
    return [one for one in held.values() if one.came_with == found.id and one.state == "waiting"]
