"""A loopback stand-in for Slack's Web API that only answers, after as long as Slack takes. It checks nothing."""

import argparse
import asyncio
import itertools
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.names import CHANNEL, GROUP, HANDLE, PEOPLE, TEAM

ANSWERS_AFTER = 0.1
"""Seconds until Slack answers a call that writes; what the directory asks for is measured without it."""
UPDATES_PER_MINUTE = 50
"""Slack's tier 3, which chat.update is in; more get 429."""
_numbers = itertools.count(1)
_updates: list[float] = []


async def _call(request: Request) -> Response:
    method = request.path_params["method"]
    match method:
        case "auth.test":
            return _ok(team_id=TEAM, team="Bench", user_id="U0BENCHBOT1", bot_id="B0BENCHBOT1")
        case "bots.info":
            return _ok(bot={"id": "B0BENCHBOT1", "app_id": "A0BENCHAPP1"})
        case "users.info":
            return _ok(user=_user(request.query_params["user"]))
        case "usergroups.list":
            return _ok(usergroups=[{"id": GROUP, "handle": HANDLE}])
        case "usergroups.users.list":
            return _ok(users=list(PEOPLE))
        case "chat.update" if _too_many():
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "10"})
    await asyncio.sleep(ANSWERS_AFTER)
    return _ok(channel=CHANNEL, ts=f"{int(time.time())}.{next(_numbers):06}", message={})


async def _response(_: Request) -> Response:
    await asyncio.sleep(ANSWERS_AFTER)
    return Response("ok")


def _too_many() -> bool:
    now = time.monotonic()
    _updates[:] = [at for at in _updates if at > now - 60]
    if len(_updates) >= UPDATES_PER_MINUTE:
        return True
    _updates.append(now)
    return False


def _user(user_id: str) -> dict[str, object]:
    flags = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
    named = {"id": user_id, "team_id": TEAM, "name": user_id.lower(), "profile": {"display_name": user_id.title()}}
    return {**named, **dict.fromkeys(flags, False)}


def _ok(**fields: object) -> Response:
    return JSONResponse({"ok": True, **fields})


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    routes = [
        Route("/api/{method}", _call, methods=["GET", "POST"]),
        Route("/response", _response, methods=["POST"]),
        Route("/ready", lambda _: Response("ok")),
    ]
    uvicorn.run(Starlette(routes=routes), port=parser.parse_args().port, log_level="warning", access_log=False)


if __name__ == "__main__":
    _main()
