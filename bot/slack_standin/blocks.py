"""Whole lists of blocks: which block may stand where, how many, how much text; it never repairs a bad one."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from bot.slack_standin.clock import Ids
from bot.slack_standin.elements import (
    IDENTIFIER,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    SLACK_FILE,
    URL,
    plain,
    text,
)
from bot.slack_standin.refusal import Json, SlackRefusal
from bot.slack_standin.rich_text import RICH_TEXT
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
    wrong_type,
)

Surface = Literal["message", "modal", "home"]

MAX_BLOCKS: Final[dict[Surface, int]] = {"message": 50, "modal": 100, "home": 100}
MAX_TEXT: Final = 13_200
_ID: Final = {"block_id": IDENTIFIER}

_EVERYWHERE: Final[dict[str, Check]] = {
    "header": record({"text": plain(150)}, {"level": integer(1, 4), **_ID}),
    "section": record(
        {},
        {
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": IN_SECTION,
            "expand": boolean,
            **_ID,
        },
        [any_of_fields("text", "fields")],
    ),
    "context": record({"elements": array(IN_CONTEXT, 1, 10)}, _ID),
    "actions": record({"elements": array(IN_ACTIONS, 1, 25)}, _ID),
    "divider": record({}, _ID),
    "rich_text": RICH_TEXT,
    "image": record(
        {"alt_text": string(1, 2000)},
        {"image_url": URL, "slack_file": SLACK_FILE, "title": plain(2000), **_ID},
        [one_of_fields("image_url", "slack_file")],
    ),
    "input": record(
        {"label": plain(2000), "element": IN_INPUT},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean, **_ID},
    ),
}
_MARKDOWN: Final = record({"text": string(1, 12_000)}, _ID)
_ALERT: Final = record({"text": text(200)}, {"level": choice("default", "info", "warning", "error", "success"), **_ID})
SHAPES: Final[dict[Surface, Check]] = {
    "message": tagged({**_EVERYWHERE, "markdown": _MARKDOWN}),
    "modal": tagged({**_EVERYWHERE, "alert": _ALERT}),
    "home": tagged({**_EVERYWHERE, "markdown": _MARKDOWN}),
}


def find_faults(blocks: object, surface: Surface, pointer: str = "/blocks") -> list[Finding]:
    """Return everything that is wrong with a list of blocks on one surface."""
    if not isinstance(blocks, list):
        return [wrong_type(pointer, "array", blocks)]
    found = list(array(SHAPES[surface], 0, MAX_BLOCKS[surface])(blocks, pointer))
    return found or [*_repeated_block_ids(blocks, pointer), *_repeated_action_ids(blocks, pointer)]


def _repeated_block_ids(blocks: list[Json], pointer: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        name = block.get("block_id")
        if name in seen:
            yield Finding(f"{pointer}/{index}/block_id", f"block_id {name} is used twice", "unique", None, name)
        if name:
            seen.add(name)


def _repeated_action_ids(blocks: list[Json], pointer: str) -> Iterator[Finding]:
    for index, block in enumerate(blocks):
        names = [element["action_id"] for element in elements_of(block) if "action_id" in element]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Finding(f"{pointer}/{index}", f"action_id {name} is used twice in a block", "unique", None, name)


def elements_of(block: Json) -> Iterator[Json]:
    """Yield the elements of one block that a person can act on."""
    candidates: list[Json] = [*block.get("elements", []), block.get("accessory", {}), block.get("element", {})]
    if block["type"] in ("actions", "section", "input"):
        yield from (element for element in candidates if element and element["type"] != "image")


def live_elements(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield each block and element whose use Slack reports at once, as a block action."""
    for block in blocks:
        if block["type"] != "input" or block.get("dispatch_action"):
            for element in elements_of(block):
                yield block, element


def text_length(blocks: object) -> int:
    """Return the number of characters in all text of some blocks, however deep."""
    if isinstance(blocks, list):
        return sum(text_length(entry) for entry in blocks)
    if not isinstance(blocks, dict):
        return 0
    own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
    return own + sum(text_length(entry) for entry in blocks.values())


def refuse_faults(found: list[Finding], error: str = "invalid_blocks") -> None:
    """Raise the refusal that lists what was found, if anything was."""
    if found:
        lines = [finding.as_line() for finding in found]
        errors = [finding.as_json() for finding in found]
        raise SlackRefusal(error, errors=errors, response_metadata={"messages": lines})


def accept(blocks: object, surface: Surface, ids: Ids) -> list[Json]:
    """Return a sound list of blocks as Slack stores it; refuse any other."""
    refuse_faults(find_faults(blocks, surface))
    if surface == "message" and text_length(blocks) > MAX_TEXT:
        raise SlackRefusal("msg_blocks_too_long")
    stored: list[Json] = copy.deepcopy(blocks)  # type: ignore[arg-type]
    for block in stored:
        block.setdefault("block_id", ids.short())
        for element in elements_of(block):
            element.setdefault("action_id", ids.short())
    _spell_out(stored)
    return stored


def _spell_out(node: Any) -> None:  # noqa: ANN401 - any JSON
    """Write the defaults of text objects, as Slack does in everything that it hands back."""
    if isinstance(node, dict):
        if node.get("type") == "plain_text":
            node.setdefault("emoji", True)
        elif node.get("type") == "mrkdwn":
            node.setdefault("verbatim", False)
        for entry in node.values():
            _spell_out(entry)
    elif isinstance(node, list):
        for entry in node:
            _spell_out(entry)
