"""Puts the HTTP edge together: paths, skin, documents. Holds no logic."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from handlers.desk import AgentDesk
from handlers.http.calls import AgentCalls
from handlers.http.documents import document_routes
from handlers.http.edge import Edge, Path, PostOnly
from handlers.http.operations import OperationCalls
from handlers.http.ports import HttpPorts
from handlers.http.problems import not_found

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def http_app(desk: AgentDesk, ports: HttpPorts, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the web application.

    The hot paths are plain ASGI routes: FastAPI's own routing would cost more than everything that they do.
    """
    app = FastAPI(
        title="Foureyes",
        openapi_url=None,  # served by document_routes, with an example of every answer
        docs_url=None,  # FastAPI's page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        routes=[*_agent_routes(AgentCalls(desk)), *_operation_routes(ports), *document_routes()],
    )
    app.router.default = _nothing_here
    app.add_middleware(Edge, new_request_id=ports.new_request_id)
    return app


def _agent_routes(calls: AgentCalls) -> list[BaseRoute]:
    return [
        Route("/v1/proposals", Path({"POST": calls.propose, "GET": calls.list_own})),
        Route("/v1/proposals/{id}", Path({"GET": calls.read})),
        Route("/v1/proposals/{id}/claim", Path({"POST": calls.claim})),
        Route("/v1/proposals/{id}/outcome", Path({"POST": calls.report})),
        Route("/v1/proposals/{id}/cancel", Path({"POST": calls.cancel})),
        Route("/v1/evaluate", Path({"POST": calls.evaluate})),
        Route("/v1/agent", Path({"GET": calls.whoami})),
    ]


def _operation_routes(ports: HttpPorts) -> list[BaseRoute]:
    calls = OperationCalls(ports)
    routes: list[BaseRoute] = [
        Route("/healthz", Path({"GET": calls.healthz})),
        Route("/readyz", Path({"GET": calls.readyz})),
        Route("/metrics", Path({"GET": calls.metrics})),
        Route("/.well-known/jwks.json", Path({"GET": calls.jwks})),
    ]
    if ports.slack is not None:
        routes.append(Route("/slack/events", PostOnly(ports.slack)))
    return routes


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise not_found()
    await WebSocketClose()(scope, receive, send)
