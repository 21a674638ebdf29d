"""The modal that sends a person to the page where a passkey confirms a vote. Pure; it decides nothing."""

from typing import Final

from handlers.desk import Challenge
from handlers.slack.blocks import Block, button, context, plain, section, utc
from handlers.slack.escape import Safe
from handlers.slack.ids import OPEN_PAGE, PASSKEY_VIEW, value_of
from handlers.slack.sentence import sentence_of

_SENTENCE: Final = 2000


def passkey_view(challenge: Challenge, url: str) -> Block:
    """Show what is to be confirmed, the code, and the way to the page; nothing has counted yet."""
    proposal = challenge.seen.proposal
    sentence = sentence_of(proposal)
    said = sentence.text if len(sentence.text) <= _SENTENCE else sentence.headline
    goes = {**button(OPEN_PAGE, Safe("Confirm with passkey"), value_of(proposal), "primary"), "url": url}
    return {
        "type": "modal",
        "callback_id": PASSKEY_VIEW,
        "title": plain(Safe("One step more")),
        "blocks": [
            section(said),
            section(Safe(f"Code: {challenge.code}")),
            section(Safe("Your approval counts once your passkey has confirmed it. The page shows the same code.")),
            {"type": "actions", "elements": [goes]},
            context(Safe(f"The page works one time, until {utc(challenge.expires_at)}, and is for you alone.")),
        ],
        "close": plain(Safe("Close")),
    }
