"""Auditors' keys, and the index that `audit search` finds proposals by."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # `person` is the pseudonym of the auditor: an account of the team `auditor`, not of Slack.
    """CREATE TABLE auditor_keys (
        key_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        person TEXT NOT NULL,
        hash TEXT NOT NULL,
        shows_values INTEGER NOT NULL CHECK (shows_values IN (0, 1)),
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX auditor_keys_living ON auditor_keys (name) WHERE revoked_at IS NULL",
    # One row a proposal, under the log index of the entry that proposed it; `states` are the words it is found by now.
    """CREATE TABLE search_rows (
        seq INTEGER PRIMARY KEY,
        proposal TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL,
        states TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX search_rows_by_time ON search_rows (at, seq)",
    # What stands in the log for ever: agent, tool, state, rule, pseudonyms.
    """CREATE TABLE search_terms (
        term TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (term, seq)
    ) STRICT, WITHOUT ROWID""",
    # What can be erased, under the value (`entry`, `name`) that it comes from. A word is a keyed hash.
    """CREATE TABLE search_words (
        word INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (word, seq, entry, name)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX search_words_by_value ON search_words (entry, name)",
    # In millionths.
    """CREATE TABLE search_amounts (
        currency TEXT NOT NULL,
        amount INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        PRIMARY KEY (currency, amount, seq, entry)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX search_amounts_by_place ON search_amounts (currency, seq, amount)",
    "CREATE INDEX search_amounts_by_value ON search_amounts (entry)",
    # With a value goes what it is found by: whoever erases need not know of this index.
    """CREATE TRIGGER search_forgets_with_the_value AFTER DELETE ON detached BEGIN
        DELETE FROM search_words WHERE entry = old.seq AND name = old.name;
        DELETE FROM search_amounts WHERE entry = old.seq AND old.name = 'arguments';
    END""",
    # How many entries of the log the index has taken in.
    "CREATE TABLE search_place (entries INTEGER NOT NULL) STRICT",
    "INSERT INTO search_place (entries) VALUES (0)",
)


def upgrade() -> None:
    """Add them, empty: a server fills the index from the log while it runs."""
    for statement in _STATEMENTS:
        op.execute(statement)
