"""The first schema: the log, its erasable values, and the indexes that are folds of it."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    # The log. `body` is the exact entry; the other columns repeat parts of it for look-ups and are checked against it.
    """CREATE TABLE entries (
        seq INTEGER PRIMARY KEY CHECK (seq >= 0),
        subject TEXT NOT NULL,
        type TEXT NOT NULL,
        at TEXT NOT NULL,
        body BLOB NOT NULL CHECK (length(body) <= 16384),
        leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
    ) STRICT""",
    "CREATE INDEX entries_by_subject ON entries (subject, seq)",
    """CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    # Values that an entry holds only as salted digests; a row may be erased, and the log still verifies.
    """CREATE TABLE detached (
        seq INTEGER NOT NULL REFERENCES entries (seq),
        name TEXT NOT NULL,
        salt TEXT NOT NULL,
        value TEXT NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX detached_by_entry ON detached (seq, name)",
    # Pseudonyms of the log to accounts; erasable.
    """CREATE TABLE people (
        ref TEXT PRIMARY KEY,
        team_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX people_by_account ON people (user_id, team_id)",
    # One row a proposal: the fold of its events, as far as look-ups and sweeps need it.
    """CREATE TABLE proposals (
        id TEXT PRIMARY KEY,
        agent_id TEXT NOT NULL,
        tool TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('pending', 'approved', 'denied', 'expired', 'cancelled', 'blocked', 'revoked')),
        clock TEXT CHECK (clock IN ('decide', 'claim', 'outcome')),
        next_at TEXT,
        deadline TEXT,
        channel TEXT,
        ts TEXT,
        created_at TEXT NOT NULL,
        last_seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX proposals_by_agent ON proposals (agent_id, id)",
    "CREATE INDEX proposals_by_tool ON proposals (tool, created_at)",
    "CREATE INDEX proposals_by_time ON proposals (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX proposals_pending ON proposals (deadline) WHERE state = 'pending'",
    """CREATE TABLE idempotency (
        agent_id TEXT NOT NULL,
        key TEXT NOT NULL,
        body_digest TEXT NOT NULL,
        proposal_id TEXT NOT NULL,
        answer_seq INTEGER NOT NULL,
        PRIMARY KEY (agent_id, key)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE agents (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        tools TEXT NOT NULL,
        callback_hosts TEXT NOT NULL,
        secret_generation INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT""",
    """CREATE TABLE agent_keys (
        key_id TEXT PRIMARY KEY,
        agent_id TEXT NOT NULL REFERENCES agents (id),
        hash TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT
    ) STRICT""",
    "CREATE INDEX agent_keys_by_agent ON agent_keys (agent_id)",
    # What the world is still to be told; `name` makes each effect unique.
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        wanted_seq INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'done', 'dead')),
        due_at TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        payload TEXT NOT NULL,
        last_error TEXT
    ) STRICT""",
    "CREATE INDEX outbox_due ON outbox (kind, due_at) WHERE state IN ('queued', 'sending')",
    "CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead'",
    "CREATE TABLE seen_requests (id TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE INDEX seen_requests_by_time ON seen_requests (at)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)


def upgrade() -> None:
    """Make the first schema."""
    for statement in _STATEMENTS:
        op.execute(statement)
