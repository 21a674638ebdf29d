"""The calls of the API: parse, ask the desk for one thing, render. Decides nothing and catches nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.people import Agent
from approval_rules.text import Json
from handlers.desk import Accepted, AgentDesk, Intake, Refused, Seen
from handlers.http import query, reading, render
from handlers.http.auth import authenticated
from handlers.http.problems import ProblemError, attempt, not_found, refusal
from handlers.http.schemas import ClaimIn, OutcomeIn, ProposalIn
from handlers.http.strict_json import ReadJson


class AgentCalls:
    """Every call that an agent may make."""

    def __init__(self, desk: AgentDesk) -> None:
        self._desk = desk

    async def propose(self, request: Request) -> Response:
        """POST /v1/proposals: take a proposal in. A request of a known agent that is turned away is recorded."""
        agent = await authenticated(request, self._desk)
        read = await attempt(_opened(request))
        if isinstance(read, ProblemError):
            raise await self._recorded(agent, read, None)
        asked = await attempt(_checked(request, read))
        if isinstance(asked, ProblemError):
            raise asked if _is_dry(read.value) else await self._recorded(agent, asked, reading.tool_in(read.value))
        if asked.body.dry_run:
            return await self._evaluate(agent, asked.body, asked.exact)
        started_by = asked.body.run.started_by if asked.body.run else None
        intake = Intake(asked.key, read.digest, started_by, asked.body.claim_if_allowed is True)
        answer = await self._desk.submit(agent, reading.draft_of(asked.body, asked.exact, read.texts), intake)
        if isinstance(answer, Refused):
            raise refusal(answer)
        return _accepted(answer)

    async def evaluate(self, request: Request) -> Response:
        """POST /v1/evaluate: tell what would happen; store nothing."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        body, exact = await reading.body_as(ProposalIn, request)
        return await self._evaluate(agent, body, exact)

    async def read(self, request: Request) -> Response:
        """GET /v1/proposals/{id}: show the agent's own proposal, or wait for it to be decided."""
        agent = await authenticated(request, self._desk)
        wait = query.wait_of(request)
        return _shown(await self._desk.read(agent, reading.unverified_id(request), wait))

    async def list_own(self, request: Request) -> Response:
        """GET /v1/proposals: list the agent's own proposals."""
        agent = await authenticated(request, self._desk)
        page = await self._desk.list_own(agent, *query.page_of(request))
        return _json(render.page_json(page))

    async def cancel(self, request: Request) -> Response:
        """POST /v1/proposals/{id}/cancel: take a pending proposal back."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        await reading.refuse_content(request)
        return _shown(await self._desk.cancel(agent, reading.unverified_id(request)))

    async def claim(self, request: Request) -> Response:
        """POST /v1/proposals/{id}/claim: give the one permission; the same key again gives the same one."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        key = reading.idempotency_key(request)
        body, _ = await reading.body_as(ClaimIn, request)
        grant = await self._desk.claim(agent, reading.unverified_id(request), body.digest, key)
        if isinstance(grant, Refused):
            raise refusal(grant)
        if grant is None:
            raise not_found()
        return _json(render.grant_json(grant))

    async def report(self, request: Request) -> Response:
        """POST /v1/proposals/{id}/outcome: record how the execution went."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        body, exact = await reading.body_as(OutcomeIn, request)
        report = {name: value for name, value in exact.items() if name != "status" and value is not None}
        return _shown(await self._desk.report(agent, reading.unverified_id(request), body.status, report))

    async def whoami(self, request: Request) -> Response:
        """GET /v1/agent: tell the agent what it is and may."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        pauses, budgets = await self._desk.pause_on(agent), await self._desk.budgets_of(agent)
        return _json(render.agent_json(agent, pauses, budgets))

    async def _evaluate(self, agent: Agent, body: ProposalIn, exact: Mapping[str, Json]) -> Response:
        answer = await self._desk.evaluate(agent, reading.draft_of(body, exact))
        if isinstance(answer, Refused):
            raise refusal(answer)
        return _json(render.evaluation_json(body.tool, answer))

    async def _recorded(self, agent: Agent, problem: ProblemError, tool: str | None) -> ProblemError:
        """Record that a proposal was turned away at the door; a failure of ours is not the agent's, and is not."""
        if problem.status < 500:  # noqa: PLR2004 - a status class
            await self._desk.refuse_intake(agent, problem.code, problem.detail, tool)
        return problem


@dataclass(frozen=True, slots=True)
class _Asked:
    """A proposal of the right shape; `key` is empty for a dry run, which needs none."""

    body: ProposalIn
    exact: Mapping[str, Json]
    key: str


async def _opened(request: Request) -> ReadJson:
    query.refuse_query(request)
    return await reading.json_of(request)


async def _checked(request: Request, read: ReadJson) -> _Asked:
    key = reading.idempotency_key(request)
    if key is None and not _is_dry(read.value):
        raise ProblemError("idempotency-key-missing", "Send an Idempotency-Key of 1 to 255 visible ASCII characters.")
    body = reading.shaped(ProposalIn, read.value)
    return _Asked(body, reading.fields_of(read.value), key or "")


def _is_dry(value: Json) -> bool:
    return reading.fields_of(value).get("dry_run") is True


def _accepted(answer: Accepted) -> Response:
    headers = {"Location": f"/v1/proposals/{answer.seen.proposal.id}"}
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return _json(render.proposal_json(answer.seen, answer.grant), 200 if answer.replayed else 201, headers)


def _shown(seen: Seen | Refused | None) -> Response:
    if isinstance(seen, Refused):
        raise refusal(seen)
    if seen is None:
        raise not_found()
    return _json(render.proposal_json(seen))


def _json(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, headers, "application/json")
