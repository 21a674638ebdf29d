"""Sorts a draft into green, yellow or red by the rules of its tool's file. Never reads a file or a clock, never raises.

Nothing but a matching `allow`, with every rule before it and every `block` decided, gives green. Whatever is missing,
mistyped or unknown asks people, or blocks where the file names nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias, cast

from approval_rules import dial
from approval_rules.action_tiers import CHANGE_TICKET, DUTIES, ActionTier, is_ticket
from approval_rules.budgets import Budgets
from approval_rules.commands import Draft
from approval_rules.conditions import Condition, Names, Undetermined
from approval_rules.contract import Contract, hidden_by, touched
from approval_rules.counters import Counter
from approval_rules.facts import DeclaredFact, Lookup, Value, contradicted, known
from approval_rules.names import PERSONAL, RESERVED, TOUCHES, about, moment
from approval_rules.people import Agent, RoleName, ToolName
from approval_rules.quiet_hours import QuietHours
from approval_rules.requirement import PolicyRef, Requirement, Tier
from approval_rules.roles import RoleMembers as RoleMembers  # noqa: PLC0414 - a folder has always been read with its roles
from approval_rules.shadow import in_shadow
from approval_rules.step_up import strongest
from approval_rules.text import Json, same_json, unwrap_object
from approval_rules.verdicts import Allow, Ask, Block, Verdict, asked_by, consequence

NOTHING_BEFORE: Mapping[str, Json] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One item of `rules`: `index` counts from 1 as a reader of the file does; no condition means always.

    `at` is the line and column where it stands in its file, from 1.
    """

    index: int
    condition: Condition | None
    verdict: Verdict
    source: str
    at: tuple[int, int] = (1, 1)

    def outcome(self, names: Names) -> bool | Undetermined:
        """Whether the rule matches these values."""
        return True if self.condition is None else self.condition.test(names)

    @property
    def condition_text(self) -> str:
        """The condition on one line."""
        return "always" if self.condition is None else " ".join(self.condition.text.split())


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The rules of one tool, in order, and what its `log` item says. `zone` is where its hours and dates are read.

    `redact` names every hidden field, also those that the contract hides in its own way. `shadow` means that nothing of
    this tool is ever executed: it is judged, people are asked, and the two are compared. `label` is the tool's class,
    for people to read.

    What follows from these is worked out once. `told` are the names that rules read and that only the server can tell:
    counters, `environment`, `incident`. `names_people` are the fields by which any rule excludes people.
    """

    tool: ToolName
    rules: tuple[Rule, ...]
    redact: tuple[str, ...] = ()
    retain_days: int | None = None
    zone: tzinfo = UTC
    contract: Contract | None = None
    shadow: bool = False
    facts: tuple[DeclaredFact, ...] = ()
    label: str | None = None
    tier: ActionTier | None = None
    budgets: Budgets | None = None
    editable: tuple[str, ...] | None = None

    lookups: Mapping[str, Lookup] = field(init=False)
    reserved: frozenset[str] = field(init=False)
    counters: tuple[Counter, ...] = field(init=False)
    dialled: bool = field(init=False)
    told: frozenset[str] = field(init=False)
    names_people: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookups", {fact.name: fact.lookup for fact in self.facts if fact.lookup})
        object.__setattr__(self, "dialled", any(_share(rule) is not None for rule in self.rules))
        conditions = [rule.condition for rule in self.rules if rule.condition]
        read = frozenset[str]().union(*(condition.names for condition in conditions))
        counters = sorted({counter for condition in conditions for counter in condition.counters})
        object.__setattr__(self, "counters", tuple(counters))
        ours = RESERVED.keys() | TOUCHES.keys() | {counter.name for counter in counters}
        object.__setattr__(self, "reserved", read & ours)
        object.__setattr__(self, "told", read & ours - {"now", "agent", "run", *TOUCHES})
        starts = (rule.verdict.then for rule in self.rules if isinstance(rule.verdict, Block))
        asks = (*(asked_by(rule.verdict) for rule in self.rules), *starts)
        excluded = tuple(dict.fromkeys(name for ask in asks if ask is not None for name in ask.excluded))
        object.__setattr__(self, "names_people", excluded)

    @property
    def asserted(self) -> frozenset[str]:
        """The declared facts that are the agent's own word."""
        return frozenset(fact.name for fact in self.facts if fact.lookup is None)

    @property
    def strictest(self) -> Ask | None:
        """The ask with the most approvals, the first on a tie, with the strongest factor of any; None without asks."""
        asks = [ask for rule in self.rules if (ask := asked_by(rule.verdict)) is not None]
        most = max(asks, key=lambda ask: ask.approvals, default=None)
        proof = strongest(ask.step_up for ask in asks)
        return most and replace(most, step_up=proof, excluded=self.names_people)


