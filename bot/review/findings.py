"""What of a week somebody should look at, found in what was recorded. Pure: the same record always gives the same.

It names people by pseudonyms, and nothing that an agent or a person wrote: that is looked up when it is shown.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final, NamedTuple

from approval_rules.drill import DRILL_SCOPE, DRILL_TOOL
from approval_rules.events import (
    Approved,
    Blocked,
    ClaimRefused,
    Decision,
    Denied,
    Event,
    Expired,
    IncidentChanged,
    PacketPosted,
    Paused,
    ProposalEvent,
    Refusal,
    Revoked,
    SubmitRefused,
    Submitted,
    Voted,
    VoteRefused,
)
from approval_rules.initiation_events import InitiationRefused
from approval_rules.opinion import Outcome
from approval_rules.people import ActorKind, PersonId, RoleName, ToolName
from approval_rules.persons import Persons
from approval_rules.question_events import Edited
from approval_rules.requirement import Requirement, Tier
from approval_rules.state import Proposal, fold
from approval_rules.switch import ScopeKind
from bot.review.week import Week

FAST: Final = timedelta(seconds=5)
OFTEN: Final = 5
"""So many decisions together, and never of another mind, make a pair that always agrees."""
HIGH_TIER: Final = 3
_TWO: Final = 2
_NEVER: Final = frozenset({"blocked", "refused"})
_OWN: Final = frozenset({Refusal.INITIATOR, Refusal.AGENT_OWNER, Refusal.INTERESTED_PARTY, Refusal.EDITOR})
_PEOPLE: Final = frozenset({ActorKind.HUMAN, ActorKind.OPERATOR, ActorKind.OPERATOR_KEY})
_KEPT_BY_DIAL: Final = re.compile(r"the dial of [0-9.]+ % keeps this one for people")


class Kind(StrEnum):
    """What a finding is, what alarms most first."""

    OWN = "self-approval"
    OVERRIDE = "override"
    FAST = "under-five-seconds"
    PAIR = "always-agree"
    BLOCKED = "blocked"
    TURNED_AWAY = "turned-away"
    UNUSED = "unused"
    PAUSE = "pause"
    HIGH_RISK = "high-risk"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; `what` says in a fixed word what happened.

    `roles` are those whose reviewers should see it; None: every role's. `count` and `ms` where the kind has them.
    """

    kind: Kind
    at: datetime
    what: str
    roles: frozenset[RoleName] | None
    people: tuple[PersonId, ...] = ()
    proposal: str | None = None
    tool: str | None = None
    agent: str | None = None
    rule: str | None = None
    count: int | None = None
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that was recorded of some weeks: each proposal with all its events, and the rest, oldest first.

    `asked` are the roles that a tool asks under the policy in force, for proposals that asked nobody. `agents` are the
    names of agents by their ids.
    """

    courses: Sequence[Sequence[ProposalEvent]]
    loose: Sequence[Event]
    asked: Mapping[ToolName, frozenset[RoleName]]
    persons: Persons
    agents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a week by people: who took part in it."""

    roles: frozenset[RoleName] | None
    people: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class Found:
    """What a week comes to; `by_policy` counts what was allowed without people."""

    findings: tuple[Finding, ...]
    decided: tuple[Decided, ...]
    by_policy: tuple[frozenset[RoleName] | None, ...]


class _Try(NamedTuple):
    """What was tried in vain: by an agent or by a person."""

    agent: str
    person: str
    tool: str
    code: str


@dataclass(frozen=True, slots=True)
class _Course:
    """One proposal as it stood at the week's end."""

    proposal: Proposal
    events: Sequence[ProposalEvent]
    roles: frozenset[RoleName] | None

    def finding(self, kind: Kind, event: ProposalEvent, what: str, *people: PersonId, ms: int | None = None) -> Finding:
        proposal = self.proposal
        rule = proposal.requirement.live.policy.rule
        about = (proposal.id, proposal.tool, proposal.agent.name, rule)
        return Finding(kind, event.at, what, self.roles, people, *about, ms=ms)


