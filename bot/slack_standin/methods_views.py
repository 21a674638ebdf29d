"""The methods views.* and blocks.validate: modals against single-use triggers, home tabs, a dry run of blocks."""

from typing import Final, NoReturn

from bot.slack_standin.arguments import Asked, Kind
from bot.slack_standin.blocks import MAX_TEXT, find_faults, text_length
from bot.slack_standin.methods import Method
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.shapes import Finding, wrong_type
from bot.slack_standin.triggers import Trigger
from bot.slack_standin.views import OpenView, accept_view, find_view_faults
from bot.slack_standin.world import World

_TRIGGERED: Final[dict[str, Kind]] = {"trigger_id": "text", "view": "json"}


def _trigger(world: World, asked: Asked) -> Trigger:
    return world.entitlements.check(asked.text("trigger_id"))


def _shown(world: World, view: OpenView) -> Json:
    return {"ok": True, "view": view.as_json(world.workspace)}


def _open(world: World, asked: Asked) -> Json:
    trigger = _trigger(world, asked)
    view = world.views.open(trigger.user, accept_view(asked.args["view"], "modal", world.ids))
    trigger.used = True
    return _shown(world, view)


def _push(world: World, asked: Asked) -> Json:
    trigger = _trigger(world, asked)
    if trigger.view_id is None:
        raise SlackRefusal("not_found")
    view = world.views.push(trigger.user, accept_view(asked.args["view"], "modal", world.ids))
    trigger.used = True
    return _shown(world, view)


def _update(world: World, asked: Asked) -> Json:
    if not asked.text("view_id") and not asked.text("external_id"):
        raise SlackRefusal("invalid_arguments")
    shown = world.views.find(asked.text("view_id"), asked.text("external_id"))
    if shown is None:
        raise SlackRefusal("not_found")
    view = accept_view(asked.args["view"], "modal", world.ids)
    return _shown(world, world.views.update(shown, view, asked.text("hash")))


def _publish(world: World, asked: Asked) -> Json:
    user = world.workspace.users.get(asked.text("user_id"))
    if user is None or user.kind in ("deactivated", "bot"):
        raise SlackRefusal("invalid_arguments")
    view = accept_view(asked.args["view"], "home", world.ids)
    return _shown(world, world.views.publish_home(user.id, view, asked.text("hash")))


def _validate(_world: World, asked: Asked) -> Json:
    if len(asked.args) != 1:
        raise SlackRefusal("invalid_arguments")
    ((name, value),) = asked.args.items()
    match name:
        case "blocks":
            found = find_faults(value, "message", "")
        case "view":
            home = isinstance(value, dict) and value.get("type") == "home"
            found = find_view_faults(value, "home" if home else "modal", "")
        case _:
            found = _message_faults(value)
    if found:
        _refuse_as(name, found)
    return {"ok": True}


def _message_faults(message: object) -> list[Finding]:
    if not isinstance(message, dict):
        return [wrong_type("", "object", message)]
    if not message.get("blocks") and not message.get("text"):
        return [Finding("", "one of text, blocks is required", "required", ["text", "blocks"], None)]
    found = find_faults(message.get("blocks") or [], "message")
    length = text_length(message.get("blocks"))
    if not found and length > MAX_TEXT:
        found = [Finding("/blocks", "too much text", "max_characters", MAX_TEXT, length)]
    return found


def _refuse_as(name: str, found: list[Finding]) -> NoReturn:
    raise SlackRefusal(f"invalid_{name}", errors=[finding.as_json() for finding in found])


METHODS: Final = {
    "views.open": Method(_open, "4", _TRIGGERED, required=("trigger_id", "view")),
    "views.push": Method(_push, "4", _TRIGGERED, required=("trigger_id", "view")),
    "views.update": Method(
        _update,
        "4",
        {"view": "json", "view_id": "text", "external_id": "text", "hash": "text"},
        required=("view",),
    ),
    "views.publish": Method(
        _publish, "4", {"user_id": "text", "view": "json", "hash": "text"}, required=("user_id", "view")
    ),
    "blocks.validate": Method(
        _validate, "special", {"blocks": "json", "message": "json", "view": "json"}, needs_token=False
    ),
}
