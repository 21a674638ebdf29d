"""What real Slack would have made of a message's markup: mentions, broadcasts, labelled links. It only reports."""

import re
from collections.abc import Iterator
from typing import Final

from bot.slack_standin.refusal import Json

# <@U..>, <#C..>, <!channel>, <!subteam^S..>, <https://..|label>; `&lt;` is text and never matches.
CONTROL: Final = re.compile(r"<(?:[@#!][^<>]+|[A-Za-z][A-Za-z0-9+.-]*:[^<>]+)>")
BARE: Final = re.compile(r"(?<![\w@])@(?:here|channel|everyone)\b")


def in_text(text: str, *, bare: bool) -> list[str]:
    """Return the control sequences of one mrkdwn text; `bare` counts a plain @channel too."""
    return CONTROL.findall(text) + (BARE.findall(text) if bare else [])


def in_message(text: str, blocks: list[Json], *, mrkdwn: bool = True, link_names: bool = False) -> list[str]:
    """Return everything in a message that Slack would have turned into a mention, a broadcast or a link."""
    top = in_text(text, bare=link_names) if mrkdwn else []
    return top + list(_in_node(blocks))


def _in_node(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for entry in node:
            yield from _in_node(entry)
    elif isinstance(node, dict):
        yield from _in_object(node)
        for entry in node.values():
            yield from _in_node(entry)


def _in_object(node: Json) -> Iterator[str]:
    match node:
        case {"type": "mrkdwn", "text": str(text)}:
            yield from in_text(text, bare=not node.get("verbatim", False))
        case {"type": "markdown", "text": str(text)}:
            yield from in_text(text, bare=True)
        case {"type": "user", "user_id": user}:
            yield f"<@{user}>"
        case {"type": "usergroup", "usergroup_id": group}:
            yield f"<!subteam^{group}>"
        case {"type": "channel", "channel_id": channel}:
            yield f"<#{channel}>"
        case {"type": "broadcast", "range": who}:
            yield f"<!{who}>"
        case {"type": "link", "url": url}:
            yield f"<{url}|{node['text']}>" if "text" in node else f"<{url}>"
        case _:
            pass