@dataclass(frozen=True, slots=True, eq=False)
class PolicyFolder:
    """Everything that a policy folder says. `version` names its files' names and bytes (`sha256:...`).

    `holidays` are dates such as `2026-12-25`. `dial_key` is this server's secret, not the folder's: without it a rule
    with a share lets nothing through.
    """

    version: str
    policies: Mapping[ToolName, Policy]
    roles: Mapping[RoleName, RoleMembers]
    channels: Mapping[str, str]
    holidays: frozenset[str] = frozenset()
    dial_key: bytes = field(default=b"", repr=False)
    budgets: Budgets = field(default_factory=Budgets)
    quiet: tuple[QuietHours, ...] = ()

    def quiet_of(self, role: RoleName) -> tuple[QuietHours, ...]:
        """Give the quiet hours of a role's people."""
        own = self.roles[role].quiet if role in self.roles else None
        return self.quiet if own is None else own


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One name with two values, in the arguments and in the facts; `pointer` is the fact's place (RFC 6901)."""

    name: str
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class _Ruling:
    verdict: Verdict
    rule: Rule | None
    because: str


Outcome: TypeAlias = bool | Undetermined


def classify(
    folder: PolicyFolder,
    draft: Draft,
    agent: Agent,
    at: datetime,
    before: Mapping[str, Value] = NOTHING_BEFORE,
    *,
    drawn: bool = True,
) -> Requirement | Contradiction:
    """Say what must happen before this draft may run; MUST NOT raise, whatever the agent sent.

    `before` gives by name what else only the server knows: the policy's counters, `environment` and `incident`. What is
    not in it cannot be told, which never allows. Where nothing is `drawn`, dials let nothing through.
    """
    facts = _facts(draft)
    arguments = unwrap_object(draft.arguments)
    for name in arguments.keys() & facts.keys():
        if not same_json(arguments[name], facts[name]):
            return _contradiction(
                name, "context/facts", "the arguments give this name another value; send one value, once"
            )
    policy = folder.policies.get(draft.tool)
    if policy is None:
        unknown = _Ruling(Block(), None, f"there is no policy for {draft.tool}, so it is blocked")
        return _requirement(folder, Policy(draft.tool, ()), unknown)
    for name in policy.reserved:
        if name in arguments or name in facts:
            return _taken(name, "arguments" if name in arguments else "context/facts")
    found = _found(policy, draft)
    for where, sent in (("arguments", arguments), ("context/facts", facts)):
        for name in contradicted(found, sent):
            return _contradiction(name, where, "the server looks this up and has another value; leave it out")
    names, personal = names_of(folder, policy, draft, agent, at, before), touched(policy.contract, PERSONAL, arguments)
    if policy.tier is not None and DUTIES[policy.tier].ticket and not is_ticket(names.get(CHANGE_TICKET)):
        return _requirement(folder, policy, _Ruling(Block(), None, _no_ticket(policy)), personal)
    place = dial.place(folder.dial_key, draft.tool, draft.digest) if policy.dialled and drawn else None
    ruling = _judge(policy, [rule.outcome(names) for rule in policy.rules], place)
    return _requirement(folder, policy, ruling, personal)


def names_of(
    folder: PolicyFolder, policy: Policy, draft: Draft, agent: Agent, at: datetime, before: Mapping[str, Value]
) -> Names:
    """Put together what the rules read; what only the server knows stands above what the agent sent."""
    arguments = unwrap_object(draft.arguments)
    names: dict[str, Value] = {**_facts(draft), **arguments, **_found(policy, draft)}
    for name in policy.reserved:
        match name:
            case "now":
                names[name] = moment(at, policy.zone, folder.holidays)
            case "agent":
                names[name] = about(agent)
            case "run":
                names[name] = unwrap_object(draft.run)
            case "touches_pii" | "touches_admin":
                names[name] = bool(touched(policy.contract, TOUCHES[name], arguments))
            case _:
                names[name] = before.get(name)
    return names


