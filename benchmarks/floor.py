"""The floor: the least that a POST with a checked body costs here, with no store and nobody to ask."""

import argparse
import itertools

import uvicorn
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_numbers = itertools.count(1)


class _Run(BaseModel):
    id: str | None = None
    model: str | None = None
    tokens: int | None = None


class _Context(BaseModel):
    facts: dict[str, object] | None = None
    history: list[object] | None = None
    steps_attempted: list[object] | None = None
    evidence: list[dict[str, str]] | None = None
    if_declined: str | None = None


class _Proposal(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tool: str
    arguments: dict[str, object]
    summary: str
    context: _Context | None = None
    run: _Run | None = None


async def _propose(request: Request) -> Response:
    body = _Proposal.model_validate_json(await request.body())
    return Response(
        f'{{"id":"prop_{next(_numbers)}","tool":"{body.tool}","state":"pending"}}', 201, None, "application/json"
    )


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    routes = [
        Route("/v1/proposals", _propose, methods=["POST"]),
        Route("/healthz", lambda _: Response("ok")),
    ]
    uvicorn.run(
        Starlette(routes=routes),
        port=parser.parse_args().port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    _main()
