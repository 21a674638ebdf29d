"""The Web API's front door: token, scope, rate, faults, then the method; it never answers with a traceback."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.slack_standin import methods_chat, methods_conversations, methods_files, methods_people, methods_views
from bot.slack_standin.arguments import Asked, bearer, read_raw, typed
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError
from bot.slack_standin.loopback import hang_up
from bot.slack_standin.methods import Method, TooSoon
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.world import Call, World

METHODS: Final[dict[str, Method]] = {
    **methods_chat.METHODS,
    **methods_conversations.METHODS,
    **methods_files.METHODS,
    **methods_people.METHODS,
    **methods_views.METHODS,
}


class WebApi:
    """Answers /api/METHOD."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        call = Call(request.path_params["method"], {}, self._world.clock.now())
        self._world.calls.append(call)
        try:
            raw = await read_raw(request)
        except SlackRefusal as refusal:
            return _refused(call, refusal)
        token = bearer(request, raw)
        call.args = raw
        fault = self._world.faults.take(call.method)
        try:
            return await self._spoiled(request, call, fault) or await self._carried_out(request, call, token, fault)
        finally:
            self._world.feed.wake()

    async def _spoiled(self, request: Request, call: Call, fault: Fault | None) -> Response | None:
        """Return the answer that an ordered fault gives instead of Slack's, None where the call goes through."""
        match fault:
            case RateLimited():
                return _too_soon(call, fault.retry_after_s)
            case ServerError():
                call.outcome = f"HTTP {fault.status}"
                return Response("upstream error", fault.status, media_type="text/plain")
            case Refuse():
                return _refused(call, SlackRefusal(fault.error))
            case ResetBefore():
                call.outcome = "reset before"
                return hang_up(request.scope)
            case Delay():
                await asyncio.sleep(fault.seconds)
        return None

    async def _carried_out(self, request: Request, call: Call, token: str | None, fault: Fault | None) -> Response:
        headers: dict[str, str] = {}
        try:
            answer = self._run(call, token, headers)
        except SlackRefusal as refusal:
            response: Response = _refused(call, refusal)
        except TooSoon as wait:
            response = _too_soon(call, wait.retry_after_s)
        else:
            call.outcome = "ok"
            response = JSONResponse(answer, headers=headers)
        if isinstance(fault, LostAnswer):
            call.outcome += ", answer lost"
            return hang_up(request.scope)
        return response

    def _run(self, call: Call, token: str | None, headers: dict[str, str]) -> Json:
        method = METHODS.get(call.method)
        if method is None:
            raise SlackRefusal("unknown_method", req_method=call.method)
        scopes = self._world.scopes_of(token) if method.needs_token else set()
        headers["x-oauth-scopes"] = ",".join(sorted(scopes))
        if wait := self._world.rates.call(call.method, method.tier):
            raise TooSoon(wait)
        # Bolt puts its workspace's team_id into every call that it makes for a request.
        if call.args.get("team_id", self._world.workspace.id) != self._world.workspace.id:
            raise SlackRefusal("team_not_found")
        given = {name: value for name, value in call.args.items() if name != "team_id"}
        args = typed(given, method.args, method.required, strict=self._world.options.strict)
        asked = Asked(args, scopes)
        asked.need(*method.scopes)
        return method.answer(self._world, asked)


def _refused(call: Call, refusal: SlackRefusal) -> JSONResponse:
    call.outcome = refusal.error
    return JSONResponse(refusal.as_json())


def _too_soon(call: Call, retry_after_s: int) -> JSONResponse:
    call.outcome = "ratelimited"
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(retry_after_s)})
