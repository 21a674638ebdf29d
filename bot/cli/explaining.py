"""What `policy explain` does: reads a body as the API would and asks the policy, storing nothing."""

from pathlib import Path
from typing import Any

import typer

from approval_rules.contract import breaches
from approval_rules.people import Agent, AgentId, PersonId
from approval_rules.policy import Contradiction, RuleExplanation, explain
from bot.clock import SteadyClock
from bot.policy_files import load
from bot.replay.judging import WOULD_BE, dialled, draft_from, why_no_proposal
from bot.settings import load as settings
from handlers.http.problems import ProblemError
from handlers.http.reading import fields_of
from handlers.http.strict_json import read_json

_SOMEONE = Agent(AgentId("agent_example"), "example", PersonId("pers_example"), ())


def explained(text: str, folder: Path | None) -> dict[str, Any]:
    """Say what each rule makes of a proposal's body; a `summary` may be left out here."""
    try:
        draft = draft_from(fields_of(read_json(text.encode()).value))
    except (ProblemError, ValueError) as error:
        raise typer.BadParameter(f"this is no proposal: {why_no_proposal(error)}") from None
    policies = dialled(load(folder or settings().policy))
    found = explain(policies, draft, _SOMEONE, SteadyClock()())
    rules = [_rule(one) for one in found.rules]
    of_tool = policies.policies.get(draft.tool)
    broken = breaches(of_tool.contract, draft.arguments) if of_tool else ()
    if broken:
        faults = [{"pointer": one.pointer, "detail": one.detail} for one in broken]
        why = "; ".join(f"{one.pointer} {one.detail}" for one in broken)
        return {"rules": rules, "would_be": "refused", "because": f"contract-violation: {why}", "errors": faults}
    if isinstance(found.result, Contradiction):
        return {"rules": rules, "would_be": "refused", "because": f"{found.result.pointer}: {found.result.detail}"}
    result = found.result.live
    seats = [{"role": seat.role, "count": seat.count} for seat in result.seats]
    policy = {"version": result.policy.version, "rule": result.policy.rule}
    would_be = WOULD_BE[result.tier]
    shadow = found.result.shadow is not None
    because = result.policy.because
    told = {"rules": rules, "would_be": would_be, "because": because, "seats": seats, "policy": policy}
    return {**told, "shadow": True} if shadow else told


def _rule(one: RuleExplanation) -> dict[str, str]:
    source = "; ".join(one.rule.source.splitlines())
    return {"rule": source, "outcome": one.outcome, "why": one.why, "says": one.says}