def _facts(draft: Draft) -> Mapping[str, Json]:
    facts = unwrap_object(draft.context).get("facts")
    return facts if isinstance(facts, Mapping) else {}


def _found(policy: Policy, draft: Draft) -> Mapping[str, Value]:
    """Give what was looked up, and each fact that should have been."""
    if draft.looked_up is None and not policy.lookups:
        return NOTHING_BEFORE
    values = {} if draft.looked_up is None else unwrap_object(draft.looked_up)
    return known(policy.lookups.keys(), values, draft.lookups or ())


# --- one name, one value


def _contradiction(name: str, where: str, detail: str) -> Contradiction:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return Contradiction(name, f"/{where}/{escaped}", detail)


def _taken(name: str, where: str) -> Contradiction:
    return Contradiction(name, f"/{where}/{name}", "the policy reads the server's own value of this name; rename yours")


# --- from the rules' outcomes to one verdict


def verdict_of(
    policy: Policy, outcomes: Sequence[Outcome], place: Decimal | None = None
) -> tuple[Verdict, Rule | None]:
    """Say what the rules' outcomes come to, for an action at this place on the dial, and which rule decided."""
    ruling = _judge(policy, outcomes, place)
    return ruling.verdict, ruling.rule


def _judge(policy: Policy, outcomes: Sequence[Outcome], place: Decimal | None) -> _Ruling:
    """Any matching block wins; else the first match, unless something undetermined could have said otherwise."""
    judged = list(zip(policy.rules, outcomes, strict=True))
    matches = [rule for rule, outcome in judged if outcome is True]
    if any(isinstance(rule.verdict, Block) for rule in matches):
        return _blocked(policy, judged)
    first = matches[0] if matches else None
    doubts = list(_doubts(judged, first))
    if first is None:
        return _strictest(policy, doubts)
    ruling = _plain(policy, first) if _share(first) is None else _dialled(policy, first, place)
    if doubts and not _ask_stands(ruling, doubts):
        return _strictest(policy, doubts)
    if not doubts:
        return ruling
    return replace(ruling, because="; ".join([ruling.because, *(_doubt(rule, why) for rule, why in doubts)]))


def _blocked(policy: Policy, judged: Sequence[tuple[Rule, Outcome]]) -> _Ruling:
    """Give the first block that nobody may start, else the first one: startable where every other block agrees."""
    blocks = [(rule, rule.verdict, out) for rule, out in judged if isinstance(rule.verdict, Block) and out is not False]
    matches = [(rule, block) for rule, block, outcome in blocks if outcome is True]
    rule, block = next((each for each in matches if each[1].initiation is None), matches[0])
    others = [(other, outcome) for other, theirs, outcome in blocks if theirs.starters != block.starters]
    if block.initiation is None or not others:
        return _plain(policy, rule)
    said = "; ".join([_says(policy, rule, block.for_nobody), *(_disagrees(*other) for other in others)])
    return _Ruling(block.for_nobody, rule, f"{said}; so no person may start it")


def _disagrees(other: Rule, outcome: Outcome) -> str:
    if isinstance(outcome, Undetermined):
        return _doubt(other, outcome.why)
    return f"rule {other.index} blocks it too, and names other people"


def _doubts(judged: Sequence[tuple[Rule, Outcome]], first: Rule | None) -> Iterator[tuple[Rule, str]]:
    """Give the undetermined rules that could have changed the verdict: every block, and what stands before `first`."""
    for rule, outcome in judged:
        if isinstance(outcome, Undetermined) and (
            isinstance(rule.verdict, Block) or first is None or rule.index < first.index
        ):
            yield rule, outcome.why


def _ask_stands(ruling: _Ruling, doubts: Sequence[tuple[Rule, str]]) -> bool:
    """Whether a matching ask is at least as strict as all that the undetermined rules could have said.

    A dial could have asked its own people, so it counts as an ask.
    """
    return isinstance(ruling.verdict, Ask) and all(rule.verdict == Allow() for rule, _ in doubts)


