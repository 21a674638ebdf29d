"""In which ways a policy asks people: what the report says holds for every amount, and for whoever may vote."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.access import OTHERWISE, Way, spare, ways_of
from approval_rules.access_events import (
    MOST,
    Access,
    AccessReviewed,
    AccessReviewRefused,
    evolve_access,
    is_complete,
    role_changes,
)
from approval_rules.conditions import compile_condition
from approval_rules.duties import why_not
from approval_rules.events import Decision
from approval_rules.people import Flaw, PersonId, RoleName, Standing, human, operator, system
from approval_rules.policy import Policy, PolicyFolder, RoleMembers, Rule
from approval_rules.quorum import tally
from approval_rules.ranges import Range
from approval_rules.refusals import Refusal
from approval_rules.requirement import Initiation, Requirement, Seat, Tier
from approval_rules.state import Vote
from approval_rules.verdicts import Allow, Ask, Block, Verdict
from approval_rules.versions import CHANGE_TOOL, POLICY_ADMIN
from tests.rules.builders import DIGEST, REFUND, START, opened
from tests.rules.policies import ALLOW, BLOCK, THREE, TWO, folder, judged

DIRECTOR = RoleName("director")
MANAGER = RoleName("support_manager")


def told(*rules: tuple[str | None, Verdict]) -> list[tuple[int | None, str]]:
    """Say when each way of these rules asks."""
    return [(way.rule, way.when) for way in ways_of(folder(*rules))]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("n <= 50", ALLOW), ("n <= 500", TWO)], [(2, "n above 50 up to 500"), (None, OTHERWISE)]),
        ([("n < 50", TWO), ("n >= 50", THREE)], [(1, "n below 50"), (2, "n from 50"), (None, OTHERWISE)]),
        ([("n <= 50", ALLOW), (None, TWO)], [(2, "n above 50, or not given"), (None, OTHERWISE)]),
        ([("n <= 50", TWO), (None, THREE)], [(1, "n up to 50"), (2, "n above 50"), (None, OTHERWISE)]),
        ([(None, TWO), ("n > 500", BLOCK)], [(1, "n up to 500"), (None, OTHERWISE)]),
        ([(None, TWO), ("n > 500", THREE)], [(1, "always")]),
        ([(None, TWO), (None, BLOCK)], []),
        ([(None, ALLOW)], []),
        ([("n == 5", TWO), (None, BLOCK)], []),
        ([("n == 5", TWO)], [(1, "n exactly 5"), (None, OTHERWISE)]),
        ([("n == 5", ALLOW), (None, TWO)], [(2, "n below 5 or above 5, or not given"), (None, OTHERWISE)]),
        ([("s == 'pro' and n <= 9", TWO)], [(1, "s == 'pro' and n <= 9"), (None, OTHERWISE)]),
        ([("s == 'pro'", TWO)], [(1, "s == 'pro'"), (None, OTHERWISE)]),
        ([("n <= 50", TWO), ("n <= 40", THREE)], [(1, "n up to 50"), (None, OTHERWISE)]),
        ([("n <= 50", ALLOW), ("n > 50", ALLOW), (None, TWO)], [(3, "n not given"), (None, OTHERWISE)]),
        ([("n != 5", TWO)], [(1, "n != 5"), (None, OTHERWISE)]),
        ([("sum(n, 24h) > 900", TWO)], [(1, "sum(n, 24h) above 900"), (None, OTHERWISE)]),
        ([("n <= 9", Allow(Decimal(20), TWO))], [(1, "n up to 9"), (None, OTHERWISE)]),
    ],
)
def test_when_people_are_asked_is_said_in_ranges(
    rules: list[tuple[str | None, Verdict]], expected: list[tuple[int | None, str]]
) -> None:
    """What rules before it and blocks take away is left out; what is no range stays the condition's text."""
    assert told(*rules) == expected


def test_a_tool_in_shadow_asks_the_strictest_where_it_would_allow() -> None:
    """Its ways are marked, so that nobody takes them for permissions."""
    rules = (Rule(1, compile_condition("n <= 50"), ALLOW, ""), Rule(2, None, TWO, ""))
    shadowed = PolicyFolder("v", {REFUND: Policy(REFUND, rules, shadow=True)}, {}, {})
    assert [(way.rule, way.ask, way.shadow) for way in ways_of(shadowed)] == [
        (1, TWO, True),
        (2, TWO, True),
        (None, TWO, True),
    ]


