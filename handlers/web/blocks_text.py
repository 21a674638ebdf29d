"""Writes a packet's Slack blocks as plain lines: the same words in the same order. It escapes nothing again."""

from collections.abc import Iterable, Iterator

from handlers.slack.blocks import Block
from handlers.web.blocks_html import plain_text


def lines_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Give the lines of blocks, in order; of buttons their labels."""
    for block in blocks:
        match block["type"]:
            case "header":
                yield from ("", plain_text(block["text"]).upper())
            case "section":
                yield plain_text(block["text"])
            case "context":
                yield " ".join([plain_text(each) for each in block["elements"]])
            case "rich_text":
                for element in block["elements"]:
                    yield from _rich(element)
            case "actions":
                yield " ".join([f"[{plain_text(each['text'])}]" for each in block["elements"]])


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
