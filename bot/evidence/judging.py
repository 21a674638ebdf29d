"""Asks the policy of then about what was recorded then, and says whether it comes to the same. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from approval_rules.events import Submitted
from approval_rules.explanation import Explanation, explain
from approval_rules.names import recalled
from approval_rules.question_events import Edited
from approval_rules.requirement import Requirement, Tier
from approval_rules.state import Proposal, draft_again
from approval_rules.versions import SERVER
from bot.evidence.gathering import Decision, Version
from bot.store.terms import APART

Answer = Literal["same", "differs", "not told"]
_CHANGE: Final = "a change of the policy is judged by no rule: the people of its admin role decide it"
_ERASED: Final = (
    "the rules read what has been erased since, when its term was over or because somebody asked for it ({gone}); what "
    "they came to then stands in the entry, which is as provable as before: {then}"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judgement came to then and comes to now, by the same version; `why` where it cannot be told."""

    seq: int
    at: datetime
    version: str
    then: str
    now: str
    answer: Answer
    why: str = ""
    explained: Explanation | None = None


def judgements(decision: Decision) -> list[Judgement]:
    """Judge again what was taken in, and each version that a person made of it."""
    return [
        _judged(decision, seq, decision.seen_at(seq).proposal)
        for seq, event in decision.events
        if isinstance(event, Submitted | Edited)
    ]


def _judged(decision: Decision, seq: int, proposal: Proposal) -> Judgement:
    recorded = proposal.requirement
    version = decision.versions[recorded.policy.version]
    place = seq, proposal.judged_at, recorded.policy.version, recorded.policy.because
    why = _why_not(decision, seq, proposal, version)
    if why is not None or version.folder is None:
        return Judgement(*place, "", "not told", why or "")
    found = explain(version.folder, draft_again(proposal), proposal.agent, proposal.judged_at, recalled(proposal.known))
    if not isinstance(found.result, Requirement):
        return Judgement(*place, f"{found.result.pointer}: {found.result.detail}", "differs", "", found)
    same = _settled(found.result) == _settled(recorded)
    if not same and _was_blocked_for_an_unknown(recorded, found.result):
        why = "the rules ask people; it was blocked because Slack could not say whom a field names, which is not kept"
        return Judgement(*place, found.result.policy.because, "same", why, found)
    return Judgement(*place, found.result.policy.because, "same" if same else "differs", "", found)


def _why_not(decision: Decision, seq: int, proposal: Proposal, version: Version) -> str | None:
    """Say why it cannot be judged again; None where it can."""
    if proposal.tool in SERVER.tools:
        return _CHANGE
    if version.folder is None:
        return version.fault
    policy = version.folder.policies.get(proposal.tool)
    taken_in = {"context", "run"} if proposal.lookups is None else {"context", "run", "looked_up"}
    judged = {"arguments", "digest"} | ({"known"} if policy is not None and policy.told else set())
    judged |= {APART} if proposal.requirement.personal else set()
    gone = sorted({*taken_in - decision.living(decision.written[0].seq), *judged - decision.living(seq)})
    return _ERASED.format(gone=", ".join(gone), then=proposal.requirement.policy.because) if gone else None


def _settled(requirement: Requirement) -> tuple[object, ...]:
    """Give what a judgement says of people: not where and how it is shown."""
    asked = requirement.seats, requirement.step_up, requirement.backup, requirement.initiation, requirement.excluded
    return (requirement.tier, requirement.policy, requirement.shadow, *asked)


def _was_blocked_for_an_unknown(recorded: Requirement, now: Requirement) -> bool:
    return recorded.tier is Tier.RED and bool(recorded.excluded) and recorded.policy.rule == now.policy.rule