def test_changes_of_the_policy_are_a_way_too() -> None:
    """Where the role policy_admin exists, two of it approve every change."""
    admins = {POLICY_ADMIN: RoleMembers(frozenset({"UAAA"}), None)}
    [way] = ways_of(PolicyFolder("v", {}, admins, {}))
    assert (way.tool, way.when, way.ask.seats) == (CHANGE_TOOL, "always", (Seat(POLICY_ADMIN, 2),))
    assert way.roles == {POLICY_ADMIN}


# --- the report and the decision say the same

bounds = st.sampled_from(["<", "<=", ">", ">=", "=="])
amounts = st.sampled_from([Decimal(number) for number in ("0", "9", "10", "11", "49.99", "50", "51", "100", "1000")])
verdicts = st.sampled_from([ALLOW, BLOCK, TWO, THREE, Ask((Seat(MANAGER, 1), Seat(DIRECTOR, 1)), backup=DIRECTOR)])
conditions = st.none() | st.tuples(bounds, amounts).map(lambda it: f"n {it[0]} {it[1]}")
ranged = conditions | st.tuples(amounts, amounts).map(lambda it: f"n >= {it[0]} and n < {it[1]}")
everyone = [
    Standing(PersonId(f"pers_{name}"), frozenset(roles))
    for name, roles in (("m", [MANAGER]), ("d", [DIRECTOR]), ("both", [MANAGER, DIRECTOR]), ("none", []))
]
everyone.append(Standing(PersonId("pers_gone"), frozenset({MANAGER}), Flaw.DEACTIVATED))


def holds(way: Way, amount: Decimal) -> bool:
    """Whether the way's bands hold this amount."""
    return way.rule is not None and all(
        any(Range(amount, amount).within(span) for span in band.ranges) for band in way.bands
    )


def may(requirement: Requirement) -> set[PersonId]:
    """Who could approve this by the choke point that every vote passes."""
    proposal = opened(requirement)
    return {voter.person for voter in everyone if why_not(voter, proposal) is None}


@given(st.lists(st.tuples(ranged, verdicts), min_size=1, max_size=5), amounts)
def test_the_report_names_exactly_the_people_whom_a_vote_would_let_through(
    rules: list[tuple[str | None, Verdict]], amount: Decimal
) -> None:
    """For every amount: the way that holds it has the decision's own seats and people; without one nobody is asked."""
    policy = folder(*rules)
    required = judged(policy, {"n": amount})
    found = [way for way in ways_of(policy) if holds(way, amount)]
    strictest = [way for way in ways_of(policy) if way.rule is None]
    if required.tier is Tier.YELLOW:
        if required.policy.rule is None:
            found = strictest
        assert [(way.ask.seats, way.ask.step_up) for way in found] == [(required.seats, required.step_up)]
        flawless = [voter for voter in everyone if voter.flaw is None]
        late = {voter.person for voter in flawless if voter.roles & found[0].roles}
        early = {voter.person for voter in flawless if voter.roles & {seat.role for seat in found[0].ask.seats}}
        assert early == may(required)
        assert early <= late
    else:
        assert found == []


STARTER = RoleName("shift_lead")
starts = st.builds(
    lambda role, ask: Block("no", Initiation(role, "passkey"), ask),
    st.sampled_from([STARTER, MANAGER]),
    st.sampled_from([TWO, THREE]),
)


@given(st.lists(st.tuples(ranged, verdicts | starts), min_size=1, max_size=5), st.none() | amounts)
def test_the_report_names_exactly_what_a_person_may_start(
    rules: list[tuple[str | None, Verdict]], amount: Decimal | None
) -> None:
    """With any amount and none: a person may start it where some way says so, and then that way's people are asked."""
    policy = folder(*rules)
    required = judged(policy, {} if amount is None else {"n": amount})
    possible = [way for way in ways_of(policy) if way.starts is not None]
    if amount is None:
        found = [way for way in possible if all(band.missing for band in way.bands)]
    else:
        found = [way for way in possible if holds(way, amount)]
    assert {(way.starts, way.ask.seats) for way in found} == (
        {(required.initiation, required.seats)} if required.initiation else set()
    )


def test_nothing_of_a_tool_in_shadow_can_be_started() -> None:
    """A block that names starters starts nothing in shadow, so the report names none."""
    block = Block("no", Initiation(STARTER, "totp"), TWO)
    told_live = Policy(REFUND, (Rule(1, None, block, ""),))
    assert [way.starts for way in ways_of(PolicyFolder("v", {REFUND: told_live}, {}, {}))] == [block.initiation]
    assert ways_of(PolicyFolder("v", {REFUND: replace(told_live, shadow=True)}, {}, {})) == ()


