"""Out of office: who may be named as a delegate, and for whom a delegate's vote stands. Gives nobody a right.

A delegate decides only what he may decide himself. Chains are not followed: a delegate who is away calls nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from approval_rules.duties import counting_roles, why_not
from approval_rules.duty_events import AwayDeclined, AwayEnded, AwayEvent, AwayRefused, AwaySet
from approval_rules.people import Flaw, PersonId, RoleName, Standing, human
from approval_rules.refusals import Refusal
from approval_rules.state import Proposal


@dataclass(frozen=True, slots=True)
class SetAway:
    """Be away until then. `delegate_away` tells that the delegate is away himself."""

    at: datetime
    person: Standing
    until: datetime
    delegate: Standing | None
    delegate_away: bool = False


@dataclass(frozen=True, slots=True)
class ComeBack:
    """Be there again; `away` tells whether somebody is away at all."""

    at: datetime
    person: Standing
    away: bool


AwayCommand: TypeAlias = SetAway | ComeBack


def decide_away(command: AwayCommand) -> AwayEvent:
    """Judge one command; saying it again with another end or delegate replaces what was said."""
    who = command.person
    refusal = _refusal(command)
    if refusal is not None:
        return AwayRefused(command.at, human(who.person), who.person, refusal)
    match command:
        case SetAway():
            delegate = None if command.delegate is None else command.delegate.person
            return AwaySet(command.at, human(who.person), who.person, command.until, delegate)
        case ComeBack():
            return AwayEnded(command.at, human(who.person), who.person)
        case _:
            assert_never(command)


def decline(
    at: datetime, delegate: PersonId, absent: Mapping[PersonId, datetime]
) -> Sequence[AwayDeclined | AwayRefused]:
    """Let a delegate stand in for nobody; `absent` are those who named this one, and until when they are away.

    Whoever was named may say no, whatever account it is by now: it gives no right, it only takes one away.
    """
    by = human(delegate)
    if not absent:
        return [AwayRefused(at, by, delegate, Refusal.NO_DELEGATE)]
    return [AwayDeclined(at, by, person, until) for person, until in absent.items()]


def _refusal(command: AwayCommand) -> Refusal | None:
    if command.person.flaw is not None:
        return Refusal(command.person.flaw.value)
    if isinstance(command, ComeBack):
        return None if command.away else Refusal.NOT_AWAY
    delegate = command.delegate
    if delegate is None:
        return None
    if delegate.person == command.person.person:
        return Refusal.DELEGATE_SELF
    if delegate.flaw is not None:
        down = delegate.flaw is Flaw.DIRECTORY_DOWN
        return Refusal.DIRECTORY_DOWN if down else Refusal.DELEGATE_CANNOT
    if command.delegate_away:
        return Refusal.DELEGATE_AWAY
    shared = delegate.as_voted.roles & command.person.as_voted.roles
    return None if shared else Refusal.DELEGATE_NOT_IN_ROLE


def stands_in_for(proposal: Proposal, roles: Iterable[RoleName], absent: Iterable[Standing]) -> PersonId | None:
    """Name the one person for whom a delegate's vote stands: away, free to decide this, in one of these roles.

    One vote stands for one person at most, and nobody who has voted needs somebody to stand in.
    """
    done = {who for vote in proposal.votes for who in (vote.voter, vote.on_behalf_of)}
    for who in absent:
        if who.person not in done and why_not(who, proposal) is None and counting_roles(who, proposal) & set(roles):
            return who.person
    return None
