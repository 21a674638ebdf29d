"""The calls of operators: stop, start again, look, drill. Parse, ask the desk for one thing, render; no decisions."""

from datetime import timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.stop_events import DrillHeld
from approval_rules.switch import Scope
from approval_rules.text import AgentText
from handlers.desk import Fault, Refused
from handlers.http import query, reading, render
from handlers.http.auth import authenticated_operator
from handlers.http.problems import ProblemError, refusal
from handlers.http.schemas import PauseIn, ResumeIn
from handlers.operator_desk import Operator, OperatorDesk


class OperatorCalls:
    """Every call that an operator's key opens."""

    def __init__(self, desk: OperatorDesk) -> None:
        self._desk = desk

    async def pause(self, request: Request) -> Response:
        """POST /v1/operator/pause: stop everything, one agent or one tool."""
        operator = await self._operator(request)
        body, _ = await reading.body_as(PauseIn, request)
        scope = await self._scope(body.agent, body.tool)
        lasts = None if body.for_s is None else timedelta(seconds=body.for_s)
        reason = AgentText(body.reason)
        done = await self._desk.pause(operator, scope, lasts, reason, revoke=body.revoke is True)
        return _json(render.paused_json(done, await self._desk.overview()))

    async def resume(self, request: Request) -> Response:
        """POST /v1/operator/resume: start again; everything needs a second person, which is told by 202."""
        operator = await self._operator(request)
        body, _ = await reading.body_as(ResumeIn, request)
        done = await self._desk.resume(operator, await self._scope(body.agent, body.tool), AgentText(body.reason or ""))
        if isinstance(done, Refused):
            raise refusal(done)
        return _json(render.resumed_json(done, await self._desk.overview()), 202 if done.waiting else 200)

    async def status(self, request: Request) -> Response:
        """GET /v1/operator/status: what is paused, what waits, when the switch was last proved."""
        await self._operator(request)
        return _json(render.status_json(await self._desk.overview()))

    async def drill(self, request: Request) -> Response:
        """POST /v1/operator/drill: prove on this server that a claim is refused in a pause."""
        operator = await self._operator(request)
        await reading.refuse_content(request)
        held = await self._desk.drill(operator)
        if isinstance(held, DrillHeld):
            return _json(render.drill_json(held))
        raise refusal(held)

    async def _operator(self, request: Request) -> Operator:
        operator = await authenticated_operator(request, self._desk)
        query.refuse_query(request)
        return operator

    async def _scope(self, agent: str | None, tool: str | None) -> Scope:
        """Find what the body names. Raises ProblemError for both at once, and for a name that nobody has."""
        if agent is not None and tool is not None:
            fault = Fault("/tool", "must be absent where `agent` is given: pause one, then the other")
            raise ProblemError("invalid-body", "The body names an agent and a tool.", [fault])
        kind: Literal["all", "agent", "tool"] = "agent" if agent is not None else "tool" if tool is not None else "all"
        scope = await self._desk.scope_named(kind, agent or tool or "")
        if scope is None:
            raise ProblemError("unknown-scope", f"There is no {kind} of this name. Nothing was changed.")
        return scope


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")
