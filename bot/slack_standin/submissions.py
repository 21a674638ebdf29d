"""A submitted modal: what was typed goes in, the app's response_action is obeyed; a bad answer is never guessed at."""

import json
from dataclasses import dataclass, field
from typing import Final

from bot.slack_standin.app_link import Delivery
from bot.slack_standin.refusal import Json, NotPossibleError, SlackRefusal
from bot.slack_standin.typed_values import from_submission, remember, stateful
from bot.slack_standin.views import OpenView, accept_view
from bot.slack_standin.world import World

TROUBLE: Final = "We had some trouble connecting. Try again?"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an interaction: the delivery, if Slack's client sent one, and what Slack told the person."""

    delivery: Delivery | None
    warning: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was complained about."""
        return self.warning is None and not self.errors


def read_values(view: OpenView, values: Json) -> None:
    """Type values into a modal: {block_id: {action_id: value}}; naming an input that is not there is an error."""
    inputs = {(block["block_id"], element["action_id"]): (block, element) for block, element in _inputs(view)}
    for block_id, actions in values.items():
        for action_id, given in actions.items():
            if (block_id, action_id) not in inputs:
                raise NotPossibleError(f"no input {block_id}/{action_id}; there are {sorted(inputs)}")
            block, element = inputs[block_id, action_id]
            remember(view.typed, block, element, from_submission(element, given))


def _inputs(view: OpenView) -> list[tuple[Json, Json]]:
    return list(stateful(view.view["blocks"]))


def obey_submission(world: World, view: OpenView, delivery: Delivery) -> Outcome:
    """Close, change or cover the modal as the app answered."""
    if not delivery.ok:
        return Outcome(delivery, warning=world.warn(view.user, TROUBLE))
    try:
        errors = _obey(world, view, _read(delivery))
    except SlackRefusal as refusal:
        return Outcome(delivery, warning=world.warn(view.user, f"{TROUBLE} ({refusal.error})"))
    return Outcome(delivery, errors=errors)


def _read(delivery: Delivery) -> Json:
    if not delivery.answer.strip():
        return {}
    try:
        answer = json.loads(delivery.answer)
    except ValueError:
        raise SlackRefusal("invalid_payload") from None
    if not isinstance(answer, dict):
        raise SlackRefusal("invalid_payload")
    return answer


def _obey(world: World, view: OpenView, answer: Json) -> dict[str, str]:
    # The app may have closed or replaced the modal through the Web API while it answered.
    still_open = world.views.find(view.id) is view
    match answer.get("response_action"):
        case None if still_open:
            world.views.close(view)
        case "clear":
            world.views.close_all(view.user)
        case "errors":
            return _errors(view, answer.get("errors"))
        case "update" if still_open:
            world.views.update(view, accept_view(answer.get("view"), "modal", world.ids))
        case "push":
            world.views.push(view.user, accept_view(answer.get("view"), "modal", world.ids))
        case None | "update":
            pass
        case _:
            raise SlackRefusal("invalid_response_action")
    return {}


def _errors(view: OpenView, errors: object) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not inputs.issuperset(errors):
        raise SlackRefusal("invalid_errors")
    return {block_id: str(text) for block_id, text in errors.items()}