@given(st.lists(st.tuples(ranged, verdicts), min_size=1, max_size=5))
def test_without_the_amount_the_strictest_people_or_a_named_way_are_asked(
    rules: list[tuple[str | None, Verdict]],
) -> None:
    """Whoever is asked when the number is missing stands in the report."""
    policy = folder(*rules)
    required = judged(policy, {})
    if required.tier is Tier.YELLOW:
        possible = [
            way.ask.seats for way in ways_of(policy) if way.rule is None or all(band.missing for band in way.bands)
        ]
        assert required.seats in possible


# --- whether enough people can answer

names = st.sampled_from([PersonId(f"pers_{number}") for number in range(5)])
filled = st.dictionaries(st.sampled_from([MANAGER, DIRECTOR, RoleName("ops")]), st.frozensets(names), max_size=3)
seats_asked = st.lists(
    st.builds(Seat, st.sampled_from([MANAGER, DIRECTOR, RoleName("ops")]), st.integers(1, 2)), max_size=3
)


@given(seats_asked, filled)
def test_seats_can_be_filled_where_nobody_is_missing(
    seats: list[Seat], able: dict[RoleName, frozenset[PersonId]]
) -> None:
    """What the report counts as enough is what the tally of votes accepts, where everybody votes."""
    roles: dict[PersonId, frozenset[RoleName]] = {}
    for role, people in able.items():
        for person in people:
            roles[person] = roles.get(person, frozenset()) | {role}
    votes = [Vote(person, Decision.APPROVE, START, tuple(sorted(mine)), DIGEST, None) for person, mine in roles.items()]
    assert (spare(seats, able) >= 0) is (tally(votes, roles, seats) == "approved")


def test_how_many_could_be_missing_is_counted() -> None:
    """Three people for two seats can spare one; one person in both roles fills one seat only."""
    three = frozenset({PersonId("a"), PersonId("b"), PersonId("c")})
    assert spare((Seat(MANAGER, 2),), {MANAGER: three}) == 1
    one = frozenset({PersonId("a")})
    assert spare((Seat(MANAGER, 1), Seat(DIRECTOR, 1)), {MANAGER: one, DIRECTOR: one}) == -1
    assert spare((), {MANAGER: three}) == -1


# --- what is remembered

WHO = [PersonId(f"pers_{number:03d}") for number in range(450)]
LOOK = system("directory")


def test_changes_of_a_role_are_told_once_and_in_parts() -> None:
    """Hundreds of people fill several events; who stays keeps the first time; a lost role has lost everybody."""
    access = Access()
    for event in role_changes(access, {MANAGER: frozenset(WHO)}, START, LOOK):
        assert len(event.joined) <= MOST
        access = evolve_access(access, event)
    assert role_changes(access, {MANAGER: frozenset(WHO)}, START, LOOK) == ()
    later = START + timedelta(days=1)
    for event in role_changes(access, {MANAGER: frozenset({WHO[0], PersonId("pers_new")})}, later, LOOK):
        access = evolve_access(access, event)
    assert access.since[MANAGER] == {WHO[0]: START, PersonId("pers_new"): later}
    for event in role_changes(access, {}, later, LOOK):
        access = evolve_access(access, event)
    assert access.since[MANAGER] == {}


def signed(by: str, *, concerned: bool = True, kind: str = "human", report: str = "sha256:a") -> AccessReviewed:
    """Make a signature."""
    actor = human(PersonId(by)) if kind == "human" else operator(PersonId(by))
    return AccessReviewed(START, actor, report, 3, 0, concerned)


@pytest.mark.parametrize(
    ("signatures", "complete"),
    [
        ([], False),
        ([signed("a")], False),
        ([signed("a", concerned=False)], True),
        ([signed("a"), signed("a")], False),
        ([signed("a"), signed("b")], True),
        ([signed("a"), signed("root", kind="operator")], False),
        ([signed("a"), signed("root", kind="operator"), signed("b")], True),
        ([signed("root", kind="operator"), signed("ops", kind="operator")], True),
    ],
)
def test_a_review_takes_a_disinterested_person_or_two(signatures: list[AccessReviewed], *, complete: bool) -> None:
    """One who can approve something is not enough; a person and an account of the machine may be one and the same."""
    assert is_complete(tuple(signatures)) is complete


def test_the_last_complete_review_is_the_one_that_was_completed_last() -> None:
    """A signature that is added to a complete review, a half review and a refusal change nothing."""
    access = Access()
    assert access.last_complete is None
    completing = signed("b")
    refused = AccessReviewRefused(START, human(PersonId("c")), "sha256:a", Refusal.NOT_REVIEWER)
    for event in (signed("a"), completing, signed("c"), signed("a", report="sha256:b"), refused):
        access = evolve_access(access, event)
    assert access.last_complete == completing
    assert len(access.of("sha256:a")) == 3
