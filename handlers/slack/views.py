"""The modals: the reason for a denial, the pages of Details, and a notice. Pure; within Slack's limits of a view."""

from datetime import datetime
from typing import Final

from approval_rules.state import Proposal
from handlers.desk import Challenge, Seen
from handlers.slack.blocks import Block, button, plain, section
from handlers.slack.details import pages_of
from handlers.slack.escape import Safe
from handlers.slack.ids import (
    CATEGORY,
    CODE,
    CODE_VIEW,
    DENY_VIEW,
    DETAILS_VIEW,
    NEXT,
    NOTICE_VIEW,
    PREVIOUS,
    REASON,
    REVEAL,
    Target,
    page_of,
    place_of,
    value_of,
)
from handlers.slack.sentence import sentence_of
from handlers.slack.wording import DENIED_FOR

MAX_REASON: Final = 1000
_SENTENCE: Final = 2000


def deny_view(seen: Seen, channel: str, ts: str) -> Block:
    """Ask for the reason of a denial, under the same sentence as the packet's."""
    proposal = seen.proposal
    sentence = sentence_of(proposal)
    said = sentence.text if len(sentence.text) <= _SENTENCE else sentence.headline
    reason: Block = {
        "type": "input",
        "block_id": REASON,
        "label": plain(Safe("Why not?")),
        "hint": plain(Safe("The agent is told these words, and they are kept with the decision.")),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "min_length": 1,
            "max_length": MAX_REASON,
        },
    }
    category: Block = {
        "type": "input",
        "block_id": CATEGORY,
        "label": plain(Safe("What is it?")),
        "element": {
            "type": "static_select",
            "action_id": CATEGORY,
            "placeholder": plain(Safe("Choose one")),
            "options": [
                {"text": plain(Safe(words)), "value": category.value} for category, words in DENIED_FOR.items()
            ],
        },
    }
    return {
        **_modal(DENY_VIEW, "Deny this action", [section(said), category, reason]),
        "submit": plain(Safe("Deny")),
        "close": plain(Safe("Go back")),
        "private_metadata": place_of(_target(proposal), channel, ts),
    }


def details_view(seen: Seen, at: datetime, page: int = 0, *, reveals: bool = False) -> Block:
    """Show one page of everything; `page` counts from 0 and is brought into range. `reveals`: offer what is hidden."""
    pages = pages_of(seen, at)
    page = min(max(page, 0), len(pages) - 1)
    value = value_of(seen.proposal)
    turn = [
        *([button(PREVIOUS, Safe("Previous page"), value)] if page > 0 else []),
        *([button(NEXT, Safe("Next page"), value)] if page < len(pages) - 1 else []),
        *([button(REVEAL, Safe("See what is hidden …"), value)] if reveals and seen.proposal.digest else []),
    ]
    heading = "Details" if len(pages) == 1 else f"Details, {page + 1} of {len(pages)}"
    blocks = [*pages[page], *([{"type": "actions", "elements": turn}] if turn else [])]
    return {
        **_modal(DETAILS_VIEW, heading, blocks),
        "close": plain(Safe("Close")),
        "private_metadata": page_of(_target(seen.proposal), page),
    }


def code_view(asked: Challenge) -> Block:
    """Ask for the code of the authenticator app, under the same sentence as the packet's."""
    sentence = sentence_of(asked.seen.proposal)
    said = sentence.text if len(sentence.text) <= _SENTENCE else sentence.headline
    code: Block = {
        "type": "input",
        "block_id": CODE,
        "label": plain(Safe("The six digits of your authenticator app")),
        "hint": plain(Safe("Each code counts once. After five wrong ones in a row it is locked.")),
        "element": {"type": "plain_text_input", "action_id": CODE, "min_length": 6, "max_length": 7},
    }
    same = section(Safe(f"You approve exactly this, as {asked.code}. The same code stands in the receipt."))
    return {
        **_modal(CODE_VIEW, "Approve with a code", [section(said), same, code]),
        "submit": plain(Safe("Approve")),
        "close": plain(Safe("Go back")),
        "private_metadata": asked.ticket,
    }


def notice_view(heading: str, sentence: Safe) -> Block:
    """Answer in a modal; `heading` is ours and has at most 24 characters."""
    return {**_modal(NOTICE_VIEW, heading, [section(sentence)]), "close": plain(Safe("Close"))}


def _modal(callback_id: str, heading: str, blocks: list[Block]) -> Block:
    return {"type": "modal", "callback_id": callback_id, "title": plain(Safe(heading)), "blocks": blocks}


def _target(proposal: Proposal) -> Target:
    return Target(proposal.id, proposal.digest)
