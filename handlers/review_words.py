"""What the kinds of findings of a weekly review are called, for people: on paper and in Slack. Decides nothing."""

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "self-approval": "Tried to decide on what is one's own",
    "override": "People overruled a policy, or an approval",
    "under-five-seconds": "Decided in under five seconds",
    "always-agree": "Two people who decided together five times or more, and never differed",
    "blocked": "Blocked by the policy",
    "turned-away": "Turned away before it was a proposal or a permission",
    "unused": "Permissions that were never used",
    "pause": "Pauses and incidents",
    "high-risk": "High-risk decisions",
    "decided-by-people": "Decided by people",
    "allowed-by-policy": "Allowed by the policy alone",
}
QUIET: Final = frozenset({"pause", "high-risk", "decided-by-people", "allowed-by-policy"})
"""What tells how the week was; each of the others is a reason to look."""
FLAG_EXAMPLE: Final = "Numbers as in the report, such as 3 or 3, 7"
_WHAT: Final[Mapping[str, str]] = {
    "initiator": "has started the run",
    "agent-owner": "owns the agent",
    "interested-party": "is named as having an interest",
    "editor": "has lowered a value of it",
    "denied-though-allowed": "denied, though the policy by itself allows it",
    "approved-though-blocked": "approved in a trial, though the policy by itself blocks it",
    "denied-though-candidate-allows": "denied, though the candidate version allows it",
    "approved-though-candidate-blocks": "approved, though the candidate version blocks it",
    "lowered": "a value was lowered",
    "taken-back": "the approval was taken back",
    "approve": "approved",
    "deny": "denied",
    "agreed": "never differed",
    "lapsed": "nobody claimed it in time",
    "paused-all": "everything was paused",
    "paused-agent": "an agent was paused",
    "paused-tool": "a tool was paused",
    "incident": "an incident was declared",
    "approvers-changed": "somebody who approved may no longer approve",
    "policy-changed": "the policy asks for more since",
    "paused": "a pause took it back",
    "agent-revoked": "the agent was taken out of service",
    "tool-not-allowed": "the agent may not use the tool",
    "approved-by-policy": "approved by the policy alone",
}


def what_words(what: str) -> str:
    """Say in words what a finding's fixed word means; what has none says itself."""
    return _WHAT.get(what, what)
