"""What `policy compare` counts: what decided against the candidate, and either against what people did.

It reads the log, judges nothing again, and never shows what the policy hides.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from approval_rules.opinion import Opinion, Outcome, agree, opinion_from
from approval_rules.people import ProposalId
from approval_rules.requirement import Tier
from approval_rules.versions import SERVER
from bot.policy_cases import Expectation
from bot.replay.judging import Ruling, expected_words, got_words
from bot.replay.recorded import cleaned_reason
from bot.replay.replaying import Direction, direction_of
from bot.store import rows
from bot.store.codec import POLICY
from bot.store.folds import recorded_of
from bot.store.outcomes import Came, Said, outcomes_since
from bot.store.past import correction_of, one_view
from bot.store.tally import WIDE
from handlers.slack.sentence import money_at_stake
from handlers.slack.values import Money

SHOWN = 20
LISTED = 500
_DIRECTIONS: tuple[Direction, ...] = ("loosened", "changed", "tightened")
_SHORT = len("sha256:") + 12


class Case(NamedTuple):
    """One proposal: what decided, what the candidate thought, what people did, and the money in it."""

    proposal: ProposalId
    tool: str
    active: Opinion
    candidate: Opinion | None
    asked: bool
    people: Said | None
    money: Money | None


@dataclass(slots=True)
class Stake:
    """So many cases and the money in them. An amount below zero counts as much as one above."""

    cases: int = 0
    money: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    without_amount: int = 0

    def add(self, money: Money | None) -> None:
        """Count one more case."""
        self.cases += 1
        if money is None:
            self.without_amount += 1
        else:
            self.money[money.currency] = WIDE.add(self.money[money.currency], money.amount.copy_abs())

    @property
    def document(self) -> dict[str, Any]:
        """Tell it to a program."""
        money = {currency: format(amount, "f") for currency, amount in sorted(self.money.items())}
        return {"cases": self.cases, "money": money, "without_amount": self.without_amount}


@dataclass(slots=True)
class Rule:
    """One rule of one version: how often it decided, and what came of it."""

    name: str
    version: str
    counts: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    same: int = 0
    differing: Stake = field(default_factory=Stake)


class Change(NamedTuple):
    """A case in which the candidate comes to something else."""

    direction: Direction
    case: Case
    active: str
    candidate: str
    because: str


@dataclass(slots=True)
class BesideActive:
    """The candidate beside what decided."""

    version: str
    cases: int = 0
    same: int = 0
    left_out: int = 0
    matrix: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    differing: Stake = field(default_factory=Stake)
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def add(self, case: Case, candidate: Opinion) -> None:
        """Count one proposal about which this candidate was asked."""
        if candidate.version != self.version:
            self.left_out += 1
            return
        self.cases += 1
        self.matrix[case.active.outcome, candidate.outcome] += 1
        rule = rule_of(self.rules, case, case.active)
        rule.cases += 1
        if agree(case.active, candidate):
            self.same += 1
            rule.same += 1
            return
        for stake in (self.differing, rule.differing):
            stake.add(case.money)
        before, after = _expected(case.active), _ruling(candidate)
        direction = direction_of(before, after) or "changed"
        told = expected_words(before), got_words(after), candidate.because or ""
        self.changes.append(Change(direction, case, *told))

    @property
    def sorted(self) -> list[Change]:
        """Give the changes: what was loosened first, and of that what costs most."""
        return sorted(self.changes, key=lambda one: (_DIRECTIONS.index(one.direction), -_size(one.case.money)))


@dataclass(slots=True)
class WithPeople:
    """One judge's verdicts beside what people did; of what it would have asked nothing can agree or disagree."""

    matrix: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    allowed_but_denied: list[tuple[Case, Opinion]] = field(default_factory=list)
    at_stake: Stake = field(default_factory=Stake)

    def add(self, case: Case, opinion: Opinion) -> None:
        """Count one proposal that people were asked about."""
        said = case.people or "unanswered"
        self.matrix[opinion.outcome, said] += 1
        rule = rule_of(self.rules, case, opinion)
        rule.cases += 1
        rule.counts[opinion.outcome] += 1
        rule.counts[said] += 1
        if said == "denied":
            rule.differing.add(case.money)
        if opinion.outcome == "allowed" and said == "denied":
            self.at_stake.add(case.money)
            self.allowed_but_denied.append((case, opinion))

    @property
    def decided(self) -> int:
        """How many of them people decided."""
        return sum(count for (_, said), count in self.matrix.items() if said != "unanswered")

    @property
    def comparable(self) -> int:
        """How many of those the judge would have settled without people."""
        cells = self.matrix.items()
        return sum(count for (outcome, said), count in cells if outcome != "asked" and said != "unanswered")

    @property
    def agreeing(self) -> int:
        """How many it would have settled as people did."""
        return self.matrix["allowed", "approved"] + self.matrix["blocked", "denied"] + self.matrix["refused", "denied"]

    @property
    def sorted(self) -> list[tuple[Case, Opinion]]:
        """Give what would have been allowed and was denied, the dearest first."""
        return sorted(self.allowed_but_denied, key=lambda one: -_size(one[0].money))


