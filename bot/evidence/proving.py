"""Proves the entries of one decision under a signed checkpoint, and finds what does not hold. Signs nothing itself.

A checkpoint is only ever taken from the anchor or from the database, and believed for its signature: one signed here
and now would vouch for whatever an administrator had made of the log.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.audit.log_format import EntryError, canonical, disclosure_digest, leaf_hash
from bot.audit.merkle import includes, inclusion_proof
from bot.audit.signed_note import Checkpoint, NoteError, checkpoint_in
from bot.audit.tiles import IncompleteTreeError, StoredNodes, stored_frontier
from bot.store.decisions import Written, kept_checkpoint


@dataclass(frozen=True, slots=True)
class Proofs:
    """What can be proved: `hashes` by log index, under `note`; and what is wrong, in words."""

    note: str | None
    checkpoint: Checkpoint | None
    hashes: Mapping[int, Sequence[bytes]]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anchored:
    """The newest signed checkpoint, from the file beside the key; `fault` says why there is none to be believed."""

    note: str | None
    checkpoint: Checkpoint | None
    fault: str | None = None


def anchored(path: Path, keys: Sequence[bytes]) -> Anchored:
    """Read the anchor. It MUST be read before the database's view is taken: a server goes on writing both."""
    try:
        note = path.read_text(encoding="utf-8")
        return Anchored(note, checkpoint_in(note, keys))
    except FileNotFoundError:
        return Anchored(None, None, f"{path} is missing, so nobody can tell whether the log's tail was cut off")
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, NoteError) else type(error).__name__
        return Anchored(None, None, f"{path} is not an anchor that this key has signed ({why})")


def proofs_of(
    connection: sqlite3.Connection, written: Sequence[Written], newest: Anchored, keys: Callable[[int], Sequence[bytes]]
) -> Proofs:
    """Prove every entry that a checkpoint covers, in the caller's read transaction.

    `keys` gives the public keys whose checkpoint of so many entries counts.
    """
    faults = [fault for each in written for fault in _entry_faults(each)]
    faults += _anchor_faults(connection, newest)
    note, checkpoint = _checkpoint(connection, written[-1].seq + 1, newest, keys, faults)
    hashes: dict[int, Sequence[bytes]] = {}
    if checkpoint is not None:
        node = StoredNodes(connection)
        for each in written:
            if each.seq < checkpoint.size:
                proof = _proved(node, each, checkpoint)
                if proof is None:
                    faults.append(f"entry {each.seq} does not stand in the log that was signed: history was rewritten")
                else:
                    hashes[each.seq] = proof
    return Proofs(note, checkpoint, hashes, tuple(faults))


def _checkpoint(
    connection: sqlite3.Connection,
    size: int,
    newest: Anchored,
    keys: Callable[[int], Sequence[bytes]],
    faults: list[str],
) -> tuple[str | None, Checkpoint | None]:
    """Choose the checkpoint: one that is kept and covers everything, else the anchor."""
    kept = kept_checkpoint(connection, size)
    if kept is not None:
        try:
            return kept.note, checkpoint_in(kept.note, keys(kept.size))
        except (NoteError, ValueError) as error:
            faults.append(f"a kept checkpoint of {size} entries or more cannot be believed: {error}")
    if newest.checkpoint is None or not newest.checkpoint.size:
        return None, None
    return newest.note, newest.checkpoint


def _anchor_faults(connection: sqlite3.Connection, newest: Anchored) -> Iterator[str]:
    """Hold the whole log's root against the anchor: a tail that was cut off, or an older copy, shows there."""
    if newest.fault is not None:
        yield newest.fault
    elif newest.checkpoint is not None and newest.checkpoint.size:
        size = newest.checkpoint.size
        try:
            whole = stored_frontier(connection, size).root == newest.checkpoint.root
        except IncompleteTreeError:
            whole = False
        if not whole:
            yield f"the log differs from the signed anchor within its first {size} entries, or ends before them"


def _proved(node: StoredNodes, each: Written, checkpoint: Checkpoint) -> Sequence[bytes] | None:
    try:
        proof = inclusion_proof(each.seq, checkpoint.size, node)
    except IncompleteTreeError:
        return None
    leaf = leaf_hash(each.body)
    return proof if includes(checkpoint.root, checkpoint.size, each.seq, leaf, proof) else None


def _entry_faults(each: Written) -> Iterator[str]:
    """Hold one entry against itself and its values."""
    if leaf_hash(each.body) != each.leaf_hash:
        yield f"entry {each.seq}: the stored hash is not the hash of the entry"
    try:
        entry = json.loads(each.body)
        if canonical(entry) != each.body or entry["seq"] != each.seq:
            yield f"entry {each.seq}: it is not in canonical form, or not in its place"
        promised = entry["_sd"]
    except (ValueError, EntryError, RecursionError, KeyError, TypeError):
        yield f"entry {each.seq}: it cannot be read"
        return
    for value in each.living:
        if disclosure_digest(*value) not in promised:
            yield f"entry {each.seq}: the detached value {value.name!r} was changed"
