"""Operators' keys, and where the messages about pauses stand, so that they can show what became of them."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # `person` is the pseudonym of the operator: an account of the team `key`, not of Slack.
    """CREATE TABLE operator_keys (
        key_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        person TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX operator_keys_living ON operator_keys (name) WHERE revoked_at IS NULL",
    # `seq` is the log index of the event that the message tells of, `pause` the pause that its buttons are about.
    """CREATE TABLE switch_posts (
        seq INTEGER PRIMARY KEY,
        pause TEXT NOT NULL,
        channel TEXT,
        ts TEXT
    ) STRICT""",
    "CREATE INDEX switch_posts_by_pause ON switch_posts (pause)",
)


def upgrade() -> None:
    """Add both tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
