"""Who is one person: what accounts share joins them, and only two admins part them, or join what shares nothing."""

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.decide import decide, decide_switch
from approval_rules.duties import humans, why_not
from approval_rules.events import Refusal, Resumed, SwitchRefused, VoteRefused
from approval_rules.people import Actor, Flaw, PersonId, RoleName, Standing, human, operator, system
from approval_rules.people_events import (
    PersonsAsked,
    PersonsChange,
    PersonsEvent,
    PersonsJoined,
    PersonsParted,
    PersonsRefused,
)
from approval_rules.persons import ASK_LASTS, ChangePersons, Persons, by_mark, decide_persons, evolve_persons, folded
from approval_rules.policy import Policy, Rule
from approval_rules.quorum import tally
from approval_rules.requirement import Seat
from approval_rules.verdicts import Ask, consequence
from tests.rules.builders import (
    ANN,
    BEN,
    MANAGER,
    REFUND,
    RUNNING,
    START,
    after,
    approved,
    at,
    claim,
    opened,
    resume,
    start_pause,
    switched,
    vote,
)
from tests.rules.test_quorum import said, some_filling

A, B, C, D = (PersonId(name) for name in "abcd")
ADMIN, OTHER = Standing(PersonId("ada")), Standing(PersonId("bo"))
DIRECTORY = system("directory")
EVENTS = st.lists(
    st.builds(
        lambda joins, pair: joined(*pair) if joins else parted(*pair),
        st.booleans(),
        st.permutations([A, B, C, D]).map(lambda order: (order[0], order[1])),
    ),
    max_size=8,
)


def joined(one: PersonId, other: PersonId) -> PersonsJoined:
    """Both are one."""
    return PersonsJoined(START, DIRECTORY, one, other, "e-mail")


def parted(one: PersonId, other: PersonId) -> PersonsParted:
    """Both are two."""
    return PersonsParted(START, human(ADMIN.person), one, other)


def wish(
    change: PersonsChange = "join",
    *,
    by: Standing | None = ADMIN,
    minutes: float = 0,
    may: bool = True,
    pair: tuple[PersonId, PersonId] = (A, B),
    actor: Actor | None = None,
) -> ChangePersons:
    """An admin's wish."""
    who = actor or human((by or ADMIN).person)
    return ChangePersons(at(minutes), who, change, *pair, by, may)


def said_by(persons: Persons, *wishes: ChangePersons) -> tuple[Persons, list[PersonsEvent]]:
    """Judge wishes one after the other."""
    events: list[PersonsEvent] = []
    for each in wishes:
        events.append(decide_persons(persons, each))
        persons = evolve_persons(persons, events[-1])
    return persons, events


# --- the fold


@given(EVENTS)
def test_being_one_person_is_an_equivalence_and_never_holds_of_a_parted_pair(events: list[PersonsEvent]) -> None:
    """Whatever is joined and parted in whatever order: groups never overlap, and no parted pair is in one."""
    persons = folded(events)
    assert all(not one & other for one, other in combinations(persons.groups, 2))
    assert all(len(group) > 1 for group in persons.groups)
    assert not any(pair <= group for pair in persons.apart for group in persons.groups)
    assert all(
        persons.are_one(one, other) is persons.are_one(other, one) for one, other in permutations([A, B, C, D], 2)
    )


@given(EVENTS, st.booleans())
def test_the_last_word_of_a_pair_holds(events: list[PersonsEvent], joins: bool) -> None:  # noqa: FBT001 - drawn
    """After joining two they are one; after parting them they are not, whoever else is with them."""
    last = joined(A, B) if joins else parted(A, B)
    assert folded([*events, last]).are_one(A, B) is joins


def test_whoever_is_one_with_one_of_them_is_one_with_all() -> None:
    """Three accounts that are joined two by two are one person."""
    assert folded([joined(A, B), joined(B, C)]).of(A) == {A, B, C}


def test_who_is_parted_leaves_alone() -> None:
    """The second leaves; what was joined with both stays with the first, and is apart from the second too."""
    persons = folded([joined(A, B), joined(B, C), parted(A, B)])
    assert persons.of(A) == {A, C}
    assert persons.of(B) == {B}
    assert persons.are_apart(persons.of(B), persons.of(C))


# --- marks


def test_a_mark_joins_all_who_have_it() -> None:
    """The new account becomes one with each person that has the mark."""
    assert by_mark(Persons(), A, [A, B]) == (B,)
    assert by_mark(folded([joined(B, C)]), A, [C, D]) == (B, D)
    assert by_mark(folded([joined(A, B)]), A, [A, B]) == ()


def test_a_mark_never_joins_those_who_were_parted() -> None:
    """Two admins' word lasts, for both of them and for all their accounts."""
    persons = folded([parted(A, B), joined(B, C)])
    assert by_mark(persons, A, [A, B]) == ()
    assert by_mark(persons, B, [A, B, C]) == ()


