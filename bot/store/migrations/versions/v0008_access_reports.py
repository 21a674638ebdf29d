"""The reports on who may do what, each under the SHA-256 of its bytes, and a quick way to everybody's last vote."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE TABLE access_reports (digest TEXT PRIMARY KEY, made_at TEXT NOT NULL, content BLOB NOT NULL) STRICT",
    "CREATE INDEX access_reports_by_time ON access_reports (made_at)",
    "CREATE INDEX votes_by_time ON entries (at) WHERE type = 'vote.counted'",
)


def upgrade() -> None:
    """Add the table and the index."""
    for statement in _STATEMENTS:
        op.execute(statement)
