"""What the demo page asks for: files, state, event stream, acting as a person; same origin only, no inline code."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.slack_standin.arguments import read_raw
from bot.slack_standin.conversations import Content
from bot.slack_standin.conversations import Message as Said
from bot.slack_standin.interactions import Interactions, Pressed
from bot.slack_standin.mentions import with_mentions
from bot.slack_standin.refusal import Json, NotPossibleError, SlackRefusal
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.views import OpenView
from bot.slack_standin.world import World

PAGE: Final = Path(__file__).parent / "page"
KEEP_ALIVE_S: Final = 15.0
HEADERS: Final = {
    b"content-security-policy": b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
Act = Callable[[Json], Awaitable[Json]]


class SafeHeaders:
    """Puts the page's security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name, value) for name, value in message["headers"] if name.lower() not in HEADERS]
                message = {**message, "headers": [*given, *HEADERS.items()]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


class PageApi:
    """The routes of the demo page."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._world = world
        self._do = interactions

    def routes(self) -> list[BaseRoute]:
        """Return the routes, in the order in which they match."""
        acts: dict[str, Act] = {
            "click": self._click,
            "command": self._command,
            "submit": self._submit,
            "close": self._close,
            "home": self._home,
        }
        return [
            Route("/", self._index),
            Route("/standin/state", self._state),
            Route("/standin/events", self._events),
            *(Route(f"/standin/act/{name}", self._guarded(act), methods=["POST"]) for name, act in acts.items()),
            Mount("/static", StaticFiles(directory=PAGE, check_dir=False)),
        ]

    async def _index(self, _request: Request) -> Response:
        index = PAGE / "index.html"
        return FileResponse(index) if index.is_file() else PlainTextResponse("this build has no page", 404)

    async def _state(self, _request: Request) -> Response:
        return JSONResponse(self.state())

    def state(self) -> Json:
        """Return everything that the page draws, and the number of the last event that is in it."""
        world, workspace = self._world, self._world.workspace
        app = {"id": workspace.app_id, "name": workspace.app_name, "bot_user_id": workspace.bot_user}
        ephemerals = [note.for_page() for note in world.conversations.ephemerals.values() if not note.gone]
        return {
            "team": {"id": workspace.id, "name": workspace.name},
            "app": app,
            "users": [user.for_page() for user in workspace.users.values()],
            "channels": [
                {"id": channel.id, "name": channel.name, "is_private": channel.is_private}
                for channel in workspace.channels.values()
                if not channel.is_im
            ],
            "messages": [message.for_page() for message in world.conversations.all()],
            "ephemerals": ephemerals,
            "homes": [{"user": view.user, "view": view.as_json(workspace)} for view in world.views.homes.values()],
            "modals": [{"user": view.user, "view": view.as_json(workspace)} for view in world.views.all()],
            "cursor": world.feed.cursor,
        }

    async def _events(self, request: Request) -> Response:
        after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if not after.isascii() or not after.isdigit():
            return PlainTextResponse("after must be a number", 400)
        return StreamingResponse(self._stream(int(after)), media_type="text/event-stream")

    async def _stream(self, after: int) -> AsyncIterator[str]:
        feed = self._world.feed
        yield ": connected\n\n"
        while not feed.closed:
            for entry in feed.after(after):
                yield f"id: {entry.number}\nevent: {entry.event}\ndata: {json.dumps(entry.data)}\n\n"
            after = feed.cursor
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await feed.changed()
            except TimeoutError:
                yield ": still here\n\n"

    def _guarded(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if refusal := foreign(request):
                return refusal
            try:
                body = await read_raw(request)
                return JSONResponse(await act(body))
            except SlackRefusal as bad:
                return JSONResponse({"ok": False, "error": bad.error}, 400)
            except (KeyError, TypeError, AttributeError, ValueError) as bad:
                return JSONResponse({"ok": False, "error": f"not understood: {bad}"}, 400)

        return endpoint

    async def _click(self, body: Json) -> Json:
        pressed = Pressed(body["action_id"], body.get("block_id"), body.get("selected"))
        try:
            return _told(await self._press(body, pressed))
        except NotPossibleError as impossible:
            return {"ok": False, "warning": str(impossible)}

    async def _press(self, body: Json, pressed: Pressed) -> Outcome:
        user, conversations = body["user"], self._world.conversations
        if "view_id" in body:
            return await self._do.click_view(user, self._view(body), pressed)
        if "ephemeral_id" in body:
            ephemeral = conversations.ephemerals.get(body["ephemeral_id"])
            if ephemeral is None:
                raise NotPossibleError("this note is gone")
            return await self._do.click_ephemeral(user, ephemeral, pressed)
        message = conversations.find(body["channel"], body["ts"])
        if message is None:
            raise NotPossibleError("this message is gone")
        return await self._do.click_message(user, message, pressed)

    def _view(self, body: Json) -> OpenView:
        views, wanted = self._world.views, body["view_id"]
        view = views.find(wanted) or next((home for home in views.homes.values() if home.id == wanted), None)
        if view is None:
            raise NotPossibleError("this dialog is gone")
        return view

    async def _command(self, body: Json) -> Json:
        user_id, channel_id, text = body["user"], body["channel"], body["text"].strip()
        try:
            if text.startswith("/"):
                name, _, rest = text.partition(" ")
                rest = with_mentions(self._world.workspace, rest.strip(), command=True)
                outcome = await self._do.command(user_id, channel_id, name, rest)
                return _told(outcome) if outcome.ok else {"ok": False, "error": outcome.warning}
            self.say(user_id, channel_id, text)
        except NotPossibleError as impossible:
            return {"ok": False, "error": str(impossible)}
        return {"ok": True}

    def say(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Said:
        """Post what a person typed, escaped as Slack's client does."""
        user = self._do.actor(user_id)
        channel = self._do.channel(user, channel_id)
        if channel.is_archived or not text:
            raise NotPossibleError("nothing can be said here" if channel.is_archived else "there is nothing to send")
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        escaped = with_mentions(self._world.workspace, escaped, command=False)
        return self._world.conversations.post(channel.id, Content(escaped, []), user=user.id, thread_ts=thread_ts)

    async def _home(self, body: Json) -> Json:
        try:
            told = await self._do.open_home(body["user"])
        except NotPossibleError as impossible:
            return {"ok": False, "warning": str(impossible)}
        return {"ok": told.ok} if told.ok else {"ok": False, "warning": "The app did not answer."}

    async def _submit(self, body: Json) -> Json:
        try:
            return _told(await self._do.submit(body["user"], self._view(body), body.get("values") or {}))
        except NotPossibleError as impossible:
            return {"ok": False, "errors": {}, "warning": str(impossible)}

    async def _close(self, body: Json) -> Json:
        try:
            await self._do.close(body["user"], self._view(body))
        except NotPossibleError as impossible:
            return {"ok": False, "warning": str(impossible)}
        return {"ok": True}


def _told(outcome: Outcome) -> Json:
    told: Json = {"ok": outcome.ok}
    if outcome.errors:
        told["errors"] = outcome.errors
    if outcome.warning:
        told["warning"] = outcome.warning
    return told


def foreign(request: Request) -> Response | None:
    """Return the refusal for a request that another site's page may have sent, None for an honest one."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type != "application/json":
        return JSONResponse({"ok": False, "error": "send application/json"}, 415)
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{request.headers.get('host')}":
        return JSONResponse({"ok": False, "error": "another origin"}, 403)
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return JSONResponse({"ok": False, "error": "another site"}, 403)
    return None
