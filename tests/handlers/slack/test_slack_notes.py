"""What the replies under a packet say."""

from datetime import timedelta

from approval_rules.react import Note
from handlers.slack.notes import note_text
from tests.handlers.slack.made import NOW, seen, states

AT = NOW + timedelta(hours=2)


def test_each_reply_says_what_changed() -> None:
    """Half-time names the action and what is missing; a decision and a silence are said in words."""
    half = note_text(Note.HALF_TIME, seen(), AT)
    assert "Half of the time is over: Refund $180.00 to customer C-2041" in half
    assert "0 of 2 people have approved" in half
    assert "Denied by Jonas Weber" in note_text(Note.HALF_TIME, states()["denied"], AT)
    assert "Denied by Jonas Weber" in note_text(Note.DECIDED, states()["denied"], AT)
    assert "Nobody knows whether it ran" in note_text(Note.OVERDUE, states()["overdue"], AT)
