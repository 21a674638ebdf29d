"""Who is away now: one row a person, always the newest of that person's events. Judges nothing."""

from typing import Final

from approval_rules.duty_events import AwayDeclined, AwayEnded, AwaySet
from approval_rules.times import format_time
from bot.store.rows import Row

EVENTS: Final = (AwaySet, AwayEnded, AwayDeclined)
# A person who is back was away until then; so a statement of one kind keeps the order of events.
PUT: Final = "INSERT OR REPLACE INTO absences (person, since, until, delegate, seq) VALUES (?, ?, ?, ?, ?)"
ALL: Final = "SELECT person, since, until, delegate, seq FROM absences ORDER BY person"
OF_PERSON: Final = "SELECT until, delegate FROM absences WHERE person = :person AND until > :now"
DELEGATED_TO: Final = (
    "SELECT p.ref, p.team_id, p.user_id FROM absences a JOIN people p ON p.ref = a.person"
    " WHERE a.delegate = :person AND a.until > :now ORDER BY a.since, p.ref"
)
NAMING: Final = (
    "SELECT p.ref, p.user_id, p.name, a.until FROM absences a JOIN people p ON p.ref = a.person"
    " WHERE a.delegate = :person AND a.until > :now ORDER BY a.since, p.ref"
)
WHO: Final = (
    "SELECT p.user_id, d.user_id FROM absences a JOIN people p ON p.ref = a.person"
    " LEFT JOIN people d ON d.ref = a.delegate WHERE a.until > :now"
)
NOW: Final = (
    "SELECT p.user_id, p.name, a.until, d.user_id, d.name FROM absences a JOIN people p ON p.ref = a.person"
    " LEFT JOIN people d ON d.ref = a.delegate WHERE a.until > :now ORDER BY a.until, p.user_id LIMIT :limit"
)


def row_of(event: AwaySet | AwayEnded | AwayDeclined, seq: int) -> Row:
    """Give the row that follows from an event."""
    since = format_time(event.at)
    match event:
        case AwaySet():
            return event.person, since, format_time(event.until), event.delegate, seq
        case AwayDeclined():
            return event.person, since, format_time(event.until), None, seq
        case AwayEnded():
            return event.person, since, since, None, seq