@dataclass(slots=True)
class Comparison:
    """Everything that `policy compare` tells."""

    since: datetime
    tool: str | None
    proposals: int
    beside: BesideActive | None
    active: WithPeople
    candidate: WithPeople
    versions: list[str]
    reasons: Mapping[ProposalId, str | None]


def compare_log(connection: sqlite3.Connection, since: datetime, tool: str | None) -> Comparison:
    """Count everything that was proposed since then."""
    with one_view(connection):
        cases = [_case(came) for came in outcomes_since(connection, since) if _meant(came.submitted.tool, tool)]
        named = rows.versions_from(recorded_of(connection, POLICY)).candidate
        found = _counted(cases, named, since, tool)
        denied = [case for judge in (found.active, found.candidate) for case, _ in judge.sorted[:LISTED]]
        found.reasons = {case.proposal: _reason(connection, case.proposal) for case in denied}
    return found


def _counted(cases: list[Case], named: str | None, since: datetime, tool: str | None) -> Comparison:
    """Compare with the candidate of now; where there is none any more, with the last one that was asked."""
    asked = [case.candidate.version for case in cases if case.candidate is not None]
    version = named or (asked[-1] if asked else None)
    beside = None if version is None else BesideActive(version)
    active, candidate = WithPeople(), WithPeople()
    for case in cases:
        if beside is not None and case.candidate is not None:
            beside.add(case, case.candidate)
        if case.asked:
            active.add(case, case.active)
            if case.candidate is not None and case.candidate.version == version:
                candidate.add(case, case.candidate)
    versions = list(dict.fromkeys(case.active.version for case in cases))
    return Comparison(since, tool, len(cases), beside, active, candidate, versions, {})


def _meant(tool: str, wanted: str | None) -> bool:
    """Leave out a change of the policy: no rule says anything about it."""
    return wanted in (None, tool) and tool not in SERVER.tools


def _case(came: Came) -> Case:
    then = came.submitted
    money = money_at_stake(then.arguments, then.requirement.hidden) if came.living else None
    asked = then.requirement.tier is Tier.YELLOW
    active = opinion_from(then.requirement)
    return Case(then.proposal, then.tool, active, then.candidate, asked, came.people, money)


def _reason(connection: sqlite3.Connection, proposal: ProposalId) -> str | None:
    """Give what the person said; nothing where what to hide in it is not known any more."""
    (then, erased, _), reason, _ = correction_of(connection, proposal)
    hidden = frozenset(then.requirement.hidden)
    return None if reason is None or (erased and hidden) else cleaned_reason(then, reason, hidden)


def rule_of(rules: dict[tuple[str, str], Rule], case: Case, opinion: Opinion) -> Rule:
    """Find the rule that decided; rules of another version are other rules."""
    name = opinion.rule or f"{case.tool} (no rule)"
    return rules.setdefault((opinion.version, name), Rule(name, opinion.version))


def by_size(rules: Iterable[Rule]) -> list[Rule]:
    """Sort rules, those that decided most first."""
    return sorted(rules, key=lambda rule: (-rule.cases, rule.name))


def percent(part: int, whole: int) -> str | None:
    """Write a share with one decimal, never rounded up: 100.0 means all. None of nothing."""
    if not whole:
        return None
    return str((Decimal(part * 100) / whole).quantize(Decimal("0.1"), ROUND_FLOOR))


def short(version: str) -> str:
    """Write a version as long as a person needs it."""
    return version[:_SHORT]


def _size(money: Money | None) -> Decimal:
    return Decimal(0) if money is None else money.amount.copy_abs()


def _expected(opinion: Opinion) -> Expectation:
    roles = tuple(str(seat.role) for seat in opinion.seats for _ in range(seat.count))
    return Expectation(opinion.outcome, _number(opinion), len(roles), roles, step_up=opinion.step_up or "none")


def _ruling(opinion: Opinion) -> Ruling:
    seats = {str(seat.role): seat.count for seat in opinion.seats}
    return Ruling(opinion.outcome, _number(opinion), seats, opinion.because or "", opinion.step_up or "none")


def _number(opinion: Opinion) -> int | None:
    return int(opinion.rule.rpartition("#")[2]) if opinion.rule else None
