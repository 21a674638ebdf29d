"""What people do in Slack: click, choose, command, submit, close; each is sent signed, and its answer is obeyed.

It must never let anybody do what Slack's own client would not offer, unless a test forces a stale click.
"""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from bot.slack_standin import payloads
from bot.slack_standin.app_link import FORM, JSON, AppLink, Delivery
from bot.slack_standin.blocks import accept, live_elements
from bot.slack_standin.conversations import Content, Ephemeral, Message
from bot.slack_standin.refusal import Json, NotPossibleError, SlackRefusal
from bot.slack_standin.submissions import Outcome, obey_submission, read_values
from bot.slack_standin.triggers import ResponseUrl
from bot.slack_standin.typed_values import chosen, complaints, remember, state_of
from bot.slack_standin.views import OpenView
from bot.slack_standin.workspace import Channel, User
from bot.slack_standin.world import World

# Slack's client words these; the triangle stands beside the button that was pressed.
NO_ANSWER: Final = "⚠ Operation timed out. Apps need to respond within 3 seconds."
BAD_ANSWER: Final = "⚠ This app responded with Status Code {status}."
NO_CONNECTION: Final = "⚠ This app could not be reached."
COMMAND_FAILED: Final = '{command} failed with the error "{error}"'


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which element somebody means, and what they chose there."""

    action_id: str
    block_id: str | None = None
    selected: object = None

    def find(self, blocks: Iterable[Json]) -> tuple[Json, Json] | None:
        """Return the block and element, None where they are not there; two with one action_id need the block_id."""
        found = [
            (block, element)
            for block, element in live_elements(blocks)
            if element["action_id"] == self.action_id and self.block_id in (None, block["block_id"])
        ]
        if len(found) > 1:
            raise NotPossibleError(f"{len(found)} live elements are called {self.action_id}: say the block_id")
        return found[0] if found else None


class Interactions:
    """Everything that a person can do to the app."""

    def __init__(self, world: World, link: AppLink) -> None:
        self._world = world
        self._link = link

    def actor(self, user_id: str, *, force: bool = False) -> User:
        """Return a person who can act; apps and deactivated accounts cannot."""
        user = self._world.workspace.users.get(user_id)
        if user is None:
            raise NotPossibleError(f"there is no user {user_id}")
        if user.kind in ("deactivated", "bot") and not force:
            raise NotPossibleError(f"{user.real_name} is {user.kind} and cannot act in Slack")
        return user

    def channel(self, user: User, channel_id: str, *, force: bool = False) -> Channel:
        """Return a channel that a person can see."""
        channel = self._world.workspace.channels.get(channel_id)
        if channel is None or not (force or self._world.workspace.sees(user, channel)):
            raise NotPossibleError(f"{user.real_name} sees no channel {channel_id}")
        return channel

    async def click_message(self, user_id: str, message: Message, pressed: Pressed, *, force: bool = False) -> Outcome:
        """Use an element of a message; `force` clicks on any earlier version, as a stale screen does."""
        user = self.actor(user_id, force=force)
        channel = self.channel(user, message.channel, force=force)
        shown = message.for_api(self._world.workspace.id)
        found = None if message.deleted else pressed.find(message.blocks)
        if found is None and force:
            shown, found = self._stale(message, pressed)
        if found is None:
            raise NotPossibleError(f"message {message.ts} has no live element {pressed.action_id} to press")
        fields = payloads.in_message(copy.deepcopy(shown), channel, message)
        typed = message.typed.setdefault(user.id, {})
        act = self._act(found, pressed, typed)
        fields["state"] = state_of(shown.get("blocks", []), typed)
        url = self._response_url(ResponseUrl(user.id, channel.id, message_ts=message.ts, thread_ts=message.thread_ts))
        return await self._block_action(user, {**fields, "response_url": url}, act)

    def _stale(self, message: Message, pressed: Pressed) -> tuple[Json, tuple[Json, Json] | None]:
        for version in reversed(message.versions):
            if found := pressed.find(version.get("blocks", [])):
                return version, found
        return {}, None

    async def click_ephemeral(self, user_id: str, ephemeral: Ephemeral, pressed: Pressed) -> Outcome:
        """Use an element of an ephemeral message."""
        user = self.actor(user_id)
        channel = self._world.workspace.channels[ephemeral.channel]
        found = None if ephemeral.gone or ephemeral.user != user.id else pressed.find(ephemeral.blocks)
        if found is None:
            raise NotPossibleError(f"{user.real_name} has no live element {pressed.action_id} in {ephemeral.id}")
        act = self._act(found, pressed, ephemeral.typed.setdefault(user.id, {}))
        url = self._response_url(
            ResponseUrl(user.id, channel.id, ephemeral_id=ephemeral.id, thread_ts=ephemeral.thread_ts)
        )
        fields = payloads.in_ephemeral(channel, ephemeral, user)
        return await self._block_action(user, {**fields, "response_url": url}, act)

    async def click_view(self, user_id: str, view: OpenView, pressed: Pressed) -> Outcome:
        """Use an element of the modal that is on top, or of the home tab."""
        user = self.actor(user_id)
        found = pressed.find(view.view["blocks"]) if self._has_before_them(user, view) else None
        if found is None:
            raise NotPossibleError(f"{user.real_name} has no live element {pressed.action_id} in view {view.id}")
        act = self._act(found, pressed, view.typed)
        return await self._block_action(user, payloads.in_view(view, self._world.workspace), act, view.id)

    def _has_before_them(self, user: User, view: OpenView) -> bool:
        return view in self._world.views.stack(user.id)[-1:] or self._world.views.homes.get(user.id) is view

    def _act(self, found: tuple[Json, Json], pressed: Pressed, typed: Json) -> Json:
        block, element = found
        choice = chosen(element, pressed.selected)
        if choice and element["type"] != "overflow":
            remember(typed, block, element, {"type": element["type"], **choice})
        return payloads.action(block, element, choice, self._world.clock.ts())

    def _response_url(self, url: ResponseUrl) -> str:
        name = self._world.entitlements.url(url)
        return f"{self._world.base_url}/response/{name}"

    async def _block_action(self, user: User, fields: Json, act: Json, view_id: str | None = None) -> Outcome:
        payload = payloads.base("block_actions", self._world.workspace, user) | fields
        payload |= {"trigger_id": self._world.entitlements.trigger(user.id, view_id), "actions": [act]}
        delivery = await self._link.deliver("block_actions", payloads.as_form(payload), FORM)
        return Outcome(delivery, warning=self._warn_about_click(user, delivery))

    def _warn_about_click(self, user: User, delivery: Delivery) -> str | None:
        if delivery.ok:
            return None
        silent = {"timeout": NO_ANSWER, "connection": NO_CONNECTION}
        bad = BAD_ANSWER.format(status=delivery.status)
        return self._world.warn(user.id, silent[delivery.failure] if delivery.failure else bad)

    async def command(self, user_id: str, channel_id: str, name: str, text: str) -> Outcome:
        """Type a slash command, and show its immediate answer."""
        user = self.actor(user_id)
        channel = self.channel(user, channel_id)
        if name not in self._world.options.commands:
            raise NotPossibleError(f"{name} is not a valid command.")
        if user.kind == "outside":
            raise NotPossibleError("people of other workspaces cannot use slash commands")
        form = payloads.command(self._world.workspace, user, channel, name, text)
        form["response_url"] = self._response_url(ResponseUrl(user.id, channel.id))
        form["trigger_id"] = self._world.entitlements.trigger(user.id)
        delivery = await self._link.deliver("command", urlencode(form).encode(), FORM)
        return Outcome(delivery, warning=self._obey_command(user, channel, name, delivery))

    def _obey_command(self, user: User, channel: Channel, name: str, delivery: Delivery) -> str | None:
        error = {"timeout": "operation_timeout", "connection": "dispatch_failed", None: "http_service_error"}
        if not delivery.ok:
            return self._world.warn(user.id, COMMAND_FAILED.format(command=name, error=error[delivery.failure]))
        if not delivery.answer.strip():
            return None
        try:
            self._show_answer(user, channel, delivery)
        except SlackRefusal as refusal:
            return self._world.warn(user.id, COMMAND_FAILED.format(command=name, error=refusal.error))
        return None

    def _show_answer(self, user: User, channel: Channel, delivery: Delivery) -> None:
        answer: object = {"text": delivery.answer.decode("utf-8", "replace")}
        if delivery.answer_type == JSON:
            try:
                answer = json.loads(delivery.answer)
            except ValueError:
                answer = None
        if not isinstance(answer, dict):
            raise SlackRefusal("invalid_payload")
        content = answer_content(self._world, answer)
        if answer.get("response_type") == "in_channel":
            self._world.conversations.post(channel.id, content)
        else:
            self._world.conversations.whisper(user.id, channel.id, content)

    async def submit(self, user_id: str, view: OpenView, values: Json) -> Outcome:
        """Press a modal's submit button; what Slack's client would not send comes back as errors."""
        user = self.actor(user_id)
        if view.view.get("submit") is None or view not in self._world.views.stack(user.id)[-1:]:
            raise NotPossibleError(f"{user.real_name} has no modal {view.id} to submit")
        read_values(view, values)
        if errors := complaints(view.view["blocks"], state_of(view.view["blocks"], view.typed)):
            return Outcome(None, errors=errors)
        payload = payloads.base("view_submission", self._world.workspace, user)
        payload |= {
            "trigger_id": self._world.entitlements.trigger(user.id, view.id),
            "view": view.as_json(self._world.workspace),
            "response_urls": [],
        }
        delivery = await self._link.deliver("view_submission", payloads.as_form(payload), FORM)
        return obey_submission(self._world, view, delivery)

    async def close(self, user_id: str, view: OpenView, *, clear: bool = False) -> Delivery | None:
        """Close the modal on top, or with `clear` the whole stack; the app hears of it only where it asked to."""
        user = self.actor(user_id)
        if view not in self._world.views.stack(user.id)[-1:]:
            raise NotPossibleError(f"{user.real_name} has no modal {view.id} to close")
        clear = clear or bool(view.view.get("clear_on_close"))
        payload = payloads.base("view_closed", self._world.workspace, user)
        payload |= {"view": self._without_inputs(view), "is_cleared": clear}
        if clear:
            self._world.views.close_all(user.id)
        else:
            self._world.views.close(view)
        if not view.view.get("notify_on_close"):
            return None
        return await self._link.deliver("view_closed", payloads.as_form(payload), FORM)

    def _without_inputs(self, view: OpenView) -> Json:
        shown = view.as_json(self._world.workspace)
        inputs = {block["block_id"] for block in view.view["blocks"] if block["type"] == "input"}
        values = shown["state"]["values"]
        return shown | {"state": {"values": {name: values[name] for name in values if name not in inputs}}}

    async def event(self, inner: Json, headers: dict[str, str] | None = None) -> Delivery:
        """Send an event once; a retry is a second call with Slack's retry headers."""
        world = self._world
        wrapper = payloads.event(world.workspace, inner, world.ids.typed("Ev"), world.clock.wall())
        return await self._link.deliver("event", json.dumps(wrapper).encode(), JSON, headers)

    async def message(self, said: Message, **more: object) -> Delivery:
        """Tell the app of a message that a person wrote, as Slack does; `more` are fields of odd ones."""
        channel = self._world.workspace.channels[said.channel]
        inner: Json = {"type": "message", "user": said.user, "text": said.content.text, "ts": said.ts}
        inner |= {"channel": channel.id, "channel_type": "group" if channel.is_private else "channel"}
        inner |= {"event_ts": said.ts, "team": self._world.workspace.users[said.user].team_id}
        if said.thread_ts:
            inner["thread_ts"] = said.thread_ts
        return await self.event(inner | more)

    async def open_home(self, user_id: str) -> Delivery:
        """Open the app's home tab; the event carries the view only where one was published."""
        user = self.actor(user_id)
        world = self._world
        direct = world.workspace.direct(user.id)
        inner: Json = {"type": "app_home_opened", "user": user.id, "channel": direct.id, "tab": "home"}
        inner["event_ts"] = world.clock.ts()
        if home := world.views.homes.get(user.id):
            inner["view"] = home.as_json(world.workspace)
        return await self.event(inner)

    async def verify_url(self, challenge: str) -> Delivery:
        """Ask the app to prove that it listens at its request URL."""
        body = {"token": payloads.LEGACY_TOKEN, "challenge": challenge, "type": "url_verification"}
        return await self._link.deliver("event", json.dumps(body).encode(), JSON)


def answer_content(world: World, answer: Json) -> Content:
    """Return what an answer to a command or a response_url says; refuse an empty or unsound one."""
    blocks = accept(answer["blocks"], "message", world.ids) if answer.get("blocks") else []
    text = answer.get("text") or ""
    if not isinstance(text, str) or not (text or blocks):
        raise SlackRefusal("no_text")
    return Content(text, blocks, mrkdwn=answer.get("mrkdwn", True))
