"""Says why a policy decided as it did: each rule with the values that it saw, and the rule that nearly allowed it.

Classifies nothing by itself and MUST NOT raise. What agents sent stays opaque here; whoever shows it hides what the
policy hides, and escapes the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from approval_rules.anatomy import Read
from approval_rules.commands import Draft
from approval_rules.conditions import Names, Undetermined
from approval_rules.counterfactual import Nearest, Scene, nearest_allow, scene_of
from approval_rules.facts import Value
from approval_rules.people import Agent
from approval_rules.policy import (
    NOTHING_BEFORE,
    Contradiction,
    Policy,
    PolicyFolder,
    Rule,
    classify,
    names_of,
)
from approval_rules.requirement import Requirement, Tier
from approval_rules.text import AgentJson
from approval_rules.verdicts import consequence

Said = Literal["matched", "not matched", "undetermined"]


class Sight(NamedTuple):
    """A value as a rule saw it; None is missing. `of` is the dotted field whose hiding covers it, empty for none."""

    name: str
    value: AgentJson | None
    of: str


class PartExplanation(NamedTuple):
    """One part of a condition's `and`; `holds` is None where it could not be decided, and `why` says why not."""

    text: str
    holds: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """What one rule said: `why` is empty unless undetermined; `saw` is in the order of reading."""

    rule: Rule
    outcome: Said
    why: str
    says: str
    saw: tuple[Sight, ...] = ()
    parts: tuple[PartExplanation, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Each rule's outcome, in order, and what they come to; `nearest` where it is not allowed."""

    rules: tuple[RuleExplanation, ...]
    result: Requirement | Contradiction
    nearest: Nearest | None = None


def explain(
    folder: PolicyFolder, draft: Draft, agent: Agent, at: datetime, before: Mapping[str, Value] = NOTHING_BEFORE
) -> Explanation:
    """Classify, and say what each rule made of it; MUST NOT raise."""
    policy = folder.policies.get(draft.tool, Policy(draft.tool, ()))
    scene = scene_of(policy, names_of(folder, policy, draft, agent, at, before))
    rules = tuple(_explain(scene, place) for place in range(len(policy.rules)))
    result = classify(folder, draft, agent, at, before)
    allowed = isinstance(result, Requirement) and result.live.tier is Tier.GREEN
    return Explanation(rules, result, None if allowed or isinstance(result, Contradiction) else nearest_allow(scene))


def _explain(scene: Scene, place: int) -> RuleExplanation:
    rule, anatomy, held = scene.policy.rules[place], scene.anatomies[place], scene.held[place]
    outcome = rule.outcome(scene.names)
    saw = tuple(_sight(read, scene.names) for read in anatomy.reads)
    parts = tuple(_part(clause.text, holds) for clause, holds in zip(anatomy.clauses, held, strict=True))
    if isinstance(outcome, Undetermined):
        return RuleExplanation(rule, "undetermined", outcome.why, consequence(rule.verdict), saw, parts)
    said: Said = "matched" if outcome else "not matched"
    return RuleExplanation(rule, said, "", consequence(rule.verdict), saw, parts)


def _sight(read: Read, names: Names) -> Sight:
    value = read.value(names)
    return Sight(read.label, None if isinstance(value, Undetermined) else AgentJson(value), read.of)


def _part(text: str, holds: bool | Undetermined) -> PartExplanation:  # noqa: FBT001 - an answer
    return (
        PartExplanation(text, None, holds.why) if isinstance(holds, Undetermined) else PartExplanation(text, holds, "")
    )
