"""Works out again why a proposal was decided so, from the policy, the moment and the counters of then.

Nothing of it is recorded but the counters: an explanation that does not come to the recorded decision is not shown.
"""

import asyncio
from dataclasses import replace

from approval_rules.commands import Draft
from approval_rules.explanation import Explanation, explain
from approval_rules.names import recalled
from approval_rules.policy import PolicyFolder
from approval_rules.requirement import Requirement
from approval_rules.state import Proposal
from bot.desk.wiring import Wiring
from handlers.desk import Seen


async def explained(wiring: Wiring, seen: Seen) -> Seen:
    """Add the explanation; as it is where the policy of then, or what the agent sent, cannot be had any more.

    People who answer for a tool in shadow are told nothing of what its policy says.
    """
    folder = wiring.policy.folder
    needs = seen.proposal.requirement
    if folder.version != needs.policy.version or not seen.proposal.digest or needs.shadow is not None:
        return seen
    # A long list that an agent sent, read by many rules, takes time: the clicks of others must not wait for it.
    return replace(seen, explained=await asyncio.to_thread(explanation_of, folder, seen.proposal))


def explanation_of(folder: PolicyFolder, proposal: Proposal) -> Explanation | None:
    """Explain a proposal by the policy that decided it; None where that does not come to what was recorded."""
    then = Draft(proposal.tool, proposal.arguments, proposal.digest, proposal.summary, proposal.context, proposal.run)
    found = explain(folder, then, proposal.agent, proposal.created_at, recalled(proposal.known))
    same = isinstance(found.result, Requirement) and found.result.policy == proposal.requirement.policy
    return found if same else None
