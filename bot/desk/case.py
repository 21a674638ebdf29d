"""A draft at the door, and the one version of the policy that judges it, whatever comes into force meanwhile.

It asks the contract and the rules; it records nothing, and knows no budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from approval_rules.commands import Draft
from approval_rules.people import Agent
from approval_rules.policy import Contradiction, Policy, PolicyFolder, classify
from approval_rules.requirement import Requirement
from approval_rules.text import AgentJson, Json
from bot.callback_target import ForbiddenTargetError, parse_target
from bot.desk.contracted import contract_refusal
from bot.desk.surroundings import inside, outside, reads_the_log, worth_noting
from bot.store.transaction import Transaction
from handlers.desk import Fault, Refused


@dataclass(frozen=True, slots=True)
class Case:
    """What one agent proposed at one moment. `environment` is what rules read of that name."""

    folder: PolicyFolder
    environment: str
    agent: Agent
    draft: Draft
    at: datetime

    @property
    def policy(self) -> Policy | None:
        """The tool's policy."""
        return self.folder.policies.get(self.draft.tool)

    def breach(self) -> Refused | None:
        """Refuse arguments that break their contract."""
        return contract_refusal(self.folder, self.agent, self.draft)

    @property
    def reads_the_log(self) -> bool:
        """Whether it can only be judged inside the transaction that takes it in."""
        return reads_the_log(self.policy)

    def outside(self) -> Mapping[str, Json]:
        """Give what the server tells the rules where they do not read the log."""
        return outside(self.environment)

    def inside(self, tx: Transaction) -> Mapping[str, Json]:
        """Give what the server tells the rules, as of this transaction."""
        policy = self.policy
        if policy is None or not self.reads_the_log:
            return self.outside()
        return inside(tx, self.environment, policy, self.agent, self.draft)

    def ruling(self, known: Mapping[str, Json], *, drawn: bool = True) -> Requirement | Refused:
        """Ask the rules; where nothing is `drawn`, dials let nothing through."""
        url = self.draft.callback_url
        if url is not None and not _host_allowed(url, self.agent):
            detail = "the callback's host is not registered for this agent; see `foureyes agent add --callback-host`"
            return Refused("callback-host-not-allowed", detail, (Fault("/callback_url", detail),))
        ruling = classify(self.folder, self.draft, self.agent, self.at, known, drawn=drawn)
        if isinstance(ruling, Contradiction):
            return Refused("contradictory-fact", ruling.detail, (Fault(ruling.pointer, ruling.detail),))
        return ruling

    def noting(self, known: Mapping[str, Json]) -> AgentJson | None:
        """Give what is recorded of what the server told the rules; None where they read nothing of it."""
        return worth_noting(self.policy, known)


def _host_allowed(url: str, agent: Agent) -> bool:
    """Read the address as delivery will read it: one reading, so that nothing slips between two."""
    try:
        return parse_target(url).host in agent.callback_hosts
    except ForbiddenTargetError:
        return False
