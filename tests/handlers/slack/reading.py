"""Reads blocks as a person does. Nothing here checks anything."""

from collections.abc import Iterator

from handlers.slack.blocks import Block


def text_of(node: object) -> str:
    """Join all text of some blocks in its order."""
    return "".join(pieces_of(node))


def pieces_of(node: object) -> Iterator[str]:
    """Give every text of some blocks, however deep."""
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node["text"]
        for inner in node.values():
            yield from pieces_of(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from pieces_of(inner)


def buttons_of(blocks: list[Block]) -> dict[str, Block]:
    """Give the buttons of a message by their action id."""
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    return {button["action_id"]: button for row in rows for button in row}
