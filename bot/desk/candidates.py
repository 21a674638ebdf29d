"""Naming a candidate version, which is asked beside the active one and decides nothing; recorded in the log."""

from typing import Literal, TypeAlias

from approval_rules.people import Actor
from approval_rules.policy_events import PolicyShadowed
from bot.policy_content import PolicyContent
from bot.store import policies
from bot.store.transaction import Transaction

Named: TypeAlias = Literal["named", "already", "active"]


def name_candidate(tx: Transaction, content: PolicyContent, by: Actor) -> Named:
    """Let a version be asked from now on; one that decides already is none to compare with."""
    if content.version == tx.versions.active:
        return "active"
    if content.version == tx.versions.candidate:
        return "already"
    policies.keep(tx, content)
    tx.record(PolicyShadowed(tx.at, by, content.version))
    return "named"


def end_candidate(tx: Transaction, by: Actor) -> str | None:
    """Ask the candidate no more; gives the version that it was, None where there is none."""
    version = tx.versions.candidate
    if version is not None:
        tx.record(PolicyShadowed(tx.at, by, None))
    return version
