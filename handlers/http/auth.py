"""Who calls: a bearer key, looked up before a byte of the body is read. Never echoes or logs the key."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from approval_rules.people import Agent
from handlers.audit_desk import AuditDesk, Auditor
from handlers.desk import AgentDesk
from handlers.evidence_desk import EvidenceDesk
from handlers.http.problems import ProblemError
from handlers.operator_desk import Operator, OperatorDesk

K = TypeVar("K")

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]{1,512})")


async def authenticated(request: Request, desk: AgentDesk) -> Agent:
    """Give the agent whose key the request carries.

    Raises ProblemError `unauthorized` for a missing, doubled, malformed or unknown key, in the same words for all.
    """
    return await _known(request, desk.agent_of, "the agent's key")


async def authenticated_operator(request: Request, desk: OperatorDesk) -> Operator:
    """Give the operator whose key the request carries; raises ProblemError `unauthorized` as above."""
    return await _known(request, desk.operator_of, "an operator's key")


async def authenticated_auditor(request: Request, desk: AuditDesk) -> Auditor:
    """Give the auditor whose key the request carries; raises ProblemError `unauthorized` as above."""
    return await _known(request, desk.auditor_of, "an auditor's key")


async def authenticated_agent_or_auditor(
    request: Request, agents: AgentDesk, auditors: EvidenceDesk
) -> Agent | Auditor:
    """Give the agent or the auditor whose key the request carries; raises ProblemError `unauthorized` as above."""

    async def who(unverified_key: str) -> Agent | Auditor | None:
        return await agents.agent_of(unverified_key) or await auditors.auditor_of(unverified_key)

    return await _known(request, who, "the agent's key or an auditor's key")


async def _known(request: Request, who: Callable[[str], Awaitable[K | None]], key: str) -> K:
    headers = request.headers.getlist("authorization")
    match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    found = None if match is None else await who(match[1])
    if found is None:
        detail = f"Send {key} as `Authorization: Bearer KEY`; this request has none that is valid."
        raise ProblemError("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    return found
