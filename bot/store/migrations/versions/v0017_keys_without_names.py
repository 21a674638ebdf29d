"""Whose key an operator's or an auditor's is stands with the person, sealed, and no more beside the key."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the names out; the pages that had them are overwritten."""
    op.execute("PRAGMA secure_delete = ON")
    for table in ("operator_keys", "auditor_keys"):
        op.execute(f"DROP INDEX {table}_living")
        op.execute(f"ALTER TABLE {table} DROP COLUMN name")
        op.execute(f"CREATE UNIQUE INDEX {table}_living ON {table} (person) WHERE revoked_at IS NULL")
