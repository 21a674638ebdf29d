"""Keeps what every policy version holds, so that one can come back into force without its folder."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Files, and the listing of each version's files under the version itself: every row is named by its own SHA-256.
    """CREATE TABLE policy_content (
        hash TEXT PRIMARY KEY,
        content BLOB NOT NULL
    ) STRICT""",
    """CREATE TRIGGER policy_content_never_changes BEFORE UPDATE ON policy_content
       BEGIN SELECT RAISE(ABORT, 'a policy version never changes'); END""",
    """CREATE TRIGGER policy_content_never_goes BEFORE DELETE ON policy_content
       BEGIN SELECT RAISE(ABORT, 'a policy version never changes'); END""",
)


def upgrade() -> None:
    """Add the store of policy versions."""
    for statement in _STATEMENTS:
        op.execute(statement)
