"""Turns what a tool's contract has against a proposal into the answer that its agent gets and the log keeps."""

from collections.abc import Sequence

from approval_rules.commands import Draft
from approval_rules.contract import Breach, breaches
from approval_rules.people import Agent
from approval_rules.policy import PolicyFolder
from handlers.counting import counted
from handlers.desk import Fault, Refused

CODE = "contract-violation"
_TOLD = 3
_MAX_DETAIL = 1_000


def contract_refusal(folder: PolicyFolder, agent: Agent, draft: Draft) -> Refused | None:
    """Refuse arguments that break the contract; None where they are good or there is none.

    An agent that may not use the tool is told that, and nothing about the tool's contract.
    """
    policy = folder.policies.get(draft.tool)
    if policy is None or draft.tool not in agent.tools:
        return None
    found = breaches(policy.contract, draft.arguments)
    if not found:
        return None
    detail = f"the arguments break the contract of {draft.tool}: {_in_short(found)}"
    return Refused(CODE, detail[:_MAX_DETAIL], tuple(Fault(each.pointer, each.detail) for each in found))


def _in_short(found: Sequence[Breach]) -> str:
    told = "; ".join(f"{each.pointer} {each.detail}" for each in found[:_TOLD])
    return told if len(found) <= _TOLD else f"{told}; and {counted(len(found) - _TOLD, 'more fault')}"
