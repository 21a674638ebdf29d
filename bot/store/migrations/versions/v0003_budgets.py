"""What budgets and loops are judged by: who was turned away, and where the same action was proposed before."""

from alembic import op

from approval_rules.budgets import NO_REJECTION

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # One row a proposal that was turned away for a mistake of its agent: where in the log that stands.
    """CREATE TABLE turned_away (
        agent_id TEXT NOT NULL,
        seq INTEGER NOT NULL REFERENCES entries (seq),
        PRIMARY KEY (agent_id, seq)
    ) STRICT, WITHOUT ROWID""",
    # On the erasable digests themselves, so that nothing of them stays when they go; 96 bits tell actions apart.
    "CREATE INDEX detached_digests ON detached (substr(value, 9, 24), seq) WHERE name = 'digest'",
)
_FILL = (
    "INSERT INTO turned_away SELECT json_extract(CAST(body AS TEXT), '$.actor.ref'), seq FROM entries"  # noqa: S608
    " WHERE type = 'proposal.submit_refused' AND json_extract(CAST(body AS TEXT), '$.data.code') NOT IN "
    + str(tuple(sorted(NO_REJECTION)))
)


def upgrade() -> None:
    """Make them, for what was recorded before too."""
    for statement in (*_STATEMENTS, _FILL):
        op.execute(statement)
