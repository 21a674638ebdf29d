"""What the policy that decides now says of a proposal that was judged before. Reads; never decides.

It asks the database which version decides, inside the transaction that a claim needs too: what was activated or rolled
back a moment ago counts, whatever this server still has in memory.
"""

from dataclasses import replace

from approval_rules.contract import breaches
from approval_rules.people import Agent
from approval_rules.policy import NOTHING_BEFORE, Contradiction, PolicyFolder, classify
from approval_rules.requirement import PolicyRef, Requirement, Tier
from approval_rules.state import Proposal, draft_again
from bot.desk.surroundings import inside
from bot.desk.wiring import PolicyInForce
from bot.policy_files import PolicyFolderError, load_content
from bot.store.policies import Look, PolicyStoreError, content_of, within
from bot.store.transaction import Transaction


def folder_of(look: Look, version: str) -> PolicyFolder:
    """Read a version that the database keeps.

    Raises PolicyStoreError where it was tampered with, or this program finds faults in it.
    """
    try:
        return load_content(content_of(look, version))
    except PolicyFolderError as error:
        raise PolicyStoreError(
            f"this version of Foureyes cannot read the policy version {version} in the database:\n{error}\n"
            "Go back to another one with `foureyes policy rollback VERSION`, or start the program that could read it"
        ) from error


class CurrentPolicy:
    """The version that decides now: the one in force, else read from the database once. Lives on the writer's side."""

    def __init__(self, in_force: PolicyInForce) -> None:
        self._in_force = in_force
        self._newest: PolicyFolder | None = None

    def requirement(self, tx: Transaction, proposal: Proposal, agent: Agent) -> Requirement | None:
        """Judge a proposal again, as of now; None where the version that judged it decides still.

        Raises PolicyStoreError.
        """
        version = tx.versions.active
        if version is None or version == proposal.requirement.policy.version:
            return None
        return judged_again(tx, self._in_force.environment, self._folder(tx, version), proposal, agent)

    def folder(self, tx: Transaction) -> PolicyFolder:
        """Give the version that decides now. Raises PolicyStoreError."""
        version = tx.versions.active
        return self._in_force.folder if version is None else self._folder(tx, version)

    def _folder(self, tx: Transaction, version: str) -> PolicyFolder:
        in_force = self._in_force.folder
        if in_force.version == version:
            return in_force
        if self._newest is None or self._newest.version != version:
            self._newest = replace(folder_of(within(tx), version), dial_key=in_force.dial_key)
        return self._newest


def judged_again(
    tx: Transaction, environment: str, folder: PolicyFolder, proposal: Proposal, agent: Agent
) -> Requirement:
    """Say what a policy asks for this action now: with what was recorded, and with counters that leave it out itself.

    What the intake would turn away (a broken contract, two values of one name) is blocked.
    """
    draft = draft_again(proposal)  # nothing is looked up now: what was not recorded is unknown, and never allows
    policy = folder.policies.get(draft.tool)
    if policy is not None and breaches(policy.contract, draft.arguments):
        return _blocked(folder, f"the arguments break the contract of {draft.tool}")
    known = NOTHING_BEFORE if policy is None else inside(tx, environment, policy, agent, draft, proposal.id)
    ruling = classify(folder, draft, agent, tx.at, known)
    return _blocked(folder, ruling.detail) if isinstance(ruling, Contradiction) else ruling


def _blocked(folder: PolicyFolder, because: str) -> Requirement:
    return Requirement(Tier.RED, (), PolicyRef(folder.version, None, because))
