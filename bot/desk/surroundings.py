"""What rules read that neither the agent sent nor a clock says: the environment, an incident, what went before.

Recording the environment is here too, so that a replay knows what it was. Decides nothing.
"""

import json
from collections.abc import Mapping

from approval_rules.commands import Draft
from approval_rules.decide import POLICY
from approval_rules.names import around, noted
from approval_rules.people import Agent, ProposalId
from approval_rules.policy import Policy
from approval_rules.policy_events import EnvironmentNamed
from approval_rules.text import AgentJson, Json
from bot.store.codec import ENVIRONMENT
from bot.store.tally import tallies
from bot.store.transaction import Transaction

_NEWEST = "SELECT body FROM entries WHERE subject = :subject ORDER BY seq DESC LIMIT 1"


def reads_the_log(policy: Policy | None) -> bool:
    """Whether a tool's rules can only be asked inside the transaction: they read what went before, or an incident."""
    return policy is not None and (bool(policy.counters) or "incident" in policy.reserved)


def outside(environment: str) -> Mapping[str, Json]:
    """Give what rules read that do not read the log."""
    return around(environment, incident=False)


def inside(
    tx: Transaction,
    environment: str,
    policy: Policy,
    agent: Agent,
    draft: Draft,
    without: ProposalId | None = None,
) -> Mapping[str, Json]:
    """Give what rules read, as of this transaction: an incident declared before it counts.

    Counters leave out the proposal `without`.
    """
    known = around(environment, incident=tx.switch.incident is not None)
    return {**known, **tallies(tx, policy, agent, draft, without)}


def worth_noting(policy: Policy | None, known: Mapping[str, Json]) -> AgentJson | None:
    """Give what is recorded with a decision, so that it can be worked out again: what its rules read of all this."""
    read = {} if policy is None else {name: value for name, value in known.items() if name in policy.told}
    return noted(read) if read else None


def name_environment(tx: Transaction, environment: str) -> None:
    """Record the environment that this server decides for, unless the log says the same already."""
    newest = tx.rows(_NEWEST, {"subject": ENVIRONMENT})
    if not newest or json.loads(newest[0][0])["data"]["environment"] != environment:
        tx.record(EnvironmentNamed(tx.at, POLICY, environment))