@lru_cache(maxsize=1024)  # a rule that decides alone says the same every time
def _plain(policy: Policy, rule: Rule) -> _Ruling:
    return _Ruling(rule.verdict, rule, _says(policy, rule, rule.verdict))


def _says(policy: Policy, rule: Rule, verdict: Verdict) -> str:
    return f"rule {rule.index} of {policy.tool}: {rule.condition_text}, so {consequence(verdict)}"


def _dialled(policy: Policy, rule: Rule, place: Decimal | None) -> _Ruling:
    """Turn an allow with a share into what the dial says of this case."""
    verdict = cast("Allow", rule.verdict)
    share = cast("Decimal", verdict.share)
    if place is not None and place < share:
        says, then = f"the dial of {share} % lets this one through", consequence(Allow())
        return _Ruling(Allow(), rule, f"rule {rule.index} of {policy.tool}: {rule.condition_text}, and {says}: {then}")
    ask = cast("Ask", verdict.otherwise)
    says = (
        f"the dial of {share} % keeps this one for people"
        if place is not None
        else f"the dial of {share} % is not drawn here"
    )
    return _Ruling(
        ask, rule, f"rule {rule.index} of {policy.tool}: {rule.condition_text}, and {says}: {consequence(ask)}"
    )


def _share(rule: Rule) -> Decimal | None:
    return rule.verdict.share if isinstance(rule.verdict, Allow) else None


def _strictest(policy: Policy, doubts: Sequence[tuple[Rule, str]]) -> _Ruling:
    rule = doubts[0][0] if doubts else None
    cause = doubts[0][1] if doubts else f"no rule of {policy.tool} matches"
    where = f" (rule {rule.index} of {policy.tool} needs it)" if rule else ""
    ask = policy.strictest
    if ask is None:
        return _Ruling(Block(), rule, f"{cause}, and the file names nobody to ask, so it is blocked{where}")
    return _Ruling(ask, rule, f"{cause}, so the strictest people of the file are asked{where}: {consequence(ask)}")


def _no_ticket(policy: Policy) -> str:
    what = f"{policy.tool} is of action tier {policy.tier}, which needs a change ticket"
    return f"{what}: send {CHANGE_TICKET}, with text in it, as an argument or a fact; without it this is blocked"


def _doubt(rule: Rule, why: str) -> str:
    return f"rule {rule.index} could not be decided: {why}"


@lru_cache(maxsize=1024)
def _requirement(folder: PolicyFolder, policy: Policy, ruling: _Ruling, personal: tuple[str, ...] = ()) -> Requirement:
    rule = f"{policy.tool}#{ruling.rule.index}" if ruling.rule else None
    verdict = ruling.verdict
    # Of a tool in shadow nothing is ever executed, so there is nothing to start.
    initiation, then = verdict.starters if isinstance(verdict, Block) and not policy.shadow else (None, None)
    ask = verdict if isinstance(verdict, Ask) else then or Ask(())
    tiers = {Allow: Tier.GREEN, Ask: Tier.YELLOW, Block: Tier.RED}
    live = Requirement(
        tier=tiers[type(ruling.verdict)],
        seats=ask.seats,
        policy=PolicyRef(folder.version, rule, ruling.because),
        ttl=ask.expires_in,
        step_up=ask.step_up,
        channel=_channel(folder, policy.tool, ask),
        redact=policy.redact,
        retain_days=policy.retain_days,
        hashed=hidden_by(policy.contract, "hash"),
        dropped=hidden_by(policy.contract, "drop"),
        backup=ask.backup,
        action_tier=policy.tier,
        excluded=ask.excluded or None,
        initiation=initiation,
        urgent=ask.urgent or None,
        editable=policy.editable,
        personal=personal or None,
    )
    if not policy.shadow:
        return live
    people = policy.strictest
    return in_shadow(policy.tool, live, people, _channel(folder, policy.tool, people or ask))


def _channel(folder: PolicyFolder, tool: ToolName, ask: Ask) -> str | None:
    """Where the packet goes: the rule's own channel, else the tool's, else a role's, else the default."""
    keys = [tool, *(seat.role for seat in ask.seats), "default"]
    return ask.channel or next((folder.channels[key] for key in keys if key in folder.channels), None)
