"""What people typed and chose: `state.values` of payloads, and the checks that Slack's client makes before sending."""

from collections.abc import Iterable, Iterator
from typing import Final

from bot.slack_standin.blocks import elements_of
from bot.slack_standin.refusal import Json, NotPossibleError

STATEFUL: Final = ("plain_text_input", "static_select", "users_select", "radio_buttons", "checkboxes")
_CHOSEN: Final = ("selected_option", "selected_options", "selected_user")
REQUIRED: Final = "Please complete this required field."


def stateful(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield each block and element that keeps a value."""
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in STATEFUL:
                yield block, element


def initial(element: Json) -> Json:
    """Return an element's value before anybody touched it."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": element.get("initial_value") or None}
    if kind == "users_select":
        return {"type": kind, "selected_user": element.get("initial_user")}
    if kind == "checkboxes":
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    return {"type": kind, "selected_option": element.get("initial_option")}


def state_of(blocks: list[Json], typed: Json) -> Json:
    """Return `state`: every stateful element's value, typed ones over initial ones."""
    values: Json = {}
    for block, element in stateful(blocks):
        block_id, action_id = block["block_id"], element["action_id"]
        value = typed.get(block_id, {}).get(action_id) or initial(element)
        values.setdefault(block_id, {})[action_id] = value
    return {"values": values}


def kept(blocks: list[Json], typed: Json) -> Json:
    """Return what stays typed after an update: the same block_id and action_id with the same kind of element."""
    keep: Json = {}
    for block, element in stateful(blocks):
        value = typed.get(block["block_id"], {}).get(element["action_id"])
        if value and value["type"] == element["type"]:
            keep.setdefault(block["block_id"], {})[element["action_id"]] = value
    return keep


def remember(typed: Json, block: Json, element: Json, value: Json) -> None:
    """Note what somebody typed into one element."""
    typed.setdefault(block["block_id"], {})[element["action_id"]] = value


def chosen(element: Json, selected: object) -> Json:
    """Return the fields that say what was chosen: `selected` is an option's value, an option, or a list of these."""
    if element["type"] == "button":
        return {}
    if element["type"] == "plain_text_input":
        return {"value": selected or None}
    if element["type"] == "users_select":
        return {"selected_user": selected or None}
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(option for group in groups for option in group["options"])]
    by_value = {option["value"]: option for option in options}
    wanted = selected if isinstance(selected, list) else [selected]
    names = [entry["value"] if isinstance(entry, dict) else entry for entry in wanted if entry is not None]
    if unknown := [name for name in names if name not in by_value]:
        raise NotPossibleError(f"no such option: {unknown}; there are {sorted(by_value)}")
    if element["type"] == "checkboxes":
        return {"selected_options": [by_value[name] for name in names]}
    return {"selected_option": by_value[names[0]] if names else None}


def from_submission(element: Json, given: object) -> Json:
    """Return a typed value: `given` is text, an option's value, or the page's {type, value} or {type, selected_…}."""
    if isinstance(given, dict):
        fields = ("value", "selected_option", "selected_options", "selected_user")
        given = next((given[name] for name in fields if name in given), None)
    return {"type": element["type"], **chosen(element, given)}


def complaints(blocks: list[Json], state: Json) -> dict[str, str]:
    """Return what Slack's client says under each input that may not be submitted as it is."""
    found: dict[str, str] = {}
    for block, element in stateful(blocks):
        if block["type"] != "input":
            continue
        value = state["values"][block["block_id"]][element["action_id"]]
        content = value.get("value") or next((value[name] for name in _CHOSEN if value.get(name)), None)
        if not content:
            if not block.get("optional"):
                found[block["block_id"]] = REQUIRED
        elif isinstance(content, str):
            found |= _length_complaint(block, element, len(content))
    return found


def _length_complaint(block: Json, element: Json, length: int) -> dict[str, str]:
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if length < low:
        return {block["block_id"]: f"Please enter at least {low} characters."}
    if length > high:
        return {block["block_id"]: f"Please enter at most {high} characters."}
    return {}
