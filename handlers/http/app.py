"""Puts the HTTP edge together: paths, skin, documents. Holds no logic."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from handlers.desk import AgentDesk
from handlers.http.answering import AnsweringCalls
from handlers.http.audit_calls import AuditCalls
from handlers.http.calls import AgentCalls
from handlers.http.documents import document_routes
from handlers.http.edge import Edge, Path, PostOnly
from handlers.http.evidence_calls import EvidenceCalls
from handlers.http.operations import OperationCalls
from handlers.http.operator_calls import OperatorCalls
from handlers.http.ports import HttpPorts
from handlers.http.problems import not_found

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Any]]


def http_app(desk: AgentDesk, ports: HttpPorts, lifespan: Lifespan | None = None) -> ASGIApp:
    """Build the web application.

    All paths are plain ASGI routes, and the two that get nearly all requests are found by one look-up: the framework's
    own way to a route costs more than most of what happens there.
    """
    calls, answering = AgentCalls(desk), AnsweringCalls(desk, ports.answering)
    hot: dict[str, ASGIApp] = {"/v1/proposals": Path({"POST": calls.propose, "GET": calls.list_own})}
    if ports.slack is not None:
        hot["/slack/events"] = PostOnly(ports.slack)
    app = Starlette(
        lifespan=lifespan,
        routes=[
            *_agent_routes(calls, answering),
            *_operator_routes(ports),
            *_audit_routes(ports),
            *_evidence_routes(desk, ports),
            *_operation_routes(ports),
            *document_routes(),
            *ports.pages,
        ],
    )
    app.router.redirect_slashes = False
    app.router.default = _nothing_here
    app.add_middleware(Edge, new_request_id=ports.new_request_id)
    return _HotFirst({path: Edge(at, ports.new_request_id) for path, at in hot.items()}, app)


class _HotFirst:
    """Sends a request for a hot path straight there, and everything else to the framework."""

    def __init__(self, hot: Mapping[str, ASGIApp], rest: ASGIApp) -> None:
        self._hot = hot
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        hot = self._hot.get(scope["path"]) if scope["type"] == "http" else None
        await (hot or self._rest)(scope, receive, send)


def _agent_routes(calls: AgentCalls, answering: AnsweringCalls) -> list[BaseRoute]:
    return [
        Route("/v1/proposals/{id}", Path({"GET": calls.read})),
        Route("/v1/proposals/{id}/claim", Path({"POST": calls.claim})),
        Route("/v1/proposals/{id}/outcome", Path({"POST": calls.report})),
        Route("/v1/proposals/{id}/cancel", Path({"POST": calls.cancel})),
        Route("/v1/proposals/{id}/answers", Path({"POST": answering.answer})),
        Route("/v1/evaluate", Path({"POST": calls.evaluate})),
        Route("/v1/agent", Path({"GET": calls.whoami})),
    ]


def _operator_routes(ports: HttpPorts) -> list[BaseRoute]:
    if ports.operators is None:
        return []
    calls = OperatorCalls(ports.operators)
    return [
        Route("/v1/operator/pause", Path({"POST": calls.pause})),
        Route("/v1/operator/resume", Path({"POST": calls.resume})),
        Route("/v1/operator/status", Path({"GET": calls.status})),
        Route("/v1/operator/drill", Path({"POST": calls.drill})),
    ]


def _audit_routes(ports: HttpPorts) -> list[BaseRoute]:
    if ports.audit is None:
        return []
    calls = AuditCalls(ports.audit)
    return [
        Route("/v1/audit/search", Path({"GET": calls.search})),
        Route("/v1/audit/stream", Path({"GET": calls.stream})),
        Route("/v1/audit/reveal", Path({"POST": calls.reveal})),
    ]


def _evidence_routes(desk: AgentDesk, ports: HttpPorts) -> list[BaseRoute]:
    if ports.evidence is None:
        return []
    calls = EvidenceCalls(desk, ports.evidence)
    return [Route("/v1/proposals/{id}/evidence", Path({"GET": calls.read}))]


def _operation_routes(ports: HttpPorts) -> list[BaseRoute]:
    calls = OperationCalls(ports)
    return [
        Route("/healthz", Path({"GET": calls.healthz})),
        Route("/readyz", Path({"GET": calls.readyz})),
        Route("/metrics", Path({"GET": calls.metrics})),
        Route("/.well-known/jwks.json", Path({"GET": calls.jwks})),
    ]


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise not_found()
    await WebSocketClose()(scope, receive, send)
