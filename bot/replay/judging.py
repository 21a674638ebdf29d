"""Asks a policy about a case or a recorded proposal, exactly as the desk asks it. Stores nothing, reads no clock.

It looks nothing up: for a fact that was not looked up then, what the agent said stands in.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from approval_rules.action_tiers import CHANGE_TICKET, DUTIES
from approval_rules.canonical import canonical_fields
from approval_rules.commands import Draft
from approval_rules.contract import Contract, breaches
from approval_rules.events import Submitted
from approval_rules.names import TOUCHES
from approval_rules.people import Agent, AgentId, PersonId, ToolName
from approval_rules.personal import lost
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Requirement, Tier
from approval_rules.state import draft_again
from approval_rules.step_up import StepUp, strongest
from approval_rules.text import AgentJson, Json, unwrap_object
from bot.keys import KeyFileError, dial_key
from bot.keys import load as load_key
from bot.lookup_stand_ins import looked_up_in_case, stood_in
from bot.policy_cases import Case, Expectation, Outcome
from bot.settings import load as settings
from bot.store.past import Past
from handlers.counting import counted
from handlers.http.problems import ProblemError
from handlers.http.reading import draft_of, shaped
from handlers.http.schemas import ProposalIn

WOULD_BE: Mapping[Tier, Outcome] = {Tier.GREEN: "allowed", Tier.YELLOW: "asked", Tier.RED: "blocked"}
_SCALARS: Final = (str, int, Decimal, type(None))
_SUMMARY: Mapping[str, Json] = {"summary": "(none)"}


class Ruling(NamedTuple):
    """What a policy said: the rule's number where one rule said it, and how many of each role are asked."""

    outcome: Outcome
    rule: int | None
    seats: Mapping[str, int]
    because: str
    step_up: StepUp = "none"
    backup: str = ""
    initiate: str = ""
    excluded: tuple[str, ...] = ()

    @property
    def approvals(self) -> int:
        """How many people are asked."""
        return sum(self.seats.values())


def draft_from(fields: Mapping[str, Json]) -> Draft:
    """Build the draft of a proposal's body as the API does; a `summary` may be left out.

    Raises ProblemError and ValueError for what the API would turn away.
    """
    texts = canonical_fields(fields)
    body = {**_SUMMARY, **fields}
    return draft_of(shaped(ProposalIn, body), body, texts)


def agent_of(case: Case) -> Agent:
    """Give the agent that asks in a case."""
    return Agent(AgentId(f"agent_{case.agent}"), case.agent, PersonId("pers_example"), ())


def draft_of_case(folder: PolicyFolder, case: Case) -> Draft:
    """Build the draft of a case, with its looked-up facts; raises what `draft_from` raises."""
    draft = draft_from(case.body)
    if case.looked_up is not None:
        draft = looked_up_in_case(draft, case.looked_up, case.at)
    return stood_in(folder.policies.get(draft.tool), draft)


def judge(folder: PolicyFolder, case: Case) -> Ruling:
    """Ask about a case; what the API would turn away is refused."""
    try:
        draft = draft_of_case(folder, case)
    except (ProblemError, ValueError) as error:
        return Ruling("refused", None, {}, why_no_proposal(error))
    return _ask(folder, draft, agent_of(case), case.at, case.before)


def can_be_judged(folder: PolicyFolder, past: Past, before: Mapping[str, Json]) -> bool:
    """Tell whether a policy comes to an answer that nothing erased could change."""
    if not past.erased:
        return True
    policy, then = folder.policies.get(past.submitted.tool), past.submitted
    if policy is None or not past.record:
        return past.record
    arguments = unwrap_object(then.arguments)
    gone = lost(then.requirement.personal, then.arguments)
    # Part of what is inside an object or a list may be gone; with the whole part, nobody knows what was touched.
    inside = {name for name, value in arguments.items() if gone and not isinstance(value, _SCALARS)}
    told = {name for name, value in before.items() if value is not None} | {"now", "agent", "run"}
    there = (arguments.keys() | told | (TOUCHES.keys() if not gone else set())) - inside - policy.lookups.keys()
    needed = {name for rule in policy.rules if rule.condition for name in rule.condition.names}
    if policy.tier is not None and DUTIES[policy.tier].ticket:
        needed.add(CHANGE_TICKET)
    return needed <= there and not _other_breaches(policy.contract, then.arguments, gone)


def _other_breaches(contract: Contract | None, arguments: AgentJson, gone: Collection[str]) -> bool:
    """Whether the contract has something against the arguments besides what is erased of them."""
    found = breaches(contract, arguments) if gone else ()
    return any(breach.pointer.rpartition("/")[2] not in gone for breach in found)


def judge_again(folder: PolicyFolder, then: Submitted, before: Mapping[str, Json]) -> Ruling:
    """Ask about a recorded proposal: facts, run, agent and moment are those of then, and so is `before`."""
    draft = stood_in(folder.policies.get(then.tool), draft_again(then))
    if lost(then.requirement.personal, then.arguments):  # the contract was kept when it was whole
        return ruling_of(classify(folder, draft, then.agent, then.at, before))
    return _ask(folder, draft, then.agent, then.at, before)


def _ask(folder: PolicyFolder, draft: Draft, agent: Agent, at: datetime, before: Mapping[str, Json]) -> Ruling:
    """Ask as the desk does: the tool's contract first, then its rules."""
    policy = folder.policies.get(draft.tool)
    broken = breaches(policy.contract, draft.arguments) if policy else ()
    if broken:
        why = "; ".join(f"{breach.pointer} {breach.detail}" for breach in broken)
        return Ruling("refused", None, {}, f"contract-violation: {why}")
    return ruling_of(classify(folder, draft, agent, at, before))


