"""What people are about to start themselves, until their second factor has come."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. `body` is what the person filled in, as JSON; it goes when it is used, or soon after its end."""
    op.execute(
        """CREATE TABLE starts (
            proposal TEXT PRIMARY KEY,
            person TEXT NOT NULL,
            body TEXT NOT NULL,
            expires_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID"""
    )
    op.execute("CREATE INDEX starts_by_time ON starts (expires_at)")
