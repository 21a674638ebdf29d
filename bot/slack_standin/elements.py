"""Block Kit's text objects and interactive elements with their limits; what is not listed here does not exist."""

from collections.abc import Iterator
from typing import Final

from bot.slack_standin.refusal import Json
from bot.slack_standin.shapes import (
    Check,
    Finding,
    any_of_fields,
    array,
    boolean,
    choice,
    integer,
    one_of_fields,
    record,
    string,
    tagged,
)

IDENTIFIER: Final = string(1, 255)
URL: Final = string(1, 3000)


def plain(high: int) -> Check:
    """Expect a plain_text object."""
    return tagged({"plain_text": record({"text": string(1, high)}, {"emoji": boolean})})


def text(high: int) -> Check:
    """Expect a text object of either kind."""
    return tagged(
        {
            "plain_text": record({"text": string(1, high)}, {"emoji": boolean}),
            "mrkdwn": record({"text": string(1, high)}, {"verbatim": boolean}),
        }
    )


CONFIRM: Final = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)


def _option(label: Check, *, url: bool = False) -> Check:
    extra = {"description": label} | ({"url": URL} if url else {})
    return record({"text": label, "value": string(1, 150)}, extra)


PLAIN_OPTION: Final = _option(plain(75))
RICH_OPTION: Final = _option(text(75))
LINK_OPTION: Final = _option(plain(75), url=True)
GROUP: Final = record({"label": plain(75), "options": array(PLAIN_OPTION, 1, 100)})


def values_of(element: Json) -> list[str]:
    """Return the values of all options of an element, groups flattened."""
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(option for group in groups for option in group["options"])]
    return [option["value"] for option in options]


def _distinct_values(element: Json, pointer: str) -> Iterator[Finding]:
    values = values_of(element)
    if len(set(values)) != len(values):
        yield Finding(pointer, "option values must be unique", "unique", None, values)


def _initial_listed(element: Json, pointer: str) -> Iterator[Finding]:
    chosen = element.get("initial_options", [])
    if "initial_option" in element:
        chosen = [element["initial_option"]]
    for option in chosen:
        if option["value"] not in values_of(element):
            yield Finding(pointer, "the initial option must be one of the options", "enum", None, option["value"])


def _bounded_input(element: Json, pointer: str) -> Iterator[Finding]:
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if low > high:
        yield Finding(pointer, "min_length must not exceed max_length", "range", high, low)
    if len(element.get("initial_value", "")) > high:
        yield Finding(pointer, "initial_value is longer than max_length", "max_characters", high, None)


_COMMON: Final = {"action_id": IDENTIFIER, "confirm": CONFIRM}
_INPUT: Final = {"action_id": IDENTIFIER, "focus_on_load": boolean}
_DISPATCH: Final = record(
    {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 1, 2)},
)

BUTTON: Final = record(
    {"text": plain(75)},
    {
        **_COMMON,
        "url": URL,
        "value": string(1, 2000),
        "style": choice("primary", "danger"),
        "accessibility_label": string(1, 75),
    },
)
STATIC_SELECT: Final = record(
    {},
    {
        **_COMMON,
        "placeholder": plain(150),
        "options": array(PLAIN_OPTION, 1, 100),
        "option_groups": array(GROUP, 1, 100),
        "initial_option": PLAIN_OPTION,
        "focus_on_load": boolean,
    },
    [one_of_fields("options", "option_groups"), _distinct_values, _initial_listed],
)
USERS_SELECT: Final = record(
    {}, {**_COMMON, "placeholder": plain(150), "initial_user": IDENTIFIER, "focus_on_load": boolean}
)
OVERFLOW: Final = record({"options": array(LINK_OPTION, 1, 5)}, _COMMON, [_distinct_values])
RADIO: Final = record(
    {"options": array(RICH_OPTION, 1, 10)},
    {**_COMMON, "initial_option": RICH_OPTION, "focus_on_load": boolean},
    [_distinct_values, _initial_listed],
)
CHECKBOXES: Final = record(
    {"options": array(RICH_OPTION, 1, 10)},
    {**_COMMON, "initial_options": array(RICH_OPTION, 1, 10), "focus_on_load": boolean},
    [_distinct_values, _initial_listed],
)
PLAIN_TEXT_INPUT: Final = record(
    {},
    {
        **_INPUT,
        "placeholder": plain(150),
        "initial_value": string(0, 3000),
        "multiline": boolean,
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
        "dispatch_action_config": _DISPATCH,
    },
    [_bounded_input],
)
SLACK_FILE: Final = record({}, {"id": IDENTIFIER, "url": URL}, [any_of_fields("id", "url")])
IMAGE: Final = record(
    {"alt_text": string(1, 2000)},
    {"image_url": URL, "slack_file": SLACK_FILE},
    [one_of_fields("image_url", "slack_file")],
)

INTERACTIVE: Final = {
    "button": BUTTON,
    "static_select": STATIC_SELECT,
    "users_select": USERS_SELECT,
    "overflow": OVERFLOW,
    "radio_buttons": RADIO,
    "checkboxes": CHECKBOXES,
}
IN_SECTION: Final = tagged({**INTERACTIVE, "image": IMAGE})
IN_ACTIONS: Final = tagged(INTERACTIVE)
IN_CONTEXT: Final = tagged(
    {
        "image": IMAGE,
        "plain_text": record({"text": string(1, 3000)}, {"emoji": boolean}),
        "mrkdwn": record({"text": string(1, 3000)}, {"verbatim": boolean}),
    }
)
IN_INPUT: Final = tagged(
    {
        "plain_text_input": PLAIN_TEXT_INPUT,
        "static_select": STATIC_SELECT,
        "users_select": USERS_SELECT,
        "radio_buttons": RADIO,
        "checkboxes": CHECKBOXES,
    }
)
