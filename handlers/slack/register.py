"""Registers the listeners with Bolt, those of named buttons first. Bolt parses and dispatches; it verifies nothing.

`process_before_response` makes Bolt answer when the listener returns, so that committing comes before acknowledging and
nothing comes after it. The same application serves HTTP (verified in front) and Socket Mode (Slack's own connection).
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.actions import Presses
from handlers.slack.amending import ACTIONS, Amends
from handlers.slack.app_home import Homes
from handlers.slack.commands import Commands, Reply
from handlers.slack.config import SlackConfig
from handlers.slack.desks import Desks
from handlers.slack.factor_presses import FactorPresses
from handlers.slack.ids import (
    APPROVE,
    CODE_VIEW,
    DENY,
    DENY_VIEW,
    DETAILS,
    HOME_PAUSE,
    HOME_STATUS,
    NEW_KEY,
    REVEAL,
    REVIEW_FLAG,
    START_CODE_VIEW,
    START_VIEW,
)
from handlers.slack.key_presses import KeyPresses
from handlers.slack.parse import action_id_of, read_command, trigger_of
from handlers.slack.patience import Trouble, in_time
from handlers.slack.pause_presses import ACTIONS as PAUSE_ACTIONS
from handlers.slack.pause_presses import PausePresses
from handlers.slack.reveal_modal import Reveals
from handlers.slack.sentences import UNREADABLE
from handlers.slack.starting import Starting
from handlers.slack.weekly import ACTIONS as WEEK_ACTIONS
from handlers.slack.weekly import WeekPresses

COMMAND: Final = "/agent"
_Answer: TypeAlias = Callable[[dict[str, Any], str], Awaitable[BoltResponse]]
_ANY: Final = re.compile("")


def bolt_app(desks: Desks, config: SlackConfig, client: AsyncWebClient) -> AsyncApp:
    """Make the Bolt application; whoever dispatches to it MUST have proved that Slack sent the request."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=config.enterprise_id,
            team_id=config.team_id,
            bot_user_id=config.bot_user_id,
            bot_token=config.bot_token,
        )

    app = AsyncApp(
        logger=logging.getLogger("slack_bolt"),  # else Bolt gives each of its loggers the root's level, whatever is set
        name="foureyes",
        process_before_response=True,
        signing_secret=config.signing_secret,
        authorize=authorize,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    starts, amends = Starting(desks.starting, client, config.clock), Amends(desks.amending, client)
    homes = Homes(desks.switch, desks.people, client, config.clock)
    presses = Presses(desks.people, client, config.clock, desks.factors, starts)
    # First what is pressed most, for Bolt asks one listener after the other; last, what takes whatever is left.
    _listen_to(app, {APPROVE, DENY, DETAILS}, presses.pressed, config.api_app_id)
    _listen_to_pauses(app, PausePresses(desks.switch, client), homes, config.api_app_id)
    weeks = WeekPresses(desks.weekly, client)
    _listen_to(app, WEEK_ACTIONS, weeks.pressed, config.api_app_id)
    _listen_to(app, {NEW_KEY}, KeyPresses(desks.keys, client).pressed, config.api_app_id)
    reveals = Reveals(desks.people.originals, client)
    _listen_to(app, {REVEAL}, reveals.pressed, config.api_app_id)
    commands = Commands(desks.people, config.clock, desks.factors, starts)
    _listen(app, presses, amends, commands, config.api_app_id)
    views: dict[str, _Answer] = {
        DENY_VIEW: presses.submitted,
        CODE_VIEW: FactorPresses(desks.factors).submitted,
        START_VIEW: starts.filled,
        START_CODE_VIEW: starts.proved,
        REVIEW_FLAG: weeks.submitted,
        REVEAL: reveals.submitted,
        **dict.fromkeys(ACTIONS, amends.submitted),
    }
    for view, answer in views.items():
        _listen_to_view(app, view, answer, config.api_app_id)
    return app


def _listen_to_pauses(app: AsyncApp, presses: PausePresses, homes: Homes, api_app_id: str) -> None:
    async def on_pause_action(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        if not _is_ours(body, api_app_id):
            return _not_ours()
        return await presses.pressed(body, _request_id(request))

    async def on_home(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        if not _is_ours(body, api_app_id):
            return _not_ours()
        return await homes.opened(body, _request_id(request))

    async def on_home_action(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        if not _is_ours(body, api_app_id):
            return _not_ours()
        return await homes.pressed(body, _request_id(request))

    for action in PAUSE_ACTIONS:
        app.action(action)(on_pause_action)
    for action in (HOME_PAUSE, HOME_STATUS):
        app.action(action)(on_home_action)
    app.event("app_home_opened")(on_home)


def _listen_to(app: AsyncApp, actions: Collection[str], pressed: _Answer, api_app_id: str) -> None:
    async def on_named_action(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        return await pressed(body, _request_id(request)) if _is_ours(body, api_app_id) else _not_ours()

    app.action(re.compile(f"^(?:{'|'.join(map(re.escape, sorted(actions)))})\\Z"))(on_named_action)


def _listen(app: AsyncApp, presses: Presses, amends: Amends, commands: Commands, api_app_id: str) -> None:
    async def on_action(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        if not _is_ours(body, api_app_id):
            return _not_ours()
        if action_id_of(body) in ACTIONS:
            return await amends.pressed(body, _request_id(request))
        return await presses.pressed(body, _request_id(request))

    async def on_command(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        if not _is_ours(body, api_app_id):
            return _not_ours()
        typed = read_command(body, _request_id(request))
        reply = await in_time(commands.answer(typed)) if typed else Reply([UNREADABLE])
        if isinstance(reply, Trouble):
            reply = Reply([reply.sentence])
        return BoltResponse(status=200, body=reply.body())

    async def on_message(body: dict[str, Any]) -> BoltResponse:
        return await amends.said(body) if _is_ours(body, api_app_id) else _not_ours()

    async def on_event() -> BoltResponse:
        return BoltResponse(status=200)

    app.action(_ANY)(on_action)
    app.command(COMMAND)(on_command)
    app.event("message")(on_message)
    app.event(_ANY)(on_event)


def _listen_to_view(app: AsyncApp, view: str, answer: _Answer, api_app_id: str) -> None:
    async def on_view(body: dict[str, Any], request: AsyncBoltRequest) -> BoltResponse:
        return await answer(body, _request_id(request)) if _is_ours(body, api_app_id) else _not_ours()

    app.view(view)(on_view)


def _is_ours(body: Mapping[str, Any], api_app_id: str) -> bool:
    return body.get("api_app_id") == api_app_id


def _not_ours() -> BoltResponse:
    return BoltResponse(status=403, body="this request is for another Slack app")


def _request_id(request: AsyncBoltRequest) -> str:
    """Name the request: by its signature, or in Socket Mode, which has none, by its single-use trigger."""
    signature = request.headers.get("x-slack-signature", ())
    return signature[0] if signature else f"trigger:{trigger_of(request.body)}"
