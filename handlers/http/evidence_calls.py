"""The call for the evidence of one decision: who asks, in which form, and the answer. It makes nothing itself."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from approval_rules.people import Agent
from handlers.desk import AgentDesk, Refused
from handlers.evidence_desk import Evidence, EvidenceDesk
from handlers.http import query, reading
from handlers.http.auth import authenticated_agent_or_auditor
from handlers.http.problems import not_found, refusal

FORMATS: Final = ("html", "zip")
_HTML: Final = "text/html"


class EvidenceCalls:
    """The call that an agent's key opens for its own proposal, and an auditor's for every one."""

    def __init__(self, agents: AgentDesk, desk: EvidenceDesk) -> None:
        self._agents = agents
        self._desk = desk

    async def read(self, request: Request) -> Response:
        """GET /v1/proposals/{id}/evidence: the pack as a ZIP, or its page."""
        who = await authenticated_agent_or_auditor(request, self._agents, self._desk)
        wanted = query.choice(request, "format", FORMATS)
        as_page = wanted == "html" or (wanted is None and _HTML in request.headers.get("accept", ""))
        ident, known = reading.unverified_id(request), request.headers.get("if-none-match", "").strip('"')
        if isinstance(who, Agent):
            found = await self._desk.of_own(who, ident)
        else:
            found = await self._desk.of_any(who, ident, known)
        if isinstance(found, Refused):
            raise refusal(found)
        if found is None:
            raise not_found()
        headers = {"ETag": f'"{found.digest}"', "Vary": "Accept, Authorization"}
        if known == found.digest:
            return Response(status_code=304, headers=headers)
        return _page(found, headers) if as_page else _zip(found, headers)


def _page(found: Evidence, headers: dict[str, str]) -> Response:
    return Response(found.page, headers={**headers, "Content-Security-Policy": found.page_policy}, media_type=_HTML)


def _zip(found: Evidence, headers: dict[str, str]) -> Response:
    named = f'attachment; filename="evidence-{found.proposal}.zip"'
    return Response(found.zipped, headers={**headers, "Content-Disposition": named}, media_type="application/zip")
