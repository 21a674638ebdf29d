"""Who is away, and when people are to be reminded for the second time."""

from alembic import op

from approval_rules.state import LAST_REMINDER
from approval_rules.times import format_time, parse_time

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # One row a person: the newest of that person's events. Whoever is back was away until then.
    """CREATE TABLE absences (
        person TEXT PRIMARY KEY,
        since TEXT NOT NULL,
        until TEXT NOT NULL,
        delegate TEXT,
        seq INTEGER NOT NULL REFERENCES entries (seq)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX absences_by_delegate ON absences (delegate, until) WHERE delegate IS NOT NULL",
    "CREATE INDEX absences_by_time ON absences (until)",
)
# What was reminded once waited for its deadline alone; from now on it is looked at before that. A deadline that is not
# the first one was moved by as much as the clock stood still.
_REMINDED = (
    "SELECT p.id, p.created_at, p.deadline, (SELECT json_extract(CAST(e.body AS TEXT), '$.data.expires_at')"
    " FROM entries e WHERE e.subject = p.id AND e.type = 'proposal.submitted') FROM proposals p"
    " WHERE p.state = 'pending' AND p.next_at = p.deadline"
    " AND EXISTS (SELECT 1 FROM entries e WHERE e.subject = p.id AND e.type = 'proposal.reminded')"
)


def upgrade() -> None:
    """Add the table, and set the time of the second reminder for what is open."""
    for statement in _STATEMENTS:
        op.execute(statement)
    connection = op.get_bind()
    for ident, created_at, deadline, first_deadline in connection.exec_driver_sql(_REMINDED).fetchall():
        end = parse_time(deadline)
        begun = parse_time(created_at) + (end - parse_time(first_deadline))
        remind_at = format_time(begun + (end - begun) * LAST_REMINDER)
        connection.exec_driver_sql("UPDATE proposals SET next_at = ? WHERE id = ?", (remind_at, ident))
