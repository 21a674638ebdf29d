"""What a weekly review finds: everything that it is to list, nothing else, and the same whenever it is made."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approval_rules.canonical import canonical_bytes
from approval_rules.drill import DRILL_SCOPE, DRILL_TOOL
from approval_rules.events import Event, IncidentChanged, Paused, SubmitRefused, Submitted, Voted
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import PersonId, ProposalId, RoleName, ToolName, human
from approval_rules.persons import Persons
from approval_rules.refusals import Refusal
from approval_rules.switch import EVERYTHING
from approval_rules.text import AgentText
from bot.review.findings import Finding, Told, found_in
from bot.review.report import build
from bot.review.week import Week, last_due, last_over, week_named
from tests.bot.review.made import INGREDIENTS, WEEK, Ingredient, course, told
from tests.rules.builders import AGENT, ANN, BEN, FINANCE, MANAGER, REFUND, START

BY_NAME = {one.name: one for one in INGREDIENTS}
TOGETHER = ("two people", "a trial said yes", "a trial of red said yes")
A_WEEK = timedelta(days=7)


def findings(all_told: Told, week: Week = WEEK) -> list[Finding]:
    """Give what is found."""
    return list(found_in(all_told, week).findings)


def short(found: list[Finding]) -> list[tuple[str, str]]:
    """Give each finding's kind and word."""
    return sorted((one.kind.value, one.what) for one in found)


@pytest.mark.parametrize("one", INGREDIENTS, ids=lambda one: one.name)
def test_each_thing_that_is_to_be_listed_is_found_and_nothing_else(one: Ingredient) -> None:
    """One proposal alone in its week comes to exactly these findings, and a week later to none."""
    all_told = told([course(one)])
    assert short(findings(all_told)) == sorted(one.found)
    later = Week(WEEK.monday + A_WEEK, UTC)
    assert findings(all_told, later) == findings(all_told, WEEK.before) == []


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(INGREDIENTS), st.integers(-1, 1)), max_size=14))
def test_however_weeks_are_mixed_each_is_counted_by_itself(mix: list[tuple[Ingredient, int]]) -> None:
    """The findings of a week are those of what happened in it, whatever happened around it and in which order."""
    all_told = told(course(one, number, weeks * A_WEEK) for number, (one, weeks) in enumerate(mix, 1))
    for weeks, week in ((-1, WEEK.before), (0, WEEK)):
        mine = [one for one, when in mix if when == weeks]
        expected = Counter(found for one in mine for found in one.found)
        if sum(one.name in TOGETHER for one in mine) >= 5:
            expected["always-agree", "agreed"] += 1
        found = Counter[tuple[str, str]]()
        for each in findings(all_told, week):
            found[each.kind.value, each.what] += (each.count or 1) if each.kind == "turned-away" else 1
        assert found == expected


def test_what_comes_after_a_week_changes_nothing_of_its_report() -> None:
    """A report made at once and one made a month later have the same bytes."""
    then = [course(one, number) for number, one in enumerate(INGREDIENTS, 1)]
    later = [course(one, number, 2 * A_WEEK) for number, one in enumerate(INGREDIENTS, 101)]
    finished = [
        [*events, replace(course(BY_NAME["blocked"])[-1], at=START + 3 * A_WEEK, proposal=events[0].proposal)]
        for events in then
    ]
    made = [build(told(courses), WEEK, MANAGER, first=False, policy="v") for courses in (then, then + later, finished)]
    assert len({canonical_bytes(report) for report in made}) == 1


def agreed(times: int, *others: str) -> Told:
    """Let Ann and Ben approve together so often, and these other things happen."""
    pairs = [course(BY_NAME["two people"], number) for number in range(times)]
    return told(pairs + [course(BY_NAME[name], 1000 + number) for number, name in enumerate(others)])


def test_two_who_always_agree_are_found_from_the_fifth_time() -> None:
    """Four times are nothing; five are a pair with its count."""
    assert "always-agree" not in {one.kind for one in findings(agreed(4))}
    [pair] = [one for one in findings(agreed(5)) if one.kind == "always-agree"]
    assert (pair.people, pair.count, pair.roles) == ((ANN.person, BEN.person), 5, frozenset({MANAGER}))


def test_one_disagreement_ends_it() -> None:
    """Two who differed once in the week do not always agree."""
    mixed = agreed(5)
    differed = course(BY_NAME["two people"], 900)
    votes = [place for place, event in enumerate(differed) if isinstance(event, Voted)]
    no = next(event for event in course(BY_NAME["one no"], 900) if isinstance(event, Voted))
    differed[votes[1]] = replace(no, by=human(BEN.person), voter=BEN.person)
    assert "always-agree" not in {one.kind for one in findings(replace(mixed, courses=[*mixed.courses, differed]))}


def test_two_accounts_of_one_person_are_no_pair() -> None:
    """Who is one person cannot agree with himself."""
    one_person = Persons(frozenset({frozenset({ANN.person, BEN.person})}))
    assert "always-agree" not in {one.kind for one in findings(replace(agreed(6), persons=one_person))}


def test_a_pair_that_decided_what_asks_nobody_concerns_everybody() -> None:
    """Where one of their decisions belongs to no role, every role's reviewers see the pair."""
    mixed = agreed(5)
    first = mixed.courses[0][0]
    assert isinstance(first, Submitted)
    needs = replace(first.requirement, seats=(), backup=None)
    strange = [replace(first, tool=ToolName("keys.rotate"), requirement=needs), *mixed.courses[0][1:]]
    found = findings(replace(mixed, courses=[strange, *mixed.courses[1:]]))
    assert [one.roles for one in found if one.kind == "always-agree"] == [None]