def test_a_third_account_with_the_mark_of_two_persons_is_nobodys_until_somebody_says() -> None:
    """Unsure whose it is; once joined to one of them, it is sure."""
    persons = folded([parted(A, B)])
    assert by_mark(persons, C, [A, B, C]) is None
    assert by_mark(persons, A, [A, B, C]) == ()
    assert by_mark(evolve_persons(persons, joined(C, B)), C, [A, B, C]) == ()


# --- two admins


@pytest.mark.parametrize(("change", "begin"), [("join", []), ("part", [joined(A, B)])])
def test_it_takes_two_admins(change: PersonsChange, begin: list[PersonsEvent]) -> None:
    """The first is a first half, the same one again is told so, the second does it."""
    persons, events = said_by(folded(begin), wish(change), wish(change), wish(change, by=OTHER))
    assert isinstance(events[0], PersonsAsked)
    assert isinstance(events[1], PersonsRefused)
    assert events[1].code is Refusal.SECOND_ADMIN_NEEDED
    assert isinstance(events[2], PersonsJoined if change == "join" else PersonsParted)
    assert persons.are_one(A, B) is (change == "join")
    assert persons.asked == ()


@pytest.mark.parametrize(
    "second",
    [
        wish(by=Standing(PersonId("ada2"), others=frozenset({ADMIN.person}))),
        wish(by=None, actor=operator(PersonId("ada"))),
        wish("part", by=OTHER),
        wish(by=OTHER, pair=(B, A)),
        wish(by=OTHER, pair=(A, C)),
        wish(by=OTHER, minutes=ASK_LASTS.total_seconds() / 60),
    ],
    ids=["the same person by another account", "on the machine", "another change", "order", "another pair", "too late"],
)
def test_what_is_no_second_half(second: ChangePersons) -> None:
    """One person twice, one on the machine and one in Slack, another wish, a day later: nothing changes."""
    persons, _ = said_by(folded([]), wish(), second)
    assert not persons.are_one(A, B)
    assert not persons.apart


def test_two_operators_of_the_machine_are_two() -> None:
    """Two accounts of the machine do it without Slack."""
    first, second = (wish(by=None, actor=operator(PersonId(name))) for name in ("root", "ops"))
    assert not said_by(Persons(), first, first)[0].are_one(A, B)
    assert said_by(Persons(), first, second)[0].are_one(A, B)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (wish(by=Standing(PersonId("ada"), flaw=Flaw.GUEST)), Refusal.GUEST),
        (wish(may=False), Refusal.NOT_ADMIN),
        (wish(by=Standing(A)), Refusal.OWN_ACCOUNT),
        (wish(by=Standing(PersonId("x"), others=frozenset({B}))), Refusal.OWN_ACCOUNT),
        (wish(pair=(A, A)), Refusal.NOTHING_CHANGED),
        (wish("part", pair=(A, A)), Refusal.NOTHING_CHANGED),
        (wish(pair=(C, D)), Refusal.NOTHING_CHANGED),
        (wish("part", pair=(A, C)), Refusal.NOTHING_CHANGED),
    ],
)
def test_who_may_not_and_what_is_so_already(refused: ChangePersons, code: Refusal) -> None:
    """A refusal is a fact with its reason, and changes nothing."""
    before = folded([joined(C, D), parted(A, C)])
    persons, (event,) = said_by(before, refused)
    assert isinstance(event, PersonsRefused)
    assert event.code is code
    assert persons == before


# --- what follows: votes, exclusions, resuming


def again(standing: Standing, name: str = "again") -> Standing:
    """The same person by another account."""
    return Standing(PersonId(name), standing.roles, None, frozenset({standing.person}))


def test_a_person_votes_once_by_whatever_account() -> None:
    """The second account of somebody who said yes is told that he has decided; a third person decides."""
    proposal = after(opened(), vote(ANN))
    (event,) = decide(proposal, vote(again(ANN), others=[ANN]), RUNNING)
    assert isinstance(event, VoteRefused)
    assert event.code is Refusal.ALREADY_VOTED
    assert isinstance(decide(proposal, vote(BEN, others=[ANN]), RUNNING)[1].by, Actor)


def test_two_votes_of_one_person_are_one_at_the_next_vote_and_at_the_claim() -> None:
    """Whatever was counted before both were known to be one."""
    one_of_two = Standing(BEN.person, BEN.roles, None, frozenset({ANN.person}))
    (event,) = decide(after(opened(), vote(ANN)), vote(one_of_two, others=[ANN]), RUNNING)
    assert isinstance(event, VoteRefused)
    both = [Standing(ANN.person, ANN.roles, None, frozenset({BEN.person})), one_of_two]
    events = decide(approved(), claim(approvers=both), RUNNING)
    assert [type(each).__name__ for each in events] == ["Revoked", "ClaimRefused"]