def found_in(told: Told, week: Week) -> Found:
    """Find everything of one week; what came after it changes nothing."""
    courses = [course for events in told.courses if (course := _course(events, told, week)) is not None]
    findings = [finding for course in courses for finding in _of_course(course, week)]
    findings += [*_pairs(courses, week, told.persons), *_turned_away(told, week), *_stops(told, week)]
    order = list(Kind)
    decided = [(course, _ended(course, week)) for course in courses]
    return Found(
        tuple(sorted(findings, key=lambda one: (order.index(one.kind), one.at, one.proposal or "", one.what))),
        tuple(
            Decided(course.roles, frozenset(min(told.persons.of(vote.voter)) for vote in course.proposal.votes))
            for course, event in decided
            if event is not None and course.proposal.votes
        ),
        tuple(course.roles for course, event in decided if isinstance(event, Approved) and not course.proposal.votes),
    )


def _said_by_candidate(course: _Course) -> Outcome | None:
    """Tell what the candidate version made of it; None where none was asked, or a person changed it since."""
    opinion = next((event.candidate for event in course.events if isinstance(event, Submitted)), None)
    return None if opinion is None or course.proposal.edits else opinion.outcome


def high_risk(proposal: Proposal) -> bool:
    """Tell whether a decision is one of those that a review looks at each of.

    So says its policy's action tier, or a person started it though the policy blocks it, or its rule asks two people
    or a second factor: that is where the policy's own threshold lies. A trial decides nothing.
    """
    needs = proposal.requirement
    tier = needs.action_tier or 0
    asks_more = needs.approvals >= _TWO or needs.step_up != "none"
    return needs.shadow is None and (tier >= HIGH_TIER or proposal.initiator is not None or asks_more)


def would_have_allowed(requirement: Requirement) -> bool:
    """Tell whether the policy by itself allows this, and people were asked all the same: a trial, or a dial."""
    if requirement.shadow is not None:
        return requirement.shadow.tier is Tier.GREEN
    return bool(requirement.seats) and _KEPT_BY_DIAL.search(requirement.policy.because) is not None


def _course(events: Sequence[ProposalEvent], told: Told, week: Week) -> _Course | None:
    known = [event for event in events if event.at < week.ends]
    proposal = fold(known)
    if proposal is None or proposal.tool == DRILL_TOOL or known[-1].at < week.begins:
        return None
    needs = proposal.requirement
    roles = {seat.role for seat in needs.seats} | ({needs.backup} if needs.backup else set())
    roles |= {needs.initiation.role} if needs.initiation else set()
    return _Course(proposal, known, frozenset(roles) or told.asked.get(proposal.tool))


def _ended(course: _Course, week: Week) -> Approved | Denied | None:
    """Give the decision, where it fell in this week and somebody or the policy decided."""
    return next((one for one in course.events if isinstance(one, Approved | Denied) and week.holds(one.at)), None)


def _of_course(course: _Course, week: Week) -> Iterator[Finding]:
    shown_at: datetime | None = None
    for event in course.events:
        if isinstance(event, PacketPosted):
            shown_at = shown_at or event.at
        elif isinstance(event, Edited):
            shown_at = None
        if week.holds(event.at):
            yield from _of_event(course, event, shown_at)


def _of_event(course: _Course, event: ProposalEvent, shown_at: datetime | None) -> Iterator[Finding]:
    proposal = course.proposal
    match event:
        case Approved() | Denied():
            yield from _of_decision(course, event)
        case Voted() if shown_at is not None and event.at - shown_at < FAST:
            took = (event.at - shown_at) // timedelta(milliseconds=1)
            yield course.finding(Kind.FAST, event, event.decision.value, event.voter, ms=took)
        case VoteRefused() if event.code in _OWN:
            yield course.finding(Kind.OWN, event, event.code.value, PersonId(event.by.ref))
        case Blocked():
            yield course.finding(Kind.BLOCKED, event, "blocked")
        case Edited():
            yield course.finding(Kind.OVERRIDE, event, "lowered", PersonId(event.by.ref))
        case Revoked() if event.code is Refusal.TAKEN_BACK:
            yield course.finding(Kind.OVERRIDE, event, "taken-back", PersonId(event.by.ref))
        case Revoked():
            yield course.finding(Kind.UNUSED, event, event.code.value)
        case Expired(why="unclaimed") if proposal.requirement.shadow is None:
            yield course.finding(Kind.UNUSED, event, "lapsed")
        case _:
            return


