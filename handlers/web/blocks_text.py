"""Writes a packet's Slack blocks as plain lines: the same words in the same order. It escapes nothing again."""

from collections.abc import Iterable, Iterator

from handlers.slack.blocks import Block
from handlers.web.blocks_html import plain_text


def lines_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Give the lines of blocks, in order; of buttons their labels."""
    for block in blocks:
        match block["type"]:
            case "header":
                yield plain_text(block["text"])
            case "section":
                yield plain_text(block["text"])
            case "context":
                yield from _small_print(block["elements"]).split("\n")
            case "rich_text":
                for element in block["elements"]:
                    yield from _rich(element)
            case "actions":
                yield " ".join([f"[{plain_text(each['text'])}]" for each in block["elements"]])


def _small_print(elements: Iterable[Block]) -> str:
    """Give each text a line of its own, but for a time, which follows the word before it."""
    said = "".join([(" " if each["type"] == "mrkdwn" else "\n") + plain_text(each) for each in elements])
    return said.removeprefix("\n")


def _rich(element: Block) -> Iterator[str]:
    if element["type"] == "rich_text_list":
        for entry in element["elements"]:
            yield f"  - {_joined(entry)}"
    elif element["type"] == "rich_text_preformatted":
        yield from [f"    {line}" for line in _joined(element).split("\n")]
    else:
        yield _joined(element)


def _joined(element: Block) -> str:
    return "".join(
        [piece.get("text") or piece.get("user_id") or piece.get("usergroup_id", "") for piece in element["elements"]]
    )
