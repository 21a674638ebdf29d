"""Idempotency keys are found by a hash: an agent may have put anybody's name in one."""

import hashlib

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE hashed (
        agent_id TEXT NOT NULL,
        key TEXT NOT NULL,
        body_digest TEXT NOT NULL,
        proposal_id TEXT NOT NULL,
        answer_seq INTEGER NOT NULL,
        PRIMARY KEY (agent_id, key)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO hashed
        SELECT agent_id, key_hash(agent_id, key), body_digest, proposal_id, answer_seq FROM idempotency""",
    "DROP TABLE idempotency",
    "ALTER TABLE hashed RENAME TO idempotency",
)


def key_hash(agent: str, key: str) -> str:
    """Hash a key as `bot.store.rows` did when this was written."""
    return hashlib.sha256(f"{agent}\n{key}".encode()).hexdigest()


def upgrade() -> None:
    """Make the table anew; the pages of the old one are overwritten."""
    op.execute("PRAGMA secure_delete = ON")
    op.get_bind().connection.create_function("key_hash", 2, key_hash)
    for statement in _STATEMENTS:
        op.execute(statement)
