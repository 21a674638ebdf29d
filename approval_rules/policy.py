"""Sorts a draft into green, yellow or red by the rules of its tool's file. Never reads a file or a clock, never raises.

Nothing but a matching `allow`, with every rule before it and every `block` decided, gives green. Whatever is missing,
mistyped or unknown asks people, or blocks where the file names nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias, assert_never

from approval_rules.commands import Draft
from approval_rules.conditions import Condition, Names, Undetermined
from approval_rules.people import Agent, RoleName, ToolName
from approval_rules.requirement import PolicyRef, Requirement, Seat, Tier
from approval_rules.text import Json, unwrap_object

_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Allow:
    """Green: the action may run under policy alone."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Yellow: so many distinct people on these seats; `expires_in` and `channel` None mean the defaults."""

    seats: tuple[Seat, ...]
    expires_in: timedelta | None = None
    step_up: Literal["none"] = "none"
    channel: str | None = None

    @property
    def approvals(self) -> int:
        """How many people must say yes."""
        return sum(seat.count for seat in self.seats)


@dataclass(frozen=True, slots=True)
class Block:
    """Red: refused. `reason` is the policy author's, and may be empty."""

    reason: str = ""


Verdict: TypeAlias = Allow | Ask | Block


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One item of `rules`: `index` counts from 1 as a reader of the file does; no condition means always."""

    index: int
    condition: Condition | None
    verdict: Verdict
    source: str

    def outcome(self, names: Names) -> bool | Undetermined:
        """Whether the rule matches these values."""
        return True if self.condition is None else self.condition.test(names)

    @property
    def condition_text(self) -> str:
        """The condition on one line."""
        return "always" if self.condition is None else " ".join(self.condition.text.split())


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The rules of one tool, in order, and what its `log` item says."""

    tool: ToolName
    rules: tuple[Rule, ...]
    redact: tuple[str, ...] = ()
    retain_days: int | None = None

    @property
    def strictest(self) -> Ask | None:
        """The ask with the most approvals, the first named on a tie; None where the file asks nobody."""
        asks = [rule.verdict for rule in self.rules if isinstance(rule.verdict, Ask)]
        return max(asks, key=lambda ask: ask.approvals, default=None)


@dataclass(frozen=True, slots=True)
class RoleMembers:
    """Who fills a role: Slack user ids, and the members of a user group by its handle."""

    users: frozenset[str]
    usergroup: str | None


@dataclass(frozen=True, slots=True, eq=False)
class PolicyFolder:
    """Everything that a policy folder says. `version` names its files' names and bytes (`sha256:...`)."""

    version: str
    policies: Mapping[ToolName, Policy]
    roles: Mapping[RoleName, RoleMembers]
    channels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One name with two values, in the arguments and in the facts; `pointer` is the fact's place (RFC 6901)."""

    name: str
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """What one rule said: `why` is empty unless undetermined."""

    rule: Rule
    outcome: Literal["matched", "not matched", "undetermined"]
    why: str
    says: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Each rule's outcome, in order, and what they come to."""

    rules: tuple[RuleExplanation, ...]
    result: Requirement | Contradiction


@dataclass(frozen=True, slots=True, eq=False)
class _Ruling:
    verdict: Verdict
    rule: Rule | None
    because: str


_Outcome: TypeAlias = bool | Undetermined


def classify(folder: PolicyFolder, draft: Draft, agent: Agent, at: datetime) -> Requirement | Contradiction:
    """Say what must happen before this draft may run; MUST NOT raise, whatever the agent sent."""
    del agent, at  # no condition reads who asks or when yet; callers need not change when one does
    facts = _facts(draft)
    arguments = unwrap_object(draft.arguments)
    for name in arguments.keys() & facts.keys():
        if not _same(arguments[name], facts[name], 0):
            return _contradiction(name)
    policy = folder.policies.get(draft.tool)
    if policy is None:
        unknown = _Ruling(Block(), None, f"there is no policy for {draft.tool}, so it is blocked")
        return _requirement(folder, Policy(draft.tool, ()), unknown)
    names = {**facts, **arguments}
    return _requirement(folder, policy, _judge(policy, [rule.outcome(names) for rule in policy.rules]))


def explain(folder: PolicyFolder, draft: Draft, agent: Agent, at: datetime) -> Explanation:
    """Classify, and say what each rule made of it; MUST NOT raise."""
    policy = folder.policies.get(draft.tool, Policy(draft.tool, ()))
    names = {**_facts(draft), **unwrap_object(draft.arguments)}
    rules = tuple(_explain_rule(rule, rule.outcome(names)) for rule in policy.rules)
    return Explanation(rules, classify(folder, draft, agent, at))


def _explain_rule(rule: Rule, outcome: _Outcome) -> RuleExplanation:
    says = _consequence(rule.verdict)
    if isinstance(outcome, Undetermined):
        return RuleExplanation(rule, "undetermined", outcome.why, says)
    return RuleExplanation(rule, "matched" if outcome else "not matched", "", says)


def _facts(draft: Draft) -> Mapping[str, Json]:
    facts = unwrap_object(draft.context).get("facts")
    return facts if isinstance(facts, Mapping) else {}


# --- one name, one value