def hidden_by(folder: PolicyFolder, tool: ToolName, then: Iterable[str] = ()) -> frozenset[str]:
    """Name the fields that people are not shown under this policy, and those that they were not shown `then`."""
    policy = folder.policies.get(tool)
    if policy is None:
        return frozenset(then)
    return frozenset(then).union(policy.redact, policy.contract.hidden if policy.contract else ())


def ruling_of(result: Requirement | Contradiction) -> Ruling:
    """Put what the policy said into a ruling."""
    if isinstance(result, Contradiction):
        return Ruling("refused", None, {}, f"{result.pointer}: {result.detail}")
    result = result.live  # what the rules say, whether or not anything of it is executed yet
    number = result.policy.rule and result.policy.rule.rpartition("#")[2]
    seats = {str(seat.role): seat.count for seat in result.seats}
    return Ruling(
        WOULD_BE[result.tier],
        int(number) if number else None,
        seats,
        result.policy.because,
        result.step_up,
        result.backup or "",
        result.initiation.role if result.initiation else "",
        result.excluded or (),
    )


def recorded(requirement: Requirement) -> Expectation:
    """Turn what was decided then into what is expected now: the same people, whatever the rules' numbers."""
    requirement = requirement.live
    roles = tuple(str(seat.role) for seat in requirement.seats for _ in range(seat.count))
    rule = requirement.policy.rule and requirement.policy.rule.rpartition("#")[2]
    # Red with fields that bar people: the rule asked, and only that nobody knew whom they name blocked it.
    return Expectation(
        "asked" if requirement.excluded else WOULD_BE[requirement.tier],
        rule=int(rule) if rule else None,
        approvals=len(roles),
        roles=roles,
        step_up=requirement.step_up,
        backup=requirement.backup or "",
        initiate=requirement.initiation.role if requirement.initiation else "",
        excluded=requirement.excluded or (),
    )


def same_people(wanted: Expectation, got: Ruling) -> bool:
    """Tell whether those are asked that were expected."""
    if wanted.outcome == "blocked" and wanted.initiate not in (None, got.initiate):
        return False
    if wanted.outcome != "asked" and not (wanted.outcome == "blocked" and wanted.initiate):
        return True
    if wanted.approvals not in (None, got.approvals) or wanted.step_up not in (None, got.step_up):
        return False
    if wanted.backup not in (None, got.backup) or not _same_barred(wanted, got):
        return False
    if wanted.seats is not None:
        return dict(wanted.seats) == dict(got.seats)
    return not wanted.roles or set(wanted.roles) == set(got.seats)


def _same_barred(wanted: Expectation, got: Ruling) -> bool:
    return wanted.excluded is None or set(wanted.excluded) == set(got.excluded)


def fewer_people(wanted: Expectation, got: Ruling) -> bool:
    """Tell whether somebody who was expected is not asked any more, or somebody else may stand in."""
    least = wanted.seats if wanted.seats is not None else dict.fromkeys(wanted.roles, 1)
    gone = any(got.seats.get(role, 0) < count for role, count in least.items())
    others = wanted.backup is not None and got.backup not in ("", wanted.backup)
    started = wanted.initiate is not None and got.initiate not in ("", wanted.initiate)
    weaker = wanted.step_up is not None and strongest([wanted.step_up, got.step_up]) != got.step_up
    let_in = bool(set(wanted.excluded or ()) - set(got.excluded))
    return gone or others or started or weaker or let_in or got.approvals < (wanted.approvals or 0)


def dialled(folder: PolicyFolder) -> PolicyFolder:
    """Give the folder this server's dial, where its key can be read; without it every share asks people."""
    try:
        return replace(folder, dial_key=dial_key(load_key(settings().signing_key_file)))
    except (OSError, KeyFileError):
        return folder


def why_no_proposal(error: Exception) -> str:
    """Say what the API would answer."""
    faults = getattr(error, "faults", ())
    return "; ".join(f"{fault.pointer or '/'} {fault.detail}" for fault in faults) or str(error) or "unreadable"


def expected_words(wanted: Expectation) -> str:
    """Say what was wanted."""
    seats = wanted.seats or dict.fromkeys(wanted.roles, 0)
    people = (
        _people(seats) if seats else f" {counted(wanted.approvals, 'person', 'people')}" if wanted.approvals else ""
    )
    rule = f" by rule {wanted.rule}" if wanted.rule is not None else ""
    because = f" because of {wanted.because!r}" if wanted.because else ""
    who = f"{_started(wanted.initiate)}{people}{_proved(wanted.step_up)}{_standing_in(wanted.backup)}"
    return f"{wanted.outcome}{who}{rule}{because}"


def got_words(got: Ruling) -> str:
    """Say what came."""
    rule = f" by rule {got.rule}" if got.rule is not None else ""
    who = f"{_started(got.initiate)}{_people(got.seats)}{_proved(got.step_up)}{_standing_in(got.backup)}"
    return f"{got.outcome}{who}{rule}"


def _proved(step_up: StepUp | None) -> str:
    return f" with {step_up}" if step_up not in (None, "none") else ""


def _started(role: str | None) -> str:
    return f" unless {role} starts it, and then asked" if role else ""


def _standing_in(backup: str | None) -> str:
    return f" with {backup} as backup" if backup else ""


def _people(seats: Mapping[str, int]) -> str:
    told = [f"{count or ''} {role}".strip() for role, count in seats.items()]
    return f" {' and '.join(told)}" if told else ""
