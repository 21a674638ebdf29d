"""What `policy explain` does: asks the policy about a body, or about a recorded proposal as it was. Stores nothing."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import typer

from approval_rules.commands import Draft
from approval_rules.contract import Breach, breaches
from approval_rules.events import Submitted
from approval_rules.explanation import Explanation, RuleExplanation, Sight, explain
from approval_rules.facts import DeclaredFact, LookedUp, Unknown, Value
from approval_rules.names import around
from approval_rules.people import Agent, AgentId, PersonId
from approval_rules.policy import Contradiction, PolicyFolder
from approval_rules.requirement import Hiding, Requirement
from approval_rules.state import draft_again
from approval_rules.text import AgentJson, Json
from approval_rules.times import format_time
from bot.cli.on_duty import Duty, duty_lines, duty_of
from bot.cli.output import printable
from bot.cli.session import reading
from bot.clock import SteadyClock
from bot.lookup_stand_ins import stood_in
from bot.policy_files import PolicyFolderError, load, load_content
from bot.replay.judging import WOULD_BE, dialled, draft_from, why_no_proposal
from bot.replay.recounting import known_then
from bot.settings import load as settings
from bot.store.past import one_view, past_of
from bot.store.policies import PolicyStoreError, content_of, looking
from handlers.explaining import Showing, nearest_sentence
from handlers.http.problems import ProblemError
from handlers.http.reading import fields_of
from handlers.http.strict_json import read_json
from handlers.slack.text import is_covered, seen_json, seen_words

PROPOSAL_ID: Final = re.compile(r"prop_[0-9A-Za-z]+")
_SOMEONE: Final = Agent(AgentId("agent_example"), "example", PersonId("pers_example"), ())
NOT_COUNTED: Final = "not known here (no database)"
_UNCOUNTED: Final = AgentJson(NOT_COUNTED)
_LONGEST: Final = 2000
_HELD: Final = {True: "held", False: "failed", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Told:
    """An explanation, what it must not show, and the recorded proposal where there is one.

    `uncounted` are the counters, as they are written, that nobody can tell here.
    """

    version: str
    found: Explanation
    hidden: Mapping[str, Hiding]
    broken: Sequence[Breach]
    label: str | None
    origins: Mapping[str, str]
    duty: Duty
    then: Submitted | None = None
    uncounted: frozenset[str] = frozenset()

    @property
    def verdict(self) -> tuple[str, str]:
        """What would become of it, and why."""
        result = self.found.result
        if self.broken:
            why = "; ".join(f"{one.pointer} {one.detail}" for one in self.broken)
            return "refused", f"contract-violation: {why}"
        if isinstance(result, Contradiction):
            return "refused", f"{result.pointer}: {result.detail}"
        return WOULD_BE[result.live.tier], result.live.policy.because

    @property
    def nearest(self) -> str | None:
        """The rule that nearly allowed it, in a sentence."""
        found = None if self.broken else self.found.nearest
        if found is None:
            return None
        wants = [replace(want, was=_UNCOUNTED) if want.name in self.uncounted else want for want in found.wants]
        showing = Showing(
            lambda value, of: NOT_COUNTED if value is _UNCOUNTED else seen_words(value, of, self.hidden),
            printable,
            lambda of: is_covered(of, self.hidden) is not None,
        )
        return nearest_sentence(replace(found, wants=tuple(wants)), showing)

    # --- for programs

    def document(self) -> dict[str, Any]:
        """Tell it to a program."""
        would_be, because = self.verdict
        result = self.found.result
        found: dict[str, Any] = {} if self.then is None else self._recorded(self.then)
        found |= {"rules": [self._rule(one) for one in self.found.rules], "would_be": would_be, "because": because}
        found["facts"] = dict(self.origins)
        found |= {"on_call": self.duty.on_call, "away": self.duty.away}
        if self.broken:
            found["errors"] = [{"pointer": one.pointer, "detail": one.detail} for one in self.broken]
        elif isinstance(result, Requirement):
            live = result.live
            found["seats"] = [{"role": seat.role, "count": seat.count} for seat in live.seats]
            found["policy"] = {"version": live.policy.version, "rule": live.policy.rule, "class": self.label}
            found |= {"shadow": True} if result.shadow is not None else {}
        if self.found.nearest is not None and not self.broken:
            found["nearest"] = {"rule": self.found.nearest.rule, "sentence": self.nearest}
        return found

    def _recorded(self, then: Submitted) -> dict[str, Any]:
        policy = then.requirement.live.policy
        return {
            "proposal": then.proposal,
            "agent": then.agent.name,
            "at": format_time(then.at),
            "recorded": {
                "would_be": WOULD_BE[then.requirement.live.tier],
                "because": policy.because,
                "policy": {"version": policy.version, "rule": policy.rule},
            },
            "same_version": self.version == policy.version,
        }

    def _rule(self, one: RuleExplanation) -> dict[str, Any]:
        saw = {
            name: _bounded(_number(seen_json(value, of, self.hidden)))
            for name, value, of in one.saw
            if is_covered(of, self.hidden) != "drop"
        }
        return {
            "rule": "; ".join(one.rule.source.splitlines()),
            "number": one.rule.index,
            "outcome": one.outcome,
            "why": one.why,
            "says": one.says,
            "saw": saw,
            "parts": [{"part": part.text, "holds": part.holds, "why": part.why} for part in one.parts],
        }

    # --- for people

    def lines(self) -> Iterator[str]:
        """Tell it to a person, a block a rule; nothing in it can reach a terminal raw."""
        if self.then is not None:
            yield from self._head(self.then)
        for one in self.found.rules:
            yield printable(f"Rule {one.rule.index}  {one.outcome}: {one.rule.condition_text}")
            yield from (printable(f"    {word:8} {text}") for word, text in self._block(one))
        for name, origin in self.origins.items():
            yield printable(f"Fact {name}: {origin}")
        yield printable("=> {}: {}".format(*self.verdict))
        if self.nearest is not None:
            yield printable(self.nearest)
        yield from duty_lines(self.duty.on_call, self.duty.away or ())
        if isinstance(self.found.result, Requirement) and self.found.result.shadow is not None and not self.broken:
            yield "The tool is in shadow: people are asked all the same, and nothing is ever executed."

    def _head(self, then: Submitted) -> Iterator[str]:
        policy = then.requirement.live.policy
        yield printable(f"{then.proposal} of {then.agent.name}, {format_time(then.at)}")
        yield printable(f"decided then: {WOULD_BE[then.requirement.live.tier]}: {policy.because}")
        if self.version != policy.version:
            yield f"That was version {policy.version}. The policy here is {self.version}, and would say:"
        elif self.verdict[1] != policy.because:
            yield "The same version says something else here, where the dial's key or the contract's reader is another:"

    def _block(self, one: RuleExplanation) -> Iterator[tuple[str, str]]:
        if one.saw:
            yield "saw", ", ".join(map(self._seen, one.saw))
        for part in one.parts if len(one.parts) > 1 else ():
            yield _HELD[part.holds], part.text
        if one.outcome == "matched":
            yield "so", one.says
        if one.why:
            yield "because", one.why

    def _seen(self, sight: Sight) -> str:
        value = NOT_COUNTED if sight.name in self.uncounted else seen_words(sight.value, sight.of, self.hidden)
        return f"{sight.name} {value}"


def explained(text: str, folder: Path | None, environment: str | None = None, *, incident: bool) -> Told:
    """Say what each rule makes of a proposal's body; a `summary` may be left out here.

    `environment` None means this server's.
    """
    try:
        draft = draft_from(fields_of(read_json(text.encode()).value))
    except (ProblemError, ValueError) as error:
        raise typer.BadParameter(f"this is no proposal: {why_no_proposal(error)}") from None
    policies = dialled(load(folder or settings().policy))
    now, policy = SteadyClock()(), policies.policies.get(draft.tool)
    counters = policy.counters if policy else ()
    uncounted: dict[str, Value] = {counter.name: Unknown(f"is {NOT_COUNTED}") for counter in counters}
    before = {**around(environment or settings().environment, incident=incident), **uncounted}
    draft = stood_in(policy, draft)
    found = explain(policies, draft, _SOMEONE, now, before)
    hidden = _hidden(policies, draft, {})
    origins = _origins(policies, draft)
    broken, label = _broken(policies, draft), _label(policies, draft)
    written = frozenset(counter.written for counter in counters)
    return Told(policies.version, found, hidden, broken, label, origins, _duty(policies, found, now), None, written)


def explained_again(proposal: str, folder: Path | None) -> Told:
    """Say what each rule makes of a recorded proposal, with the facts, the moment, the run and the counters of then.

    It is asked of the version that decided it, unless a folder is named.
    """
    with reading() as connection, one_view(connection):
        then = _recorded(connection, proposal)
        kept = None if folder else _version(connection, then.requirement.policy.version)
        policies = dialled(kept or load(folder or settings().policy))
        before = known_then(policies, connection, then)
    draft = stood_in(policies.policies.get(then.tool), draft_again(then))
    found = explain(policies, draft, then.agent, then.at, before)
    hidden = _hidden(policies, draft, then.requirement.hidden)
    origins = _origins(policies, draft)
    duty = _duty(policies, found, SteadyClock()())
    return Told(policies.version, found, hidden, _broken(policies, draft), _label(policies, draft), origins, duty, then)


def _duty(policies: PolicyFolder, found: Explanation, now: datetime) -> Duty:
    """Say of the people who would be asked who has the turn, and who is away."""
    asked = found.result.live if isinstance(found.result, Requirement) else None
    if asked is None or not asked.seats:
        return Duty()
    names = {seat.role for seat in asked.seats}
    return duty_of(policies.roles, names | {asked.backup} if asked.backup else names, now)


def _version(connection: sqlite3.Connection, version: str) -> PolicyFolder | None:
    """Give the policy that decided then, where the database has kept it and it still loads."""
    try:
        return load_content(content_of(looking(connection), version))
    except (PolicyStoreError, PolicyFolderError):
        return None


def _recorded(connection: sqlite3.Connection, proposal: str) -> Submitted:
    past = past_of(connection, proposal)
    if past is None:
        raise typer.BadParameter(f"the log has no proposal {proposal}")
    if past.erased:
        told = past.submitted.requirement.live.policy.because
        raise typer.BadParameter(f"what was asked for has been erased; what is left is the reason: {printable(told)}")
    return past.submitted


def _label(policies: PolicyFolder, draft: Draft) -> str | None:
    policy = policies.policies.get(draft.tool)
    return policy.label if policy else None


def _origins(policies: PolicyFolder, draft: Draft) -> Mapping[str, str]:
    """Say of each fact that the policy declares whose word it is."""
    policy = policies.policies.get(draft.tool)
    recorded = {each.name: each for each in draft.lookups or ()}
    return {fact.name: _origin(fact, recorded.get(fact.name)) for fact in (policy.facts if policy else ())}


def _origin(fact: DeclaredFact, recorded: LookedUp | None) -> str:
    if fact.lookup is None:
        return "said by the agent"
    if recorded is None:
        return f"looked up at {fact.lookup.source}; here, what the proposal says of it stands in"
    failed = "" if recorded.failed is None else f", and it failed: {recorded.failed}"
    return f"looked up at {recorded.source}, {format_time(recorded.at)}{failed}"


def _broken(policies: PolicyFolder, draft: Draft) -> Sequence[Breach]:
    policy = policies.policies.get(draft.tool)
    return breaches(policy.contract, draft.arguments) if policy else ()


def _hidden(policies: PolicyFolder, draft: Draft, then: Mapping[str, Hiding]) -> Mapping[str, Hiding]:
    """Name what is not shown: what this policy hides, and what people were not shown then."""
    policy = policies.policies.get(draft.tool)
    if policy is None:
        return then
    now: dict[str, Hiding] = dict.fromkeys(policy.redact, "mask")
    return {**now, **(policy.contract.hidden if policy.contract else {}), **then}


def _bounded(value: Json) -> Json:
    """Leave out what is too long to be printed once for each rule that reads it; the proposal itself has it whole."""
    size = len(json.dumps(value, ensure_ascii=False, default=str)) if isinstance(value, str | Sequence | Mapping) else 0
    return value if size <= _LONGEST else {"not_shown": "too long", "characters": size}


def _number(value: Json) -> Json:
    """Write a whole number as one; any other stays exact, as text."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
