"""Finds a proposal by where its packet stands: every message in a thread is looked up."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute("CREATE INDEX proposals_by_packet ON proposals (channel, ts) WHERE channel IS NOT NULL")
