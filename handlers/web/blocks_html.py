"""Writes a packet's Slack blocks as HTML: the same words, made visible in the same way. It never lets markup through.

Buttons and whatever it does not know are left out, for they are not what a person reads; all text is escaped.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from handlers.slack.blocks import Block
from handlers.web.signs import with_signs

_DATE: Final = re.compile(r"<!date\^[0-9]+\^[^|<>]*\|([^|<>]*)>")
_MENTIONED: Final = {"user": "user_id", "usergroup": "usergroup_id"}


def html_of(blocks: Iterable[Block]) -> str:
    """Write blocks, in order."""
    return with_signs("".join([piece for block in blocks for piece in _block(block)]))


def _block(block: Block) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"<h1>{_text(block['text'])}</h1>"
        case "section":
            yield f"<p>{_text(block['text'])}</p>"
        case "context":
            yield f"<p><small>{_small_print(block['elements'])}</small></p>"
        case "rich_text":
            yield from _rich(block["elements"])
        case "divider":
            yield "<hr>"


def _small_print(elements: Iterable[Block]) -> str:
    """Give each text a line of its own, but for a time, which follows the word before it."""
    text = "".join([(" " if one["type"] == "mrkdwn" else "<br>") + _text(one) for one in elements])
    return text.removeprefix("<br>")


def _rich(elements: Iterable[Block]) -> Iterator[str]:
    for element in elements:
        match element["type"]:
            case "rich_text_section":
                yield f"<p>{_pieces(element)}</p>"
            case "rich_text_preformatted":
                yield f"<pre>{_pieces(element)}</pre>"
            case "rich_text_list":
                yield f"<ul>{''.join([f'<li>{_pieces(entry)}</li>' for entry in element['elements']])}</ul>"


def _pieces(element: Block) -> str:
    return "".join([_piece(piece) for piece in element["elements"]])


def _piece(piece: Block) -> str:
    named = _MENTIONED.get(piece["type"])
    text = escape(piece[named] if named else piece.get("text", ""))
    return f"<strong>{text}</strong>" if piece.get("style", {}).get("bold") else text


def _text(text: Block) -> str:
    return escape(plain_text(text))


def plain_text(text: Block) -> str:
    """Give the words of a text object; the only thing that we have Slack parse is a time, and others get it in UTC."""
    said: str = text["text"]
    return _DATE.sub(r"\1", said) if text["type"] == "mrkdwn" else said