def _of_decision(course: _Course, event: Approved | Denied) -> Iterator[Finding]:
    proposal = course.proposal
    said_no = isinstance(event, Denied)
    shadow = proposal.requirement.shadow
    people = tuple(dict.fromkeys(vote.voter for vote in proposal.votes))
    candidate = _said_by_candidate(course)
    if said_no and would_have_allowed(proposal.requirement):
        yield course.finding(Kind.OVERRIDE, event, "denied-though-allowed", *people)
    elif not said_no and shadow is not None and shadow.tier is Tier.RED:
        yield course.finding(Kind.OVERRIDE, event, "approved-though-blocked", *people)
    elif said_no and candidate == "allowed":
        yield course.finding(Kind.OVERRIDE, event, "denied-though-candidate-allows", *people)
    elif people and not said_no and candidate in _NEVER:
        yield course.finding(Kind.OVERRIDE, event, "approved-though-candidate-blocks", *people)
    if high_risk(proposal):
        what = "denied" if said_no else "approved" if people else "approved-by-policy"
        yield course.finding(Kind.HIGH_RISK, event, what, *people)


def _pairs(courses: Sequence[_Course], week: Week, persons: Persons) -> Iterator[Finding]:
    """Give every two people who decided together often enough and never differently."""
    agreed: dict[tuple[PersonId, PersonId], list[_Course]] = defaultdict(list)
    last: dict[tuple[PersonId, PersonId], datetime] = {}
    differed: set[tuple[PersonId, PersonId]] = set()
    for course in courses:
        said: dict[PersonId, tuple[Decision, datetime]] = {}
        for event in course.events:
            if isinstance(event, Voted) and week.holds(event.at):
                said[min(persons.of(event.voter))] = event.decision, event.at
        for one, other in combinations(sorted(said), 2):
            if said[one][0] is not said[other][0]:
                differed.add((one, other))
            agreed[one, other].append(course)
            last[one, other] = max(last.get((one, other), week.begins), said[one][1], said[other][1])
    for pair, together in agreed.items():
        if len(together) >= OFTEN and pair not in differed:
            roles = _all_roles(course.roles for course in together)
            yield Finding(Kind.PAIR, last[pair], "agreed", roles, pair, count=len(together))


def _turned_away(told: Told, week: Week) -> Iterator[Finding]:
    """Count what did not become a proposal or a permission, by who tried, with which tool, and why it was refused."""
    tries: dict[_Try, list[datetime]] = defaultdict(list)
    tools = {first.proposal: first.tool for events in told.courses if isinstance(first := events[0], Submitted)}
    for event in [*told.loose, *(event for events in told.courses for event in events)]:
        if week.holds(event.at):
            match event:
                case SubmitRefused():
                    tries[_Try(event.by.ref, "", event.tool or "", event.code)].append(event.at)
                case InitiationRefused():
                    tries[_Try("", event.by.ref, event.tool, event.code.value)].append(event.at)
                case ClaimRefused() if (tool := tools[event.proposal]) != DRILL_TOOL:
                    tries[_Try(event.by.ref, "", tool, f"claim: {event.code.value}")].append(event.at)
                case _:
                    pass
    for one, times in sorted(tries.items()):
        yield Finding(
            Kind.TURNED_AWAY,
            max(times),
            one.code,
            told.asked.get(ToolName(one.tool)),
            (PersonId(one.person),) if one.person else (),
            tool=one.tool or None,
            agent=told.agents.get(one.agent, one.agent) or None,
            count=len(times),
        )


def _stops(told: Told, week: Week) -> Iterator[Finding]:
    """Give every pause but those of drills, and every incident that was declared."""
    for event in told.loose:
        if not week.holds(event.at):
            continue
        people = (PersonId(event.by.ref),) if event.by.kind in _PEOPLE else ()
        if isinstance(event, Paused) and event.scope != DRILL_SCOPE:
            scope = event.scope
            agent = told.agents.get(scope.name, scope.name) if scope.kind is ScopeKind.AGENT else None
            tool = scope.name if scope.kind is ScopeKind.TOOL else None
            yield Finding(Kind.PAUSE, event.at, f"paused-{scope.kind.value}", None, people, tool=tool, agent=agent)
        elif isinstance(event, IncidentChanged) and event.change == "declared":
            yield Finding(Kind.PAUSE, event.at, "incident", None, people)


def _all_roles(several: Iterable[frozenset[RoleName] | None]) -> frozenset[RoleName] | None:
    found: frozenset[RoleName] = frozenset()
    for roles in several:
        if roles is None:
            return None
        found |= roles
    return found