@pytest.mark.parametrize(("name", "code"), [("owner", Refusal.AGENT_OWNER), ("initiator", Refusal.INITIATOR)])
def test_whoever_is_barred_is_so_by_every_account(name: str, code: Refusal) -> None:
    """The owner and the initiator by another account."""
    voter = Standing(PersonId("second"), frozenset({MANAGER}), None, frozenset({PersonId(name)}))
    assert why_not(voter, opened()) is code


def test_resuming_everything_takes_two_persons() -> None:
    """The second account of the first is refused; another person resumes."""
    paused = switched(RUNNING, start_pause(), resume(1, ANN))
    (refused,) = decide_switch(paused, resume(2, again(ANN)))
    assert isinstance(refused, SwitchRefused)
    assert refused.code is Refusal.SECOND_PERSON_NEEDED
    (event,) = decide_switch(paused, resume(2, BEN))
    assert isinstance(event, Resumed)


# --- seats

SEAT_ROLES = [RoleName(name) for name in ("support", "finance", "security")]
ACCOUNTS = [PersonId(f"p{number}") for number in range(6)]
SEATS = st.lists(st.builds(Seat, st.sampled_from(SEAT_ROLES), st.integers(1, 2)), min_size=1, max_size=3)
VOTERS = st.dictionaries(st.sampled_from(ACCOUNTS), st.frozensets(st.sampled_from(SEAT_ROLES), min_size=1), max_size=5)
OWNED = st.dictionaries(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS[:3]), max_size=6)


def people_of(
    roles: dict[PersonId, frozenset[RoleName]], owned: dict[PersonId, PersonId]
) -> dict[PersonId, frozenset[RoleName]]:
    """Put the accounts of each person together, by hand."""
    people: dict[PersonId, frozenset[RoleName]] = {}
    for account, has in roles.items():
        who = owned.get(account, account)
        people[who] = people.get(who, frozenset()) | has
    return people


@given(SEATS, VOTERS, OWNED)
def test_seats_are_filled_by_persons_whatever_accounts_they_use(
    seats: list[Seat], roles: dict[PersonId, frozenset[RoleName]], owned: dict[PersonId, PersonId]
) -> None:
    """Approved exactly where some assignment gives each seat its own person, tried by brute force."""
    votes = [said(account, has) for account, has in roles.items()]
    found = tally(votes, roles, seats, None, owned)
    assert (found == "approved") is some_filling(seats, people_of(roles, owned))


@given(SEATS, VOTERS, OWNED, st.sampled_from(ACCOUNTS), st.frozensets(st.sampled_from(SEAT_ROLES)))
def test_one_more_yes_never_hurts(
    seats: list[Seat],
    roles: dict[PersonId, frozenset[RoleName]],
    owned: dict[PersonId, PersonId],
    who: PersonId,
    has: frozenset[RoleName],
) -> None:
    """What is approved stays approved with another vote, and no knowledge of accounts makes more out of the same."""
    votes = [said(account, each) for account, each in roles.items()]
    more = roles if who in roles else {**roles, who: has}
    if tally(votes, roles, seats, None, owned) == "approved":
        assert tally([*votes, said(who, has)], more, seats, None, owned) == "approved"
        assert tally(votes, roles, seats) == "approved"


@given(st.lists(st.frozensets(st.sampled_from(SEAT_ROLES), min_size=1), min_size=3, max_size=3), SEATS)
def test_three_people_with_overlapping_roles_in_every_order(has: list[frozenset[RoleName]], seats: list[Seat]) -> None:
    """Whoever clicks first, the same three people come to the same end, and never get stuck."""
    people = dict(zip(ACCOUNTS, has, strict=False))
    ends = {tally([said(who, people[who]) for who in order], people, seats) for order in permutations(people)}
    assert ends == {"approved" if some_filling(seats, people) else "open"}


def test_humans_are_named_alike_by_each_of_their_accounts() -> None:
    """Both accounts name one person, even where only one of them says so, and whoever is in between."""
    first = Standing(A, others=frozenset({B}))
    assert humans([first, Standing(B), Standing(C)]) == {A: A, B: A, C: C}
    chain = [Standing(D), Standing(B), Standing(C, others=frozenset({D})), Standing(A, others=frozenset({B, C}))]
    assert set(humans(chain).values()) == {A}


# --- what the policy bars people by


def test_where_no_rule_decides_whom_any_rule_bars_is_barred() -> None:
    """The strictest people of a file are those whom none of its fields names."""
    first = Rule(1, None, Ask((Seat(MANAGER, 1),), excluded=("account_manager",)), "")
    second = Rule(2, None, Ask((Seat(MANAGER, 2),), excluded=("requested_for",)), "")
    policy = Policy(REFUND, (first, second))
    assert policy.strictest is not None
    assert policy.strictest.excluded == ("account_manager", "requested_for")
    assert consequence(policy.strictest).endswith("nobody whom account_manager and requested_for names")
