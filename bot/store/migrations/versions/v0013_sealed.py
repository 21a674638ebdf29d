"""Detached values are sealed with keys of their day, and found again by a mark. The server seals what is there."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Either `salt` and `value`, or a `box` with both in it and the name of its `key`, which is kept elsewhere.
    """CREATE TABLE sealed (
        seq INTEGER NOT NULL REFERENCES entries (seq),
        name TEXT NOT NULL,
        salt TEXT,
        value TEXT,
        key TEXT,
        box BLOB,
        mark BLOB,
        CHECK ((key IS NULL) = (box IS NULL) AND (key IS NULL) = (value IS NOT NULL)
            AND (key IS NULL) = (salt IS NOT NULL))
    ) STRICT""",
    "INSERT INTO sealed (seq, name, salt, value) SELECT seq, name, salt, value FROM detached",
    "DROP TABLE detached",
    "ALTER TABLE sealed RENAME TO detached",
    # It went with the table.
    """CREATE TRIGGER search_forgets_with_the_value AFTER DELETE ON detached BEGIN
        DELETE FROM search_words WHERE entry = old.seq AND name = old.name;
        DELETE FROM search_amounts WHERE entry = old.seq AND old.name = 'arguments';
    END""",
    "CREATE UNIQUE INDEX detached_by_entry ON detached (seq, name)",
    "CREATE INDEX detached_marks ON detached (mark, seq) WHERE mark IS NOT NULL",
    # What is still to be sealed: empty but for what an earlier version wrote, or somebody who had no keys.
    "CREATE INDEX detached_plain ON detached (seq) WHERE key IS NULL",
    # Where in the log each key's values lie. `ended` tells that they were erased, or are to be moved under another key.
    """CREATE TABLE sealed_with (
        key TEXT PRIMARY KEY,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        ended TEXT CHECK (ended IN ('moved', 'erased'))
    ) STRICT, WITHOUT ROWID""",
)


def upgrade() -> None:
    """Make the table anew: SQLite cannot take a NOT NULL away."""
    op.execute("PRAGMA secure_delete = ON")  # the old table's pages say in plain what is to be sealed
    for statement in _STATEMENTS:
        op.execute(statement)
