"""Replies in a packet's thread: an update of a packet notifies nobody, a reply does. Decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from approval_rules.react import Note
from approval_rules.state import Status
from handlers.desk import Seen
from handlers.slack.amending_words import edit_words, question_note
from handlers.slack.blocks import Block, mentions
from handlers.slack.escape import Safe
from handlers.slack.sentence import sentence_of
from handlers.slack.standing import backup_words, standing_of

_OVERDUE: Final = Safe(
    "⚠ The agent took the permission and never said how it went. Nobody knows whether it ran: please look, and never"
    " run it again by hand before you know."
)


def note_text(note: Note, seen: Seen, at: datetime, about: str | None = None) -> Safe:
    """Write one reply; the packet above it has the details. `about` is a question's id."""
    match note:
        case Note.HALF_TIME:
            if seen.proposal.status is not Status.PENDING:
                return standing_of(seen, at).text
            headline = sentence_of(seen.proposal).headline
            late = backup_words(seen)
            more = f" {late}" if late else ""
            return Safe(f"⏳ Half of the time is over: {headline}. {standing_of(seen, at).text}{more}")
        case Note.DECIDED:
            return standing_of(seen, at).text
        case Note.OVERDUE:
            return _OVERDUE
        case Note.ASKED | Note.ANSWERED:
            return question_note(seen, about)
        case Note.EDITED:
            edits = seen.proposal.edits
            told = edit_words(edits[-1], seen) if edits else Safe("It was changed.")
            return Safe(f"{told} {standing_of(seen, at).text}")


def asked_of(seen: Seen, about: str | None) -> Sequence[Block]:
    """Call whoever a question is to, and once it is answered whoever asked: a reply notifies who is named in it."""
    question = next((each for each in seen.proposal.questions if each.id == about), None)
    person = None if question is None else question.to if question.open else question.by
    face = None if person is None else seen.faces.get(person)
    return () if face is None else [mentions([face.user_id], [])]
