"""Makes the message that leaves a signed checkpoint of the log in Slack. It writes no word that anybody sent."""

from typing import Final

from handlers.counting import counted
from handlers.slack.blocks import Block, preformatted, rich, section
from handlers.slack.escape import Safe, mrkdwn_safe

_WHAT_FOR: Final = Safe(
    "Whoever changes one of them later contradicts this message. An export of this channel is compared with the log by"
    " foureyes audit verify --against."
)


def witness_message(size: int, note: str) -> tuple[str, list[Block]]:
    """Give the text for notifications, and the blocks with the signed note exactly as it is."""
    said = Safe(f"The audit log has {counted(size, 'entry', 'entries')}.")
    return mrkdwn_safe(said), [section(Safe(f"{said} {_WHAT_FOR}")), rich(preformatted(Safe(note.rstrip("\n"))))]
