"""Checkpoints for tests: of the leaves that a table holds, signed with a key of the test's own."""

import sqlite3

from bot.audit.merkle import Frontier, grown
from bot.audit.signed_note import Checkpoint, origin_of, signed_checkpoint
from bot.keys import SigningKey, generate

KEY = generate()
KEYS = [KEY.public_bytes()]


def checkpoint_of(db: sqlite3.Connection, size: int | None = None) -> Checkpoint:
    """Say what the first entries come to, or all of them."""
    leaves = [bytes(row[0]) for row in db.execute("SELECT leaf_hash FROM entries ORDER BY seq")][:size]
    return Checkpoint(origin_of(leaves[0] if leaves else None), len(leaves), grown(Frontier(), leaves)[0].root)


def note_of(checkpoint: Checkpoint, key: SigningKey = KEY) -> str:
    """Sign a checkpoint."""
    return signed_checkpoint(checkpoint, [key.signer])
