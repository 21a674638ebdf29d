"""The calls of auditors: search the log, follow it, look at an original. They parse, ask the desk, and render."""

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.audit_desk import AuditDesk, Auditor, Sought, SoughtError
from handlers.desk import Fault
from handlers.http import audit_query, audit_render, query, reading
from handlers.http.auth import authenticated_auditor
from handlers.http.problems import ProblemError
from handlers.http.schemas import RevealIn
from handlers.reveal_desk import Choice, Uncovered

_SHOWS_NONE = "This key shows no values. Ask for one that does, or search by other things."
_NDJSON = "application/x-ndjson"
_WAIT = {"Retry-After": "10"}


class AuditCalls:
    """Every call that an auditor's key opens."""

    def __init__(self, desk: AuditDesk) -> None:
        self._desk = desk

    async def search(self, request: Request) -> Response:
        """GET /v1/audit/search: proposals, newest first."""
        auditor = await self._auditor(request)
        try:
            sought, limit, after = audit_query.search_of(request)
            _refuse_hidden(auditor, sought)
            page = await self._desk.search(auditor, sought, limit, after)
        except SoughtError as error:
            fault = Fault(f"?{error.name}", str(error))
            raise ProblemError("invalid-query", "A query parameter is not valid.", [fault]) from None
        return Response(audit_render.page_json(page), media_type="application/json")

    async def stream(self, request: Request) -> Response:
        """GET /v1/audit/stream: entries behind a place, oldest first, each on a line."""
        auditor = await self._auditor(request)
        asked = audit_query.stream_of(request)
        if asked.values and not auditor.values:
            raise ProblemError("values-not-shown", _SHOWS_NONE)
        followed = await self._desk.entries(auditor, asked.after, asked.limit, asked.wait_s, values=asked.values)
        last = followed.entries[-1].seq if followed.entries else asked.after
        lines = audit_render.lines(followed, asked.form)
        return Response(lines, media_type=_NDJSON, headers={"Next-After": str(last)})

    async def reveal(self, request: Request) -> Response:
        """POST /v1/audit/reveal: the original of what people are not shown; the look is recorded before."""
        auditor = await self._auditor(request)
        query.refuse_query(request)
        body, _ = await reading.body_as(RevealIn, request)
        look = await self._desk.originals.over_http(auditor, body.proposal, body.field, AgentText(body.reason))
        match look:
            case Refusal():
                raise ProblemError("values-not-shown", _SHOWS_NONE)
            case None:
                raise ProblemError("not-found", "There is no such proposal.")
            case Choice():
                there = ", ".join(look.fields) or "nothing"
                fault = Fault("/field", f"must name what is hidden in this proposal: {there}")
                raise ProblemError("invalid-body", "Nothing is hidden under this name.", [fault])
            case Uncovered():
                return Response(audit_render.uncovered_json(look), media_type="application/json")

    async def _auditor(self, request: Request) -> Auditor:
        auditor = await authenticated_auditor(request, self._desk)
        if not self._desk.may_ask_now(auditor):
            raise ProblemError("too-many-requests", "An auditor's key may ask 120 times a minute.", headers=_WAIT)
        return auditor


def _refuse_hidden(auditor: Auditor, sought: Sought) -> None:
    """Refuse to be asked about what the key does not show: a yes or no would show it too."""
    if not auditor.values and sought.reads_values:
        raise ProblemError("values-not-shown", _SHOWS_NONE)
