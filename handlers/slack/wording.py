"""The words that differ between an agent's action and a change of the policy itself. It decides nothing."""

from dataclasses import dataclass
from typing import Final

from approval_rules.denials import DenialCategory
from approval_rules.state import Proposal
from approval_rules.versions import CHANGE_TOOL


@dataclass(frozen=True, slots=True)
class Words:
    """Whole sentences, so that each reads right; `{}` stands for a time or a number."""

    will: str
    excluded: str
    last: str
    not_before: str
    smaller: str
    unanswered: str
    expired: str
    cancelled: str
    denied: str
    denial_counts: str
    approval_counts: str
    facts: str
    history: str


_ACTION: Final = Words(
    will="Exactly this will run",
    excluded="never the agent's owner, never the person who started the run",
    last="Yours is the last approval needed: the agent may then run it, one time.",
    not_before="Nothing runs before {} people have approved.",
    smaller="Deny it, or ask the agent to propose it in smaller pieces.",
    unanswered="If nobody decides by then it expires: the agent is told 'expired' and nothing runs.",
    expired="⌛ Expired unanswered at {}. The agent is told 'expired', which is not 'denied'. Nothing ran.",
    cancelled="↩ Cancelled: the agent took it back at {}. Nothing ran.",
    denied="The agent is told. Nothing ran.",
    denial_counts="Your denial counts. The agent is told your reason, and nothing runs.",
    approval_counts="Your approval counts, and it was the last one needed. The agent may now run this once.",
    facts="Facts, as the agent gives them",
    history="What happened before, says the agent",
)
_CHANGE: Final = Words(
    will="Exactly this will change",
    excluded="never its author",
    last="Yours is the last approval needed: the policy changes at once.",
    not_before="Nothing changes before {} people have approved.",
    smaller="Deny it, and change the policy in smaller steps.",
    unanswered="If nobody decides by then it expires and the policy stays as it is.",
    expired="⌛ Expired unanswered at {}. The policy stays as it is.",
    cancelled="↩ Withdrawn at {}: the policy folder changed again, or another version came into force.",
    denied="The policy stays as it is.",
    denial_counts="Your denial counts. The policy stays as it is.",
    approval_counts="Your approval counts, and it was the last one needed. The policy has changed.",
    facts="What it would have changed: recent proposals, judged again by the new policy",
    history="What would be looser",
)
DENIED_FOR: Final = {
    DenialCategory.WRONG_AMOUNT: "Wrong amount",
    DenialCategory.WRONG_TARGET: "Wrong customer or target",
    DenialCategory.NOT_NEEDED: "Not needed",
    DenialCategory.AGAINST_POLICY: "The policy says no",
    DenialCategory.TOO_LITTLE_TOLD: "Not enough information",
    DenialCategory.LOOKS_MALICIOUS: "Looks malicious",
    DenialCategory.OTHER: "Something else",
}
"""What people choose from when they deny."""
CHANGED: Final = "✅ In force since {}."


def changes_policy(proposal: Proposal) -> bool:
    """Tell whether it is the server's own proposal to change the policy; no agent can have its tool."""
    return proposal.tool == CHANGE_TOOL


def words_of(proposal: Proposal) -> Words:
    """Give the words for a proposal."""
    return _CHANGE if changes_policy(proposal) else _ACTION
