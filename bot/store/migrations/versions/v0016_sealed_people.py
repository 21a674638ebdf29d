"""Who stands behind a pseudonym is sealed with a key of its own. The server seals what is there."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Either an account, its name and the salt that binds the pseudonym to the account (earlier ones have none), or a
    # `box` with all of it, the name of its `key`, which is kept elsewhere, and the `mark` by which it is found again.
    """CREATE TABLE known (
        ref TEXT PRIMARY KEY,
        team_id TEXT,
        user_id TEXT,
        name TEXT,
        salt TEXT,
        key TEXT,
        box BLOB,
        mark BLOB,
        CHECK ((key IS NULL) = (box IS NULL) AND (key IS NULL) = (mark IS NULL) AND (key IS NULL) = (name IS NOT NULL)
            AND (key IS NULL) = (team_id IS NOT NULL) AND (key IS NULL) = (user_id IS NOT NULL)
            AND (key IS NULL OR salt IS NULL))
    ) STRICT""",
    "INSERT INTO known (ref, team_id, user_id, name) SELECT ref, team_id, user_id, name FROM people",
    "DROP TABLE people",
    "ALTER TABLE known RENAME TO people",
    "CREATE UNIQUE INDEX people_by_account ON people (user_id, team_id)",
    "CREATE UNIQUE INDEX people_by_mark ON people (mark) WHERE mark IS NOT NULL",
)


def upgrade() -> None:
    """Make the table anew: SQLite cannot take a NOT NULL away."""
    op.execute("PRAGMA secure_delete = ON")  # the old table's pages say in plain what is to be sealed
    for statement in _STATEMENTS:
        op.execute(statement)
