"""The page's view behind the scenes: `/demo/state`, `/demo/events`, `/demo/act/NAME`; for the page itself only."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from approval_rules.people import AgentId, PersonId
from approval_rules.switch import Pause, ScopeKind
from approval_rules.times import format_time
from bot.demo.agent import Answer
from bot.demo.guide import Known, steps
from bot.demo.ledger import SHOWN
from bot.demo.stage import Stage
from bot.slack_standin.page_api import foreign
from bot.store.engine import StoreUnavailableError
from handlers.desk import Overview

LOOK_S: Final = 0.25
START_OVER: Final = "start-over"
_STILL_HERE: Final = 60
_NOT_YET: Final = {"ok": False, "text": "The demo is still starting. Try again in a second."}
_PAUSED: Final = "The agent was refused: 423, paused. It stops, and proposes the same again after you resume."

_Told: TypeAlias = dict[str, Any]
"""What an act answers: `ok`; `text` where it went wrong; `show`, the view where its result is, if it has one."""
_Act: TypeAlias = Callable[[Stage], Awaitable[_Told]]


class DemoRoutes:
    """Made before the stage, because the stage's server carries it; `stage` is set when everything runs."""

    def __init__(self, run: int = 0) -> None:
        self.stage: Stage | None = None
        self.start_over = asyncio.Event()
        self._run = run

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route("/demo/state", self._state),
            Route("/demo/events", self._events),
            Route("/demo/act/{name}", self._act, methods=["POST"]),
        )

    async def _state(self, _request: Request) -> Response:
        if self.stage is None:
            return JSONResponse(_NOT_YET, 503)
        try:
            return JSONResponse({**await state_of(self.stage), "run": self._run})
        except StoreUnavailableError:  # just while everything is put away to start over
            return JSONResponse(_NOT_YET, 503)

    async def _events(self, _request: Request) -> Response:
        if self.stage is None:
            return JSONResponse(_NOT_YET, 503)
        return StreamingResponse(_changes(self.stage), media_type="text/event-stream")

    async def _act(self, request: Request) -> Response:
        if refusal := foreign(request):
            return refusal
        if self.stage is None:
            return JSONResponse(_NOT_YET, 503)
        if request.path_params["name"] == START_OVER:
            self.start_over.set()
            return JSONResponse({"ok": True})
        act = _ACTS.get(request.path_params["name"])
        if act is None:
            return JSONResponse({"ok": False, "text": f"The demo knows {', '.join([*_ACTS, START_OVER])}."}, 404)
        return JSONResponse(await act(self.stage))


async def state_of(stage: Stage) -> dict[str, Any]:
    """Give everything that the page draws beside the channel."""
    inspection = stage.inspection
    entries = await asyncio.to_thread(inspection.ledger.entries)
    overview = await stage.people.overview()
    known = Known(
        was_whole=inspection.was_whole,
        forged=inspection.forged,
        found_forgery=inspection.found_forgery,
        paused=bool(overview.pauses),
    )
    return {
        "steps": steps(entries, known),
        "agent": stage.agent.lines_for_page(),
        "log": [entry.for_page() for entry in entries[-SHOWN:]],
        "verify": inspection.verdict.for_page(),
        "paused": [_pause(pause, overview) for pause in overview.pauses],
        "phones": stage.phones.for_page(),
    }


def _pause(pause: Pause, overview: Overview) -> dict[str, str]:
    scope = pause.scope
    name = overview.agents.get(AgentId(scope.name), scope.name) if scope.kind is ScopeKind.AGENT else scope.name
    face = overview.faces.get(PersonId(pause.by.ref))
    return {
        "scope": f"{scope.kind.value} {name}".strip(),
        "since": format_time(pause.since),
        "by": face.user_id if face else "the command line",
    }


async def _changes(stage: Stage) -> AsyncIterator[str]:
    """Say that something changed: in Slack, in the log (whoever wrote it), at the agent, or in the verdict."""
    feed = stage.slack.world.feed
    known = None
    quiet = 0
    yield ": connected\n\n"
    while not feed.closed:
        now = (
            await asyncio.to_thread(stage.inspection.ledger.size),
            *(stage.agent.seen, stage.inspection.changes, stage.phones.step()),
        )
        if now != known:
            known, quiet = now, 0
            yield f"data: {json.dumps(now)}\n\n"
        elif (quiet := quiet + 1) % _STILL_HERE == 0:
            yield ": still here\n\n"
        try:
            async with asyncio.timeout(LOOK_S):
                await feed.changed()
        except TimeoutError:
            continue


def _propose(name: str | None = None) -> _Act:
    async def act(stage: Stage) -> _Told:
        return _proposed(await stage.agent.propose_next(name))

    return act


async def _payout(stage: Stage) -> _Told:
    answer = await stage.agent.propose_payout()
    return _proposed(answer) | ({"show": "channel"} if answer.ok else {})


async def _burst(stage: Stage) -> _Told:
    return _proposed(await stage.agent.propose_burst())


async def _verify(stage: Stage) -> _Told:
    await stage.inspection.verify()
    return _in_the_log(None)


async def _tamper(stage: Stage) -> _Told:
    return _in_the_log(await stage.inspection.tamper())


async def _restore(stage: Stage) -> _Told:
    return _in_the_log(await stage.inspection.restore())


def _proposed(answer: Answer) -> _Told:
    """Say where the result is: in the channel only if people are asked. A case that was to be refused is no trouble."""
    if answer.body.get("code") == "paused":
        return {"ok": False, "text": _PAUSED}
    return {"ok": True, "show": "channel"} if answer.body.get("state") == "pending" else {"ok": True}


def _in_the_log(trouble: str | None) -> _Told:
    return {"ok": True, "show": "log"} if trouble is None else {"ok": False, "text": trouble}


_ACTS: Final[dict[str, _Act]] = {
    "propose": _propose(),
    "propose-small": _propose("small-standard"),
    "propose-large": _propose("rich-pro"),
    "propose-hostile": _propose("hostile-ticket"),
    "propose-payout": _payout,
    "burst": _burst,
    "verify": _verify,
    "tamper": _tamper,
    "restore": _restore,
}
