"""Asks the candidate version about a proposal that comes in. Whatever happens to it, the decision is never touched."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import structlog

from approval_rules.commands import Draft
from approval_rules.contract import breaches
from approval_rules.opinion import Opinion, agree, opinion_from
from approval_rules.people import Agent
from approval_rules.policy import Contradiction, PolicyFolder, classify
from approval_rules.requirement import Requirement
from approval_rules.text import Json
from bot.desk.surroundings import inside, outside, reads_the_log
from bot.desk.wiring import PolicyInForce
from bot.lookup_stand_ins import stood_in
from bot.store.transaction import Transaction

log = structlog.get_logger()
SecondOpinion: TypeAlias = Callable[[Transaction, Requirement], Opinion | None]


def second_opinion(policy: PolicyInForce, agent: Agent, draft: Draft, at: datetime) -> SecondOpinion:
    """Ask the candidate, at once where its rules do not read the log, else inside the transaction."""
    folder = policy.candidate
    if folder is None:
        return _none
    of_tool = folder.policies.get(draft.tool)
    # Nothing is asked for a candidate: a fact that only it looks up is taken from what the agent says.
    draft = stood_in(of_tool, draft)
    later = of_tool if reads_the_log(of_tool) else None
    early = _asked(policy, folder, agent, draft, at, lambda: outside(policy.environment)) if later is None else None

    def compared(tx: Transaction, decided: Requirement) -> Opinion | None:
        opinion = early
        if later is not None:
            opinion = _asked(
                policy, folder, agent, draft, at, lambda: inside(tx, policy.environment, later, agent, draft)
            )
        if opinion is not None and agree(opinion, opinion_from(decided)):
            return replace(opinion, because=None)
        return opinion

    return compared


def _none(_tx: Transaction, _decided: Requirement) -> None:
    """Say nothing: there is no candidate."""


def _asked(
    policy: PolicyInForce,
    folder: PolicyFolder,
    agent: Agent,
    draft: Draft,
    at: datetime,
    before: Callable[[], Mapping[str, Json]],
) -> Opinion | None:
    try:
        return _opinion(folder, agent, draft, at, before())
    except Exception as error:  # noqa: BLE001 - whatever it is, a candidate must never cost a proposal
        failure = type(error).__name__  # no more of it: the message may hold what an agent sent
    log.error("policy_candidate_failed", version=folder.version, error=failure)
    policy.give_up(folder, f"it failed with {failure}")
    return None


def _opinion(folder: PolicyFolder, agent: Agent, draft: Draft, at: datetime, before: Mapping[str, Json]) -> Opinion:
    """Judge as the desk does: the tool's contract first, then its rules."""
    of_tool = folder.policies.get(draft.tool)
    if of_tool is not None and breaches(of_tool.contract, draft.arguments):
        # Without the places: an unknown field's name is the agent's, and this stays in the log for ever.
        return Opinion(folder.version, "refused", None, because="the arguments break the tool's contract")
    result = classify(folder, draft, agent, at, before)
    if isinstance(result, Contradiction):
        return Opinion(folder.version, "refused", None, because=result.detail)
    return opinion_from(result)
