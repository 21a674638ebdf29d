"""Holds what stands behind one decision, its action and its policy, against what is recorded. It only looks."""

from collections.abc import Iterator, Sequence

from approval_rules.canonical import canonical_text, object_text, sha256_name
from approval_rules.events import Submitted
from approval_rules.question_events import Edited
from bot.evidence.gathering import Decision
from bot.store.codec import whole_arguments
from bot.store.terms import APART


def action_of(decision: Decision) -> bytes | None:
    """Give the canonical bytes of the action as it was last judged; None where they are erased."""
    judged = max(seq for seq, event in decision.events if isinstance(event, Submitted | Edited))
    apart = decision.seen_at(judged).proposal.requirement.personal is not None
    rest, mine = decision.value(judged, "arguments"), decision.value(judged, APART)
    if rest is None or (apart and mine is None):
        return None
    arguments = whole_arguments(rest, mine) or ""
    return object_text({"arguments": arguments, "tool": canonical_text(decision.proposal.tool)}).encode()


def faults_of(decision: Decision, wrong: Sequence[str]) -> tuple[str, ...]:
    """Say everything that is wrong, each once; `wrong` is what a verification of the whole log found."""
    return tuple(dict.fromkeys([*wrong, *decision.proofs.faults, *_content_faults(decision)]))


def _content_faults(decision: Decision) -> Iterator[str]:
    action = action_of(decision)
    if action is not None and decision.proposal.digest and sha256_name(action) != decision.proposal.digest:
        yield "the recorded arguments do not come to the recorded digest"
    for version in decision.versions.values():
        if version.content is None and version.fault is not None:
            yield version.fault
