"""The outer skin of the HTTP edge: a Request-Id and security headers on every answer, a problem for every failure.

Pure ASGI, one wrapped `send`. Never reads the body.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.http.problems import ProblemError, attempt, ignoring_hang_up, log_failure

Call = Callable[[Request], Awaitable[Response]]

_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Edge:
    """Middleware: gives every answer its Request-Id and turns every exception into a problem document."""

    def __init__(self, app: ASGIApp, new_request_id: Callable[[], str]) -> None:
        self._app = app
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; raises ProblemError only where an answer had begun already."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_request_id()
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = _completed(message.get("headers", ()), request_id)
            await send(message)

        problem = await attempt(ignoring_hang_up(self._app(scope, receive, send_with_headers)))
        if problem is None:
            return
        log_failure(scope, request_id, problem)
        if started:
            raise problem
        await problem.response()(scope, receive, send_with_headers)


class Path:
    """All calls of one path: answers OPTIONS and HEAD, and refuses other methods with the right `Allow`."""

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self._calls = dict(calls)
        if "GET" in calls:
            self._calls["HEAD"] = calls["GET"]
        self._allow = ", ".join(sorted({*self._calls, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the call of this method; raises ProblemError."""
        method = scope["method"]
        call = self._calls.get(method)
        if call is None:
            response = refuse_method(method, self._allow)
        else:
            response = await call(Request(scope, receive))
        if method == "HEAD":
            response.body = b""  # Content-Length stays what GET would say
        await response(scope, receive, send)


class PostOnly:
    """Another ASGI app behind one path that only takes POST."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a POST on; raises ProblemError for anything else."""
        if scope["method"] == "POST":
            await self._app(scope, receive, send)
        else:
            await refuse_method(scope["method"], "OPTIONS, POST")(scope, receive, send)


def refuse_method(method: str, allow: str) -> Response:
    """Answer OPTIONS with what is allowed; raises ProblemError `method-not-allowed` for any other method."""
    if method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    raise ProblemError("method-not-allowed", f"This path allows {allow}.", headers={"Allow": allow})


def _completed(headers: object, request_id: str) -> list[tuple[bytes, bytes]]:
    given: list[tuple[bytes, bytes]] = list(headers)  # type: ignore[call-overload]  # ASGI calls it an iterable of pairs
    names = {name.lower() for name, _ in given}
    return [*given, (b"request-id", request_id.encode()), *(one for one in _SECURITY if one[0] not in names)]