def test_a_review_says_in_how_much_each_took_part() -> None:
    """Decisions of people are counted, and for each person those in which he voted."""
    all_told = agreed(2, "one yes, used", "allowed by policy, used", "still open")
    report = build(all_told, WEEK, MANAGER, first=True, policy="v")
    assert (report["decisions"], report["deciders"]) == (3, {"ann": 3, "ben": 2})
    counts = {one["what"]: (one["now"], one["before"]) for one in report["counts"]}
    assert counts["decided-by-people"] == (3, None)
    assert counts["allowed-by-policy"] == (1, None)


def test_another_roles_review_has_none_of_it() -> None:
    """Finance sees nothing that managers alone were asked; a report on everything sees all."""
    all_told = agreed(5, "blocked")
    assert build(all_told, WEEK, FINANCE, first=True, policy="v")["items"] == []
    whole = build(all_told, WEEK, None, first=True, policy="v")
    assert whole["items"] == build(all_told, WEEK, MANAGER, first=True, policy="v")["items"]


def refused(code: str, tool: ToolName | None = REFUND, minutes: int = 0) -> SubmitRefused:
    """Turn a proposal of the agent away."""
    at = START + timedelta(minutes=minutes)
    return SubmitRefused(at, AGENT.actor, ProposalId("prop_x"), tool, code, AgentText("why"))


def test_what_is_turned_away_is_counted_by_who_tried_what_and_why() -> None:
    """Ten tries of one kind are one line; a tool that no policy knows concerns every role."""
    by = human(PersonId("eve"))
    loose: list[Event] = [
        *(refused("contract-violation", minutes=number) for number in range(10)),
        refused("bad", None),
    ]
    loose.append(InitiationRefused(START, by, ProposalId("prop_y"), REFUND, Refusal.NOT_IN_ROLE))
    loose.append(replace(refused("contract-violation"), at=START + A_WEEK))
    found = findings(told([], loose))
    assert [(one.what, one.count, one.agent, one.people, one.roles) for one in found] == [
        ("bad", 1, "refund-bot", (), None),
        ("not-in-role", 1, None, (PersonId("eve"),), {MANAGER}),
        ("contract-violation", 10, "refund-bot", (), {MANAGER}),
    ]


def test_pauses_and_incidents_are_listed_but_drills_are_not() -> None:
    """Whoever paused is named, an agent or the server is nobody; a drill's pause and its claims are left out."""
    by, why = human(PersonId("ann")), AgentText("why")
    pause = Paused(START, by, "p1", EVERYTHING, None, why)
    loose: list[Event] = [
        pause,
        replace(pause, by=AGENT.actor, at=START + timedelta(hours=1)),
        replace(pause, scope=DRILL_SCOPE),
        replace(pause, at=START + A_WEEK),
        IncidentChanged(START, by, "declared", why),
        IncidentChanged(START, by, "cleared", why),
    ]
    drill = course(BY_NAME["approver left"], 5)
    assert isinstance(drill[0], Submitted)
    drill[0] = replace(drill[0], tool=DRILL_TOOL)
    found = findings(told([drill], loose))
    assert [(one.what, one.people, one.roles) for one in found] == [
        ("incident", ("ann",), None),
        ("paused-all", ("ann",), None),
        ("paused-all", (), None),
    ]


def test_what_asked_nobody_concerns_whom_its_tool_asks() -> None:
    """A blocked refund is shown to managers, a blocked tool that asks nobody to everybody."""
    blocked = course(BY_NAME["blocked"])
    assert isinstance(blocked[0], Submitted)
    other = [replace(blocked[0], tool=ToolName("keys.rotate")), *blocked[1:]]
    assert [one.roles for one in findings(told([blocked]))] == [frozenset({MANAGER})]
    assert [one.roles for one in findings(told([other]))] == [None]
    assert len(build(told([other]), WEEK, RoleName("any"), first=True, policy=None)["items"]) == 1


@pytest.mark.parametrize(
    ("shift", "mine"),
    [
        (timedelta(hours=-9), "this"),  # START is a Monday, 09:00
        (timedelta(hours=-9, microseconds=-1), "before"),
        (timedelta(days=6, hours=14, minutes=59, seconds=59), "this"),
        (timedelta(days=6, hours=15), "after"),
    ],
)
def test_a_week_ends_at_midnight_before_monday(shift: timedelta, mine: str) -> None:
    """The first and the last moment are the week's, the ones beside them are not."""
    all_told = told([course(BY_NAME["blocked"], 1, shift)])
    assert bool(findings(all_told)) is (mine == "this")
    assert bool(findings(all_told, WEEK.before)) is (mine == "before")


def test_a_week_follows_the_wall_of_its_zone() -> None:
    """With a change of the clocks it is an hour longer or shorter, and reports are due at nine by the wall."""
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = week_named("2026-W13", berlin), week_named("2026-W43", berlin)
    hour = timedelta(hours=1)
    assert (spring.ends - spring.begins, autumn.ends - autumn.begins) == (A_WEEK - hour, A_WEEK + hour)
    assert spring.due == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert last_due(spring.due, berlin) == spring
    assert last_due(spring.due - timedelta(seconds=1), berlin) == spring.before
    assert last_over(spring.due - timedelta(seconds=1), berlin) == spring


def test_weeks_are_named_as_iso_8601_does() -> None:
    """The last days of a year may be in the first week of the next; what is no name says how to write one."""
    assert Week(date(2025, 12, 29), UTC).name == "2026-W01"
    assert week_named("2026-W53", UTC).monday == date(2026, 12, 28)
    for wrong in ("2025-W53", "2026-W00", "2026-47", "W47", "2026-W4\uff17", "9999-W60"):
        with pytest.raises(ValueError, match="write a week as 2026-W47"):
            week_named(wrong, UTC)
