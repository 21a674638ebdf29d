"""Block Kit elements from safe text, within Slack's limits. It never makes `mrkdwn` from anything but integers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from handlers.slack.escape import Safe

Block: TypeAlias = dict[str, Any]

MAX_HEADER: Final = 150
MAX_SECTION: Final = 3000
MAX_LABEL: Final = 75
MAX_CONFIRM: Final = 300
CHUNK: Final = 2900
"""The most characters in one text of a `rich_text` block; longer text is split over several, never cut."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `text` is what a notification shows."""

    text: str
    blocks: list[Block]


def plain(text: Safe) -> Block:
    """Make a plain_text object; emoji names in it stay text."""
    return {"type": "plain_text", "text": text, "emoji": False}


def header(text: Safe) -> Block:
    """Make a header of at most 150 characters."""
    return {"type": "header", "text": plain(text)}


def section(text: Safe) -> Block:
    """Make a paragraph of at most 3,000 characters that Slack does not fold."""
    return {"type": "section", "text": plain(text), "expand": True}


def context(*texts: Safe) -> Block:
    """Make a line of small print of at most 10 texts."""
    return {"type": "context", "elements": [plain(text) for text in texts]}


def moment(before: Safe, at: datetime, after: Safe) -> Block:
    """Make a line of small print with a time in the reader's own zone; readers without it see UTC."""
    date = f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{utc(at)}>"
    return {"type": "context", "elements": [plain(before), {"type": "mrkdwn", "text": date}, plain(after)]}


def rich(*elements: Block) -> Block:
    """Make one rich_text block."""
    return {"type": "rich_text", "elements": list(elements)}


def title(text: Safe) -> Block:
    """Make a bold line inside a rich_text block."""
    return {"type": "rich_text_section", "elements": [piece(text, bold=True)]}


def bullets(items: Iterable[list[Block]]) -> Block:
    """Make a list, one entry for each list of pieces."""
    entries = [{"type": "rich_text_section", "elements": pieces} for pieces in items]
    return {"type": "rich_text_list", "style": "bullet", "elements": entries}


def preformatted(text: Safe) -> Block:
    """Make a box in which line ends are real and nothing is parsed; `text` has at most CHUNK characters."""
    return {"type": "rich_text_preformatted", "elements": [piece(text)]}


def piece(text: Safe, *, bold: bool = False) -> Block:
    """Make one piece of text inside a rich_text element."""
    return {"type": "text", "text": text, "style": {"bold": True}} if bold else {"type": "text", "text": text}


def mentions(users: Iterable[str], groups: Iterable[str]) -> Block:
    """Call people and user groups by their ids, which are never text of an agent."""
    named = [
        *({"type": "user", "user_id": user} for user in users),
        *({"type": "usergroup", "usergroup_id": group} for group in groups),
    ]
    return rich(
        {"type": "rich_text_section", "elements": [part for each in named for part in (each, piece(Safe(" ")))]}
    )


def chunks(text: Safe) -> Iterator[Safe]:
    """Split long text into parts of at most CHUNK characters, at line ends or spaces where there are some."""
    rest: str = text
    while len(rest) > CHUNK:
        at = rest.rfind("\n", 1, CHUNK) + 1 or rest.rfind(" ", 1, CHUNK) + 1 or CHUNK
        yield Safe(rest[:at])
        rest = rest[at:]
    if rest:
        yield Safe(rest)


def button(action_id: str, label: Safe, value: str, style: str | None = None, confirm: Block | None = None) -> Block:
    """Make a button; `label` has at most 75 characters."""
    made: Block = {"type": "button", "action_id": action_id, "text": plain(label), "value": value}
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    return made


def utc(at: datetime) -> Safe:
    """Write a time in UTC, to the minute."""
    return Safe(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def length_of(node: object) -> int:
    """Count the characters of all text in some blocks, however deep."""
    if isinstance(node, dict):
        text = node.get("text")
        return (len(text) if isinstance(text, str) else 0) + sum([length_of(inner) for inner in node.values()])
    return sum([length_of(inner) for inner in node]) if isinstance(node, list) else 0
