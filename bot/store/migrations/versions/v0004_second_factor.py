"""What people prove themselves with, and the one-time tickets by which they are asked."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # `material` is JSON: a passkey's public key, a TOTP secret as it is sealed, the hashes of recovery codes.
    # `counter` is a passkey's last signature count, or the last time step of a TOTP: neither ever counts twice.
    """CREATE TABLE credentials (
        id TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        factor TEXT NOT NULL CHECK (factor IN ('passkey', 'totp', 'recovery')),
        state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'locked', 'removed')),
        label TEXT NOT NULL,
        material TEXT NOT NULL,
        counter INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        active_since TEXT,
        confirmed_by TEXT,
        last_used_at TEXT
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX credentials_by_person ON credentials (person, factor)",
    # `id` is the SHA-256 of the name that the person's browser or modal carries; `intent` is the RFC 8785 text of what
    # the person is asked to confirm, with its nonce.
    """CREATE TABLE tickets (
        id TEXT PRIMARY KEY,
        purpose TEXT NOT NULL CHECK (purpose IN ('vote', 'enrol', 'initiate')),
        person TEXT NOT NULL,
        factor TEXT CHECK (factor IN ('passkey', 'totp')),
        subject TEXT NOT NULL,
        intent TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        used_at TEXT
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX tickets_by_time ON tickets (expires_at)",
)


def upgrade() -> None:
    """Add both tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
