"""Replies in a packet's thread: an update of a packet notifies nobody, a reply does. Decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from approval_rules.react import Note
from approval_rules.state import Status
from handlers.desk import Seen
from handlers.slack.amending_words import edit_words, question_note
from handlers.slack.blocks import Block, mentions, utc
from handlers.slack.escape import Safe
from handlers.slack.sentence import sentence_of
from handlers.slack.standing import backup_words, standing_of, vote_words

_OVERDUE: Final = Safe(
    "⚠ The agent took the permission and never said how it went. Nobody knows whether it ran: please look, and never"
    " run it again by hand before you know."
)


def note_text(note: Note, seen: Seen, at: datetime, about: str | None = None) -> Safe:
    """Write one reply; the packet above it has the details. `about` is a question's id."""
    match note:
        case Note.HALF_TIME:
            return _reminder("⏳ Half of the time is over", seen, at)
        case Note.LAST_CALL:
            return _reminder(f"⏰ Little time is left, until {utc(seen.proposal.expires_at)}", seen, at)
        case Note.DECIDED:
            return Safe(f"{standing_of(seen, at).text}{receipt(seen)}")
        case Note.OVERDUE:
            return _OVERDUE
        case Note.ASKED | Note.ANSWERED:
            return question_note(seen, about)
        case Note.EDITED:
            edits = seen.proposal.edits
            told = edit_words(edits[-1], seen) if edits else Safe("It was changed.")
            return Safe(f"{told} {standing_of(seen, at).text}")


def receipt(seen: Seen) -> str:
    """Name each vote that a second factor confirmed, with the code that its voter saw; nothing where none was."""
    proved = [vote_words(vote, seen) for vote in seen.proposal.votes if vote.proof]
    return "".join([f"\n{line}" for line in proved])


def _reminder(when: str, seen: Seen, at: datetime) -> Safe:
    """Say what waits; where it waits no more, what became of it."""
    if seen.proposal.status is not Status.PENDING:
        return standing_of(seen, at).text
    late = backup_words(seen)
    more = f" {late}" if late else ""
    return Safe(f"{when}: {sentence_of(seen.proposal).headline}. {standing_of(seen, at).text}{more}")


def asked_of(seen: Seen, about: str | None) -> Sequence[Block]:
    """Call whoever a question is to, and once it is answered whoever asked: a reply notifies who is named in it."""
    question = next((each for each in seen.proposal.questions if each.id == about), None)
    person = None if question is None else question.to if question.open else question.by
    face = None if person is None else seen.faces.get(person)
    return () if face is None else [mentions([face.user_id], [])]
