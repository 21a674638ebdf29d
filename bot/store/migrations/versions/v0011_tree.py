"""The tree over the log: its complete subtrees of 256, 65,536, … entries; and the signed checkpoints."""

from alembic import op
from sqlalchemy import text

from bot.audit.merkle import Frontier, Full, grown

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # What the leaf hashes come to, kept so that nothing is computed twice; `audit verify` computes it again.
    """CREATE TABLE tree (
        level INTEGER NOT NULL CHECK (level > 0 AND level % 8 = 0),
        idx INTEGER NOT NULL CHECK (idx >= 0),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, idx)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER tree_never_changes BEFORE UPDATE ON tree
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER tree_never_shrinks BEFORE DELETE ON tree
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    # Signed notes (C2SP tlog-checkpoint), each over the first `size` entries.
    """CREATE TABLE checkpoints (
        size INTEGER PRIMARY KEY CHECK (size > 0),
        note TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT""",
    """CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
       BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END""",
    """CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
       BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END""",
)
_AT_ONCE = 10_000


def upgrade() -> None:
    """Add both, and compute the tree of what was recorded before."""
    for statement in _STATEMENTS:
        op.execute(statement)
    database = op.get_bind()
    frontier = Frontier()
    leaves = database.execute(text("SELECT leaf_hash FROM entries ORDER BY seq"))
    while chunk := leaves.fetchmany(_AT_ONCE):
        frontier, full = grown(frontier, (row[0] for row in chunk))
        for node in full:
            _keep(node)


def _keep(node: Full) -> None:
    into = text("INSERT INTO tree (level, idx, hash) VALUES (:level, :idx, :hash)")
    op.get_bind().execute(into, node._asdict())
