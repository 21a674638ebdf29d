"""Explains a recorded decision by the policy that made it; never shows one that comes to something else."""

from approval_rules.explanation import Explanation, explain
from approval_rules.names import recalled
from approval_rules.personal import lost
from approval_rules.policy import PolicyFolder
from approval_rules.requirement import Requirement
from approval_rules.state import Proposal, draft_again


def explanation_of(folder: PolicyFolder, proposal: Proposal) -> Explanation | None:
    """Explain a proposal by the policy that decided it; None where that does not come to what was recorded.

    None too where an argument is erased: a rule would be shown as one that did not find it.
    """
    if lost(proposal.requirement.personal, proposal.arguments):
        return None
    found = explain(folder, draft_again(proposal), proposal.agent, proposal.judged_at, recalled(proposal.known))
    same = isinstance(found.result, Requirement) and found.result.policy == proposal.requirement.policy
    return found if same else None
