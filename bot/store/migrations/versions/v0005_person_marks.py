"""By what two accounts are known to be one person's: keyed hashes, never an address."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE person_marks (
        mark TEXT NOT NULL,
        person TEXT NOT NULL,
        PRIMARY KEY (mark, person)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX person_marks_by_person ON person_marks (person)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        op.execute(statement)
