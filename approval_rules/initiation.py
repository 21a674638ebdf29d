"""Red: a person starts himself what the policy blocks. Never takes an agent's word for who started anything.

Whoever may is judged like a voter: by what the directory says of him now, by the policy of now, and by a second factor.
"""

import re
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal

from approval_rules.commands import Draft, Initiate
from approval_rules.contract import Contract
from approval_rules.events import Refusal, Submitted
from approval_rules.initiation_events import Initiated, InitiationRefused, Initiator
from approval_rules.people import PersonId, RoleName, Standings, human
from approval_rules.requirement import DEFAULT_TTL, Requirement, Tier
from approval_rules.state import Proposal, Status, evolve
from approval_rules.step_up import suffices
from approval_rules.text import AgentJson, AgentText, Json, unwrap_object, unwrap_text

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_AMOUNT = re.compile(r"(?:.*[._-])?amount(?:_[a-z]{3})?|.*Amount", re.ASCII | re.DOTALL)


def consequential(contract: Contract | None, draft: Draft) -> str | None:
    """Name the argument whose value must be typed again: the one that the contract marks, else the amount.

    None where there is none: then it is the tool's name.
    """
    arguments = unwrap_object(draft.arguments)
    if contract is not None and contract.confirmed is not None:
        return contract.confirmed if _typable(arguments.get(contract.confirmed)) else None
    return next((name for name, value in arguments.items() if is_amount(name) and _is_number(value)), None)


def is_amount(name: str) -> bool:
    """Tell whether an argument is an amount by its name."""
    return _AMOUNT.fullmatch(name) is not None


def repeats(typed: AgentText, draft: Draft, field: str | None) -> bool:
    """Tell whether what was typed is the value of this argument, or the tool's name: numbers as such, text exactly."""
    said = unwrap_text(typed)
    value = draft.tool if field is None else unwrap_object(draft.arguments).get(field)
    if _is_number(value):
        return _NUMBER.fullmatch(said) is not None and Decimal(said) == value
    return _typable(value) and said == value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _typable(value: Json) -> bool:
    return _is_number(value) or (isinstance(value, str) and bool(value.strip()))


def judge_initiation(
    taken_up: Proposal | None, command: Initiate, barred: Refusal | None
) -> tuple[Submitted | Initiated | InitiationRefused, ...]:
    """Judge whether this person may start this; `barred` is why the agent could not execute it at all."""
    by, draft, proof = human(command.starter.person), command.draft, command.proof
    of = None if taken_up is None else taken_up.id
    refusal = barred or _why_not_taken_up(taken_up, command) or _why_not(command)
    if refusal is not None or proof is None:
        code = refusal or Refusal.STEP_UP_NEEDED
        return (InitiationRefused(command.at, by, command.proposal, draft.tool, code, of),)
    initiator = Initiator(command.starter.person, _roles(command), proof, of, command.field)
    submitted = _submitted(command, None if taken_up is None else taken_up.started_by, initiator)
    if taken_up is None:
        return (submitted,)
    return submitted, Initiated(command.at, by, taken_up.id, command.proposal)


def foreshown(command: Initiate) -> Proposal:
    """Give the proposal that this would become, to be shown before its proof has come. It is none yet."""
    return evolve(None, _submitted(command, None, None))


def _submitted(command: Initiate, started_by: PersonId | None, initiator: Initiator | None) -> Submitted:
    draft = command.draft
    return Submitted(
        at=command.at,
        by=human(command.starter.person),
        proposal=command.proposal,
        agent=command.agent.named,
        started_by=started_by,
        tool=draft.tool,
        arguments=draft.arguments,
        digest=draft.digest,
        summary=draft.summary,
        context=draft.context,
        run=draft.run,
        callback_url=draft.callback_url,
        requirement=command.requirement,
        expires_at=command.at + (command.requirement.ttl or DEFAULT_TTL),
        known=command.known,
        lookups=draft.lookups,
        looked_up=draft.looked_up,
        initiator=initiator,
        typed=command.typed,
        evidence=command.evidence,
        interested=command.interested or None,
    )


def _why_not_taken_up(taken_up: Proposal | None, command: Initiate) -> Refusal | None:
    if taken_up is None:
        return None
    if taken_up.status is not Status.BLOCKED or taken_up.requirement.shadow is not None:
        return Refusal.NOT_BLOCKED
    if taken_up.started_as is not None:
        return Refusal.STARTED_BEFORE
    same = (taken_up.agent.id, taken_up.tool) == (command.agent.id, command.draft.tool)
    return None if same else Refusal.DIGEST_MISMATCH


def _why_not(command: Initiate) -> Refusal | None:
    asked, starter = command.requirement, command.starter
    if starter.flaw is not None:
        return Refusal(starter.flaw.value)
    if asked.shadow is not None:
        return Refusal.SHADOW
    if asked.tier is not Tier.RED:
        return Refusal.NOT_BLOCKED
    if asked.initiation is None:
        return Refusal.NOBODY_MAY_START
    if asked.initiation.role not in starter.roles:
        return Refusal.NOT_IN_ROLE
    if any(map(starter.is_one_with, command.interested)):
        return Refusal.INTERESTED_PARTY
    if not repeats(command.typed, command.draft, command.field):
        return Refusal.TYPED_WRONG
    return None if suffices(command.proof, asked.initiation.step_up) else Refusal.STEP_UP_NEEDED


def _roles(command: Initiate) -> tuple[RoleName, ...]:
    """Give the role by which the person started it: the one that counts at the claim."""
    asked = command.requirement.initiation
    return () if asked is None else (asked.role,)


def may_still_start(proposal: Proposal, asked: Requirement, standings: Standings) -> bool:
    """Tell whether whoever started it might start it still, under this requirement and as people stand now."""
    initiator = proposal.initiator
    if initiator is None or asked.initiation is None:
        return False
    standing, role = standings.get(initiator.person), asked.initiation.role
    # Whoever had the turn when he started it has not left when the next one takes over.
    known = standing is not None and standing.flaw is None and role in standing.as_voted.roles
    return known and role in initiator.roles and suffices(initiator.proof, asked.initiation.step_up)


def withheld(arguments: AgentJson, hidden: Container[str]) -> frozenset[str]:
    """Name the arguments that people are not shown, because the policy hides them or something inside of them."""
    return frozenset(name for name, value in unwrap_object(arguments).items() if _hides(name, value, hidden))


def _hides(name: str, value: Json, hidden: Container[str]) -> bool:
    if name in hidden or name.rpartition(".")[2] in hidden:
        return True
    if isinstance(value, Mapping):
        return any(_hides(f"{name}.{key}", inner, hidden) for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(_hides(name, inner, hidden) for inner in value)
    return False
