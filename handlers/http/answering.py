"""The one call by which an agent answers what people ask: parse, ask the desk, render. Decides and catches nothing."""

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.text import AgentText
from handlers.amending_desk import AnsweringDesk
from handlers.desk import AgentDesk, Refused
from handlers.http import query, reading, render
from handlers.http.auth import authenticated
from handlers.http.problems import not_found, refusal
from handlers.http.schemas import AnswerIn


class AnsweringCalls:
    """What an agent may do with the questions that it was asked; `desk` only says who it is."""

    def __init__(self, desk: AgentDesk, answering: AnsweringDesk) -> None:
        self._desk = desk
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        """POST /v1/proposals/{id}/answers: answer a question; the same answer again is the same."""
        agent = await authenticated(request, self._desk)
        query.refuse_query(request)
        body, _ = await reading.body_as(AnswerIn, request)
        ident = reading.unverified_id(request)
        seen = await self._answering.answer(agent, ident, body.question, AgentText(body.text))
        if isinstance(seen, Refused):
            raise refusal(seen)
        if seen is None:
            raise not_found()
        return Response(render.proposal_json(seen), 200, None, "application/json")
