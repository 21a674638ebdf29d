"""Whether enough distinct people said yes. Counts people, never accounts or clicks."""

from collections.abc import Mapping, Sequence
from typing import Literal

from approval_rules.events import Decision
from approval_rules.people import PersonId, RoleName
from approval_rules.requirement import Seat
from approval_rules.state import Vote

Roles = Mapping[PersonId, frozenset[RoleName]]
ALL_DISTINCT: Mapping[PersonId, PersonId] = {}
_ONE_MORE = PersonId("one more")


def tally(
    votes: Sequence[Vote],
    roles: Roles,
    seats: Sequence[Seat],
    backup: RoleName | None = None,
    humans: Mapping[PersonId, PersonId] = ALL_DISTINCT,
) -> Literal["approved", "denied", "open"]:
    """Judge the votes: one no denies; yes needs every seat filled by a person of its role, one seat a person.

    `roles` holds the roles of those voters that are eligible now; a voter who is not in it does not count, and a vote
    fills only seats of roles that the voter had when voting and still has. A vote in the role `backup` fills any seat.
    `humans` names the person of each voter that has several accounts: whatever they say together fills one seat.
    No seats at all means that nobody can approve.
    """
    if any(vote.decision is Decision.DENY and vote.voter in roles for vote in votes):
        return "denied"
    wanted = [seat.role for seat in seats for _ in range(seat.count)]
    voters: dict[PersonId, frozenset[RoleName]] = {}
    for vote in votes:
        if vote.decision is Decision.APPROVE and vote.voter in roles:
            human = humans.get(vote.voter, vote.voter)
            voters[human] = voters.get(human, frozenset()) | roles[vote.voter].intersection(vote.roles)
    return "approved" if wanted and _filled(wanted, voters, backup) == len(wanted) else "open"


def uncounted(votes: Sequence[Vote], roles: Roles, humans: Mapping[PersonId, PersonId]) -> tuple[PersonId, ...]:
    """Give those who said yes and fill no seat: they may not decide now, or somebody else stands for their person."""
    counted: set[PersonId] = set()
    left_out: list[PersonId] = []
    for vote in votes:
        if vote.decision is not Decision.APPROVE:
            continue
        human = humans.get(vote.voter, vote.voter)
        if human in counted or not roles.get(vote.voter, frozenset()).intersection(vote.roles):
            left_out.append(vote.voter)
        else:
            counted.add(human)
    return tuple(left_out)


def open_roles(votes: Sequence[Vote], seats: Sequence[Seat]) -> frozenset[RoleName]:
    """Give the roles of which one more yes would fill a seat, going by the roles that people had when voting."""
    wanted, voters = _as_voted(votes, seats)
    now = _filled(wanted, voters, None)
    return frozenset(
        role for role in {*wanted} if _filled(wanted, {**voters, _ONE_MORE: frozenset({role})}, None) > now
    )


def filled(votes: Sequence[Vote], seats: Sequence[Seat], backup: RoleName | None = None) -> int:
    """Count the seats that these yeses fill, going by the roles that people had when voting."""
    return _filled(*_as_voted(votes, seats), backup)


def _as_voted(votes: Sequence[Vote], seats: Sequence[Seat]) -> tuple[list[RoleName], Roles]:
    wanted = [seat.role for seat in seats for _ in range(seat.count)]
    return wanted, {vote.voter: frozenset(vote.roles) for vote in votes if vote.decision is Decision.APPROVE}


def _filled(wanted: Sequence[RoleName], voters: Roles, backup: RoleName | None) -> int:
    """Match voters to as many seats as can be (augmenting paths), so that no order of clicking can get stuck."""
    holder: dict[PersonId, int] = {}

    def seat_filled(index: int, tried: set[PersonId]) -> bool:
        for voter, roles in voters.items():
            if (wanted[index] in roles or backup in roles) and voter not in tried:
                tried.add(voter)
                if voter not in holder or seat_filled(holder[voter], tried):
                    holder[voter] = index
                    return True
        return False

    return sum(seat_filled(index, set()) for index in range(len(wanted)))
