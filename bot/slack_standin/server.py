"""The local Slack itself: one object that a demo or a test starts, drives and looks into, on loopback only.

    async with SlackStandin(demo_workspace(), signing_secret="s", bot_token="xoxb-1") as slack:
        client = AsyncWebClient(token="xoxb-1", base_url=slack.api_url, retry_handlers=[])
        slack.request_url = "http://127.0.0.1:8080/slack/events"     # where the app listens
        card = await slack.next_message(REFUND_APPROVALS)             # waits for the app's next post
        outcome = await slack.click(MAYA, card.channel, card.ts, "approve")
        assert outcome.ok                                             # the app said 200 within 3 s
        await slack.until(lambda: "approved" in card.text, "an updated card")

A `Message` stays the same object while it changes: `.text`, `.blocks`, `.pings` (what Slack would have made of its
markup), `.thread_ts`, `.metadata`, `.edited`, `.deleted`, `.versions`.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from bot.slack_standin.app_link import FORM, AppLink, Delivery
from bot.slack_standin.clock import Clock
from bot.slack_standin.conversations import Ephemeral, Message
from bot.slack_standin.faults import Fault, Faults
from bot.slack_standin.interactions import Interactions, Pressed
from bot.slack_standin.loopback import LoopbackServer
from bot.slack_standin.page_api import PageApi, SafeHeaders
from bot.slack_standin.refusal import Json, NotPossibleError
from bot.slack_standin.response_urls import ResponseUrls
from bot.slack_standin.submissions import Outcome
from bot.slack_standin.uploads import FILE_PLACE, UploadPlaces
from bot.slack_standin.views import OpenView
from bot.slack_standin.webapi import WebApi
from bot.slack_standin.workspace import User, Workspace
from bot.slack_standin.world import Call, Options, World

Found = TypeVar("Found")
WAIT_S = 5.0


class SlackStandin:
    """A local Slack, in the event loop of whoever starts it.

    `options` carries everything that a test may want otherwise: scopes, rates (`Rates.unlimited()`), the patience of
    3 s, strictness about unknown arguments, a history that lags. `clock` (seconds, monotonic) measures rates, triggers
    and response_urls; `wall` (seconds since 1970) stamps messages and signatures: a test may leap with one alone.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        signing_secret: str,
        bot_token: str,
        request_url: str | None = None,
        options: Options | None = None,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        extra_routes: Sequence[BaseRoute] = (),
    ) -> None:
        self.workspace = workspace
        self.clock = Clock(clock, wall)
        self.world = World(workspace, options or Options(), bot_token, self.clock)
        self._link = AppLink(signing_secret, self.clock, self.world.faults, self.world.options.patience_s)
        self._link.request_url = request_url
        self._do = Interactions(self.world, self._link)
        self._page = PageApi(self.world, self._do)
        routes: list[BaseRoute] = [
            Route("/api/{method}", WebApi(self.world).answer, methods=["GET", "POST"]),
            Route("/response/{opaque}", ResponseUrls(self.world).answer, methods=["POST"]),
            Route(f"{FILE_PLACE}{{opaque}}", UploadPlaces(self.world).answer, methods=["POST"]),
            *extra_routes,
            *self._page.routes(),
        ]
        self.app = Starlette(routes=routes, middleware=[Middleware(SafeHeaders)])
        self._server = LoopbackServer(self.app, host, port)
        self._read_up_to: dict[str, int] = {}

    # -- running

    async def start(self) -> Self:
        """Listen; afterwards `url` and `api_url` say where."""
        await self._server.start()
        self.world.base_url = self._server.url
        return self

    async def stop(self) -> None:
        """End the page's streams, stop listening, let go of every connection."""
        self.world.feed.close()
        await self._server.stop()
        await self._link.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The page's address."""
        return self._server.url

    @property
    def api_url(self) -> str:
        """The Web API's base URL, with the slash at the end that slack_sdk expects."""
        return f"{self._server.url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where the app listens for what Slack sends; loopback only."""
        return self._link.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._link.request_url = url

    # -- acting as a person

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        selected: object = None,
        force: bool = False,
    ) -> Outcome:
        """Press a button of a message, and confirm its dialog; or choose `selected` in another element.

        Raises NotPossibleError where nobody could press that. `force` sends the click nevertheless, as from a screen
        that still shows an earlier version, or by somebody who was just deactivated or removed.
        """
        message = self.world.conversations.find(channel, ts)
        if message is None:
            raise NotPossibleError(f"there is no message {ts} in {channel}")
        return await self._do.click_message(user, message, Pressed(action_id, block_id, selected), force=force)

    async def click_ephemeral(
        self, user: str, ephemeral_id: str, action_id: str, *, block_id: str | None = None, selected: object = None
    ) -> Outcome:
        """Press a button of an ephemeral message that `user` sees."""
        ephemeral = self.world.conversations.ephemerals.get(ephemeral_id)
        if ephemeral is None:
            raise NotPossibleError(f"there is no ephemeral {ephemeral_id}")
        return await self._do.click_ephemeral(user, ephemeral, Pressed(action_id, block_id, selected))

    async def click_view(
        self, user: str, view_id: str, action_id: str, *, block_id: str | None = None, selected: object = None
    ) -> Outcome:
        """Press a button in the modal that `user` has on top, or in the home tab."""
        return await self._do.click_view(user, self._view(user, view_id), Pressed(action_id, block_id, selected))

    async def command(self, user: str, channel: str, name: str, text: str = "") -> Outcome:
        """Type a slash command; its immediate answer appears as an ephemeral or in the channel."""
        return await self._do.command(user, channel, name, text)

    async def submit(self, user: str, view_id: str, values: Json | None = None) -> Outcome:
        """Fill in {block_id: {action_id: text or option value}} and press the submit button of the modal on top.

        `outcome.errors` are what Slack's client (required, too long) or the app (`response_action: errors`) said.
        """
        return await self._do.submit(user, self._view(user, view_id), values or {})

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> Delivery | None:
        """Close the modal on top, or all with `clear`; returns the view_closed delivery if the view asked for one."""
        return await self._do.close(user, self._view(user, view_id), clear=clear)

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Post an ordinary message as a person."""
        return self._page.say(user, channel, text, thread_ts)

    async def reply(self, user: str, message: Message, text: str, **more: object) -> Delivery:
        """Reply in a message's thread as a person, and tell the app of it; `more` are fields of odd events."""
        said = self._page.say(user, message.channel, text, message.thread_ts or message.ts)
        return await self._do.message(said, **more)

    def _view(self, user: str, view_id: str) -> OpenView:
        home = self.world.views.homes.get(user)
        view = home if home and home.id == view_id else self.world.views.find(view_id)
        if view is None:
            raise NotPossibleError(f"{user} has no view {view_id}")
        return view

    # -- sending to the app

    async def event(self, inner: Json, *, headers: dict[str, str] | None = None) -> Delivery:
        """Send an Events API event; add `x-slack-retry-num` and `x-slack-retry-reason` for a retry."""
        return await self._do.event(inner, headers)

    async def open_home(self, user: str) -> Delivery:
        """Open the app's home tab as a person: the event app_home_opened."""
        return await self._do.open_home(user)

    async def verify_url(self, challenge: str = "c0ffee") -> Delivery:
        """Send the url_verification that Slack sends when the request URL is set."""
        return await self._do.verify_url(challenge)

    async def send_signed(
        self,
        body: bytes,
        *,
        content_type: str = FORM,
        timestamp: str | None = None,
        headers: dict[str, str] | None = None,
        kind: str = "raw",
    ) -> Delivery:
        """Send bytes signed as Slack does; `timestamp` signs for another moment, `headers` override what was signed."""
        signed = self._link.headers(body, content_type, timestamp) | (headers or {})
        return await self._link.send(kind, body, signed)

    async def replay(self, delivery: Delivery) -> Delivery:
        """Send an earlier delivery again, byte for byte, as an eavesdropper would."""
        return await self._link.send(delivery.kind, delivery.body, delivery.headers)

    # -- looking

    def messages(self, channel: str) -> list[Message]:
        """Return the messages of a channel, threads included, oldest first, without deleted ones."""
        return [message for message in self.world.conversations.all() if message.channel == channel]

    def ephemerals(self, user: str) -> list[Ephemeral]:
        """Return what only this person sees, oldest first."""
        notes = self.world.conversations.ephemerals.values()
        return [note for note in notes if note.user == user and not note.gone]

    def modals(self, user: str) -> list[OpenView]:
        """Return a person's modals, the visible one last: `.id`, `.view` (with its blocks), `.hash`, `.typed`."""
        return self.world.views.stack(user)

    def home(self, user: str) -> OpenView | None:
        """Return what views.publish set as a person's home tab."""
        return self.world.views.homes.get(user)

    def warnings(self, user: str) -> list[str]:
        """Return what Slack itself told a person because the app did not answer well (the triangle)."""
        return [warned.text for warned in self.world.warnings if warned.user == user]

    @property
    def calls(self) -> list[Call]:
        """Every Web API call so far: `.method`, `.args`, `.at`, `.outcome` ("ok" or what went wrong)."""
        return self.world.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything sent to the app so far: `.kind`, `.body`, `.headers`, `.status`, `.answer`, `.failure`."""
        return self._link.deliveries

    async def next_message(self, channel: str, *, timeout: float = WAIT_S) -> Message:  # noqa: ASYNC109 - says what is missing
        """Return the app's next message in a channel that no earlier call returned, waiting for it if need be."""

        def find() -> Message | None:
            posted = self.world.conversations.posted_by_app(channel)
            place = self._read_up_to.get(channel, 0)
            return posted[place] if place < len(posted) else None

        message = await self.world.feed.until(find, timeout, f"new message in {channel}; {self._recent()}")
        self._read_up_to[channel] = self._read_up_to.get(channel, 0) + 1
        return message

    async def until(self, find: Callable[[], Found | None], what: str, *, timeout: float = WAIT_S) -> Found:  # noqa: ASYNC109
        """Wait until `find` returns something true, looking after every change; TimeoutError says what was missing."""
        return await self.world.feed.until(find, timeout, f"{what}; {self._recent()}")

    def _recent(self) -> str:
        calls = [f"{call.method}: {call.outcome}" for call in self.calls[-5:]]
        return f"the last calls were {calls}" if calls else "the app called nothing"

    # -- disturbing

    @property
    def faults(self) -> Faults:
        """What is ordered to go wrong."""
        return self.world.faults

    def fail(self, target: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls fail: `fail("chat.postMessage", LostAnswer(), times=2)`; targets: see Faults.order."""
        self.world.faults.order(target, fault, times)

    def set_scopes(self, *scopes: str) -> None:
        """Change what the app's token may do, as after a reinstall."""
        self.world.tokens[self.world.bot_token] = set(scopes)

    def change_user(self, user: str, **changes: str | bool) -> User:
        """Change an account while everything runs: `deleted=True`, `is_restricted=True`, `team_id=...`."""
        changed = self.workspace.change_user(user, **changes)
        self.world.feed.publish("profile", changed.for_page())
        return changed