def _contradiction(name: str) -> Contradiction:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return Contradiction(
        name, f"/context/facts/{escaped}", "the arguments give this name another value; send one value, once"
    )


def _same(one: Json, other: Json, depth: int) -> bool:
    """Whether two JSON values are equal: 50 and 50.00 are, 1 and true are not, what is too deep to compare is not."""
    if depth > _MAX_DEPTH:
        return False
    match one, other:
        case (bool(), _) | (_, bool()) | (str(), _) | (_, str()) | (None, _) | (_, None):
            return type(one) is type(other) and one == other
        case Mapping(), Mapping():
            return one.keys() == other.keys() and all(_same(one[key], other[key], depth + 1) for key in one)
        case Sequence(), Sequence():
            pairs = zip(one, other, strict=False)
            return len(one) == len(other) and all(_same(a, b, depth + 1) for a, b in pairs)
        case ((int() | Decimal()), (int() | Decimal())):
            # What is not finite equals nothing, not even itself.
            return Decimal(one).is_finite() and Decimal(other).is_finite() and one == other
    return False


# --- from the rules' outcomes to one verdict


def _judge(policy: Policy, outcomes: Sequence[_Outcome]) -> _Ruling:
    """Any matching block wins; else the first match, unless something undetermined could have said otherwise."""
    judged = list(zip(policy.rules, outcomes, strict=True))
    matches = [rule for rule, outcome in judged if outcome is True]
    for rule in matches:
        if isinstance(rule.verdict, Block):
            return _plain(policy, rule)
    first = matches[0] if matches else None
    doubts = list(_doubts(judged, first))
    if first is None or (doubts and not _ask_stands(first, doubts)):
        return _strictest(policy, doubts)
    ruling = _plain(policy, first)
    if not doubts:
        return ruling
    return replace(ruling, because="; ".join([ruling.because, *(_doubt(rule, why) for rule, why in doubts)]))


def _doubts(judged: Sequence[tuple[Rule, _Outcome]], first: Rule | None) -> Iterator[tuple[Rule, str]]:
    """Give the undetermined rules that could have changed the verdict: every block, and what stands before `first`."""
    for rule, outcome in judged:
        if isinstance(outcome, Undetermined) and (
            isinstance(rule.verdict, Block) or first is None or rule.index < first.index
        ):
            yield rule, outcome.why


def _ask_stands(first: Rule, doubts: Sequence[tuple[Rule, str]]) -> bool:
    """Whether a matching ask is at least as strict as all that the undetermined rules could have said."""
    return isinstance(first.verdict, Ask) and all(isinstance(rule.verdict, Allow) for rule, _ in doubts)


@lru_cache(maxsize=1024)  # a rule that decides alone says the same every time
def _plain(policy: Policy, rule: Rule) -> _Ruling:
    because = f"rule {rule.index} of {policy.tool}: {rule.condition_text}, so {_consequence(rule.verdict)}"
    return _Ruling(rule.verdict, rule, because)


def _strictest(policy: Policy, doubts: Sequence[tuple[Rule, str]]) -> _Ruling:
    rule = doubts[0][0] if doubts else None
    cause = doubts[0][1] if doubts else f"no rule of {policy.tool} matches"
    where = f" (rule {rule.index} of {policy.tool} needs it)" if rule else ""
    ask = policy.strictest
    if ask is None:
        return _Ruling(Block(), rule, f"{cause}, and the file names nobody to ask, so it is blocked{where}")
    return _Ruling(ask, rule, f"{cause}, so the strictest people of the file are asked{where}: {_consequence(ask)}")


def _doubt(rule: Rule, why: str) -> str:
    return f"rule {rule.index} could not be decided: {why}"


@lru_cache(maxsize=1024)
def _requirement(folder: PolicyFolder, policy: Policy, ruling: _Ruling) -> Requirement:
    rule = f"{policy.tool}#{ruling.rule.index}" if ruling.rule else None
    ask = ruling.verdict if isinstance(ruling.verdict, Ask) else Ask(())
    tiers = {Allow: Tier.GREEN, Ask: Tier.YELLOW, Block: Tier.RED}
    return Requirement(
        tier=tiers[type(ruling.verdict)],
        seats=ask.seats,
        policy=PolicyRef(folder.version, rule, ruling.because),
        ttl=ask.expires_in,
        step_up=ask.step_up,
        channel=_channel(folder, policy.tool, ask),
        redact=policy.redact,
        retain_days=policy.retain_days,
    )


def _channel(folder: PolicyFolder, tool: ToolName, ask: Ask) -> str | None:
    """Where the packet goes: the rule's own channel, else the tool's, else a role's, else the default."""
    keys = [tool, *(seat.role for seat in ask.seats), "default"]
    return ask.channel or next((folder.channels[key] for key in keys if key in folder.channels), None)


# --- words that a manager understands

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _consequence(verdict: Verdict) -> str:
    match verdict:
        case Allow():
            return "it is allowed"
        case Ask():
            return " and ".join(f"{_count(seat.count)} {seat.role}" for seat in verdict.seats) + " must approve"
        case Block():
            return f"it is blocked: {verdict.reason}" if verdict.reason else "it is blocked"
        case _:
            assert_never(verdict)


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
