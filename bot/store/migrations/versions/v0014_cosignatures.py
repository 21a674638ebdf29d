"""Checkpoints with the signature of a witness outside."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Signed notes (C2SP tlog-checkpoint) with a line of the witness (tlog-cosignature).
    """CREATE TABLE cosignatures (
        witness TEXT NOT NULL,
        size INTEGER NOT NULL CHECK (size > 0),
        note TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (witness, size)
    ) STRICT, WITHOUT ROWID""",
)


def upgrade() -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        op.execute(statement)
