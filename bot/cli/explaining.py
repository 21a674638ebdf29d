"""What `policy explain` does: reads a body as the API would and asks the policy, storing nothing."""

import json
from pathlib import Path
from typing import Any

import typer

from approval_rules.people import Agent, AgentId, PersonId
from approval_rules.policy import Contradiction, RuleExplanation, explain
from approval_rules.requirement import Tier
from bot.clock import SteadyClock
from bot.policy_files import load
from bot.settings import load as settings
from handlers.http.problems import ProblemError
from handlers.http.reading import draft_of, fields_of, shaped
from handlers.http.schemas import ProposalIn
from handlers.http.strict_json import read_json

_WOULD_BE = {Tier.GREEN: "allowed", Tier.YELLOW: "asked", Tier.RED: "blocked"}
_SOMEONE = Agent(AgentId("agent_example"), "example", PersonId("pers_example"), ())


def explained(text: str, folder: Path | None) -> dict[str, Any]:
    """Say what each rule makes of a proposal's body; a `summary` may be left out here."""
    try:
        exact = fields_of(read_json(text.encode()).value)
        body = shaped(ProposalIn, {"summary": "(none)", **exact})
        draft = draft_of(body, {"summary": "(none)", **exact})
    except (ProblemError, ValueError) as error:
        raise typer.BadParameter(f"this is no proposal: {_why(error)}") from None
    found = explain(load(folder or settings().policy), draft, _SOMEONE, SteadyClock()())
    rules = [_rule(one) for one in found.rules]
    if isinstance(found.result, Contradiction):
        return {"rules": rules, "would_be": "refused", "because": f"{found.result.pointer}: {found.result.detail}"}
    result = found.result
    seats = [{"role": seat.role, "count": seat.count} for seat in result.seats]
    policy = {"version": result.policy.version, "rule": result.policy.rule}
    would_be = _WOULD_BE[result.tier]
    return {"rules": rules, "would_be": would_be, "because": result.policy.because, "seats": seats, "policy": policy}


def _rule(one: RuleExplanation) -> dict[str, str]:
    source = "; ".join(one.rule.source.splitlines())
    return {"rule": source, "outcome": one.outcome, "why": one.why, "says": one.says}


def _why(error: Exception) -> str:
    faults = getattr(error, "faults", ())
    return (
        "; ".join(f"{fault.pointer or '/'} {fault.detail}" for fault in faults)
        or str(error)
        or json.dumps("unreadable")
    )
