"""Who calls: a bearer key, looked up before a byte of the body is read. Never echoes or logs the key."""

import re

from starlette.requests import Request

from approval_rules.people import Agent
from handlers.desk import AgentDesk
from handlers.http.problems import ProblemError

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]{1,512})")


async def authenticated(request: Request, desk: AgentDesk) -> Agent:
    """Give the agent whose key the request carries.

    Raises ProblemError `unauthorized` for a missing, doubled, malformed or unknown key, in the same words for all.
    """
    headers = request.headers.getlist("authorization")
    match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    agent = None if match is None else await desk.agent_of(match[1])
    if agent is None:
        detail = "Send the agent's key as `Authorization: Bearer KEY`; this request has none that is valid."
        raise ProblemError("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    return agent
