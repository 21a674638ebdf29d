"""Counting people: enough distinct persons of the right roles, in whatever order they clicked."""

from dataclasses import replace
from itertools import permutations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import Digest
from approval_rules.events import Decision
from approval_rules.people import PersonId, RoleName
from approval_rules.quorum import filled, open_roles, tally
from approval_rules.requirement import Seat
from approval_rules.state import Vote
from tests.rules.builders import DIGEST, FINANCE, MANAGER, START

ROLES = [RoleName(name) for name in ("a", "b", "c")]
PEOPLE = [PersonId(name) for name in ("p1", "p2", "p3", "p4", "p5")]
SEATS = st.lists(st.builds(Seat, st.sampled_from(ROLES), st.integers(0, 2)), max_size=3)
VOTERS = st.dictionaries(st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(ROLES)), max_size=5)


def said(
    person: PersonId, roles: frozenset[RoleName] = frozenset(ROLES), decision: Decision = Decision.APPROVE
) -> Vote:
    """One vote, with the roles that the voter had when voting."""
    return Vote(person, decision, START, tuple(sorted(roles)), Digest(DIGEST), None)


def some_filling(seats: list[Seat], roles: dict[PersonId, frozenset[RoleName]]) -> bool:
    """Try every way to put people on seats: slow, and right by looking at it."""
    wanted = [seat.role for seat in seats for _ in range(seat.count)]
    return bool(wanted) and any(
        all(role in roles[person] for role, person in zip(wanted, order, strict=True))
        for order in permutations(roles, len(wanted))
    )


@given(SEATS, VOTERS)
def test_finds_a_filling_whenever_one_exists(seats: list[Seat], roles: dict[PersonId, frozenset[RoleName]]) -> None:
    """Approved exactly where some assignment gives each seat its own person of its role."""
    votes = [said(person, has) for person, has in roles.items()]
    assert (tally(votes, roles, seats) == "approved") is some_filling(seats, roles)


@given(SEATS, VOTERS, st.randoms(use_true_random=False))
def test_order_of_clicks_never_matters(
    seats: list[Seat], roles: dict[PersonId, frozenset[RoleName]], chance: Random
) -> None:
    """The same votes and the same seats in another order have the same result."""
    votes = [said(person, has) for person, has in roles.items()]
    before = tally(votes, roles, seats)
    chance.shuffle(votes)
    chance.shuffle(seats)
    assert tally(votes, roles, seats) == before


@given(SEATS, VOTERS, VOTERS)
def test_a_vote_fills_only_roles_held_then_and_now(
    seats: list[Seat], then: dict[PersonId, frozenset[RoleName]], now: dict[PersonId, frozenset[RoleName]]
) -> None:
    """A role that the voter lost, or got only after voting, fills no seat; somebody not in the list does not count."""
    votes = [said(person, has) for person, has in then.items()]
    both = {person: has & now[person] for person, has in then.items() if person in now}
    assert (tally(votes, now, seats) == "approved") is some_filling(seats, both)


@given(SEATS, VOTERS)
def test_one_no_denies(seats: list[Seat], roles: dict[PersonId, frozenset[RoleName]]) -> None:
    """A no by somebody eligible ends it, whatever the others say; by somebody who is not, it is nothing."""
    no = PersonId("no")
    votes = [*(said(person, has) for person, has in roles.items()), said(no, decision=Decision.DENY)]
    assert tally(votes, {**roles, no: frozenset({MANAGER})}, seats) == "denied"
    assert tally(votes, roles, seats) == tally(votes[:-1], roles, seats)


@given(VOTERS, st.sampled_from([[], [Seat(ROLES[0], 0)]]))
def test_empty_seats_mean_nobody(roles: dict[PersonId, frozenset[RoleName]], seats: list[Seat]) -> None:
    """No seats, or seats for no people, are never approved by anybody."""
    assert tally([said(person, has) for person, has in roles.items()], roles, seats) == "open"


def test_one_person_never_fills_two_seats() -> None:
    """Somebody in both roles is still one person."""
    both = frozenset({MANAGER, FINANCE})
    seats = [Seat(MANAGER, 1), Seat(FINANCE, 1)]
    p1, p2 = PEOPLE[:2]
    assert tally([said(p1, both), said(p1, both)], {p1: both}, seats) == "open"
    assert tally([said(p1, both), said(p2, both)], {p1: both, p2: both}, seats) == "approved"


def test_a_flexible_early_voter_gives_way() -> None:
    """Who can sit on either seat takes the one that the next voter cannot."""
    p1, p2 = PEOPLE[:2]
    roles = {p1: frozenset({MANAGER, FINANCE}), p2: frozenset({MANAGER})}
    votes = [said(person, has) for person, has in roles.items()]
    assert tally(votes, roles, [Seat(MANAGER, 1), Seat(FINANCE, 1)]) == "approved"


def test_the_roles_that_one_more_yes_could_fill() -> None:
    """Roles whose seats are filled are no more asked; somebody in both leaves either open."""
    seats = [Seat(ROLES[0], 1), Seat(ROLES[1], 1)]
    one, two = PEOPLE[:2]
    first, second = ROLES[:2]
    assert open_roles([], seats) == {first, second}
    assert open_roles([voted_in(one, first)], seats) == {second}
    assert open_roles([voted_in(one, first, second)], seats) == {first, second}
    assert open_roles([voted_in(one, first, second), voted_in(two, second)], seats) == frozenset()
    assert open_roles([replace(voted_in(one, first), decision=Decision.DENY)], seats) == {first, second}


def test_how_many_seats_the_votes_fill() -> None:
    """Two of one role fill one seat of it; who is in both fills either; the backup fills any; a no fills none."""
    seats = [Seat(ROLES[0], 1), Seat(ROLES[1], 1)]
    one, two, three = PEOPLE[:3]
    first, second, backup = ROLES
    assert filled([], seats) == 0
    assert filled([voted_in(one, first), voted_in(two, first)], seats) == 1
    assert filled([voted_in(one, first, second), voted_in(two, first)], seats) == 2
    assert filled([voted_in(one, first), voted_in(two, backup)], seats) == 1
    assert filled([voted_in(one, first), voted_in(two, backup), voted_in(three, first)], seats, backup) == 2
    assert filled([replace(voted_in(one, first), decision=Decision.DENY)], seats) == 0


def voted_in(one: PersonId, *roles: RoleName) -> Vote:
    """A yes of somebody in these roles."""
    return said(one, frozenset(roles))
