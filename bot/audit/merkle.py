"""RFC 6962's tree over the log's leaf hashes: roots, inclusion and consistency proofs. No I/O, knows no entry.

A tree of millions is never held whole. Whoever wants a proof gives a way to look up the hash of a complete subtree
(`NodeAt`); whoever appends keeps a `Frontier`, which is the few complete subtrees that the present size is made of.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

KEPT = 8
"""Every eighth level is kept, as C2SP's tiles are: 256 hashes are enough to compute what lies between two."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

NodeAt: TypeAlias = Callable[[int, int], bytes]
"""`node(level, index)`: the hash of the complete subtree over leaves `index << level` up to `(index + 1) << level`."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one: SHA-256 of a one byte and both."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees of a tree of `size` leaves, largest first: one for each bit of the size."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """Give the frontier with one leaf more."""
        return grown(self, [leaf])[0]

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


class Full(NamedTuple):
    """A complete subtree of 256, 65,536, … leaves, as `NodeAt` names it: what is kept, so that nothing is refolded."""

    level: int
    idx: int
    hash: bytes


def grown(frontier: Frontier, leaves: Iterable[bytes]) -> tuple[Frontier, list[Full]]:
    """Give the frontier with these leaves more, and each subtree of a kept level that became complete by them."""
    peaks, size = list(frontier.peaks), frontier.size
    full: list[Full] = []
    for leaf in leaves:
        node, index, level = leaf, size, 0
        while index & 1:
            node = node_hash(peaks.pop(), node)
            index >>= 1
            level += 1
            if level % KEPT == 0:
                full.append(Full(level, index, node))
        peaks.append(node)
        size += 1
    return Frontier(size, tuple(peaks)), full


def frontier_of(size: int, node: NodeAt) -> Frontier:
    """Look up the frontier of the first `size` leaves."""
    return Frontier(size, tuple(node(level, index) for level, index in _cover(0, size)))


def inclusion_proof(index: int, size: int, node: NodeAt) -> list[bytes]:
    """Prove that leaf `index` stands in the tree of the first `size` leaves (RFC 6962, 2.1.1). Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not among the first {size}")
    return _path(index, 0, size, node)


def consistency_proof(earlier: int, size: int, node: NodeAt) -> list[bytes]:
    """Prove that the tree of `earlier` leaves begins that of `size` (RFC 6962, 2.1.2). Raises ValueError."""
    if not 0 < earlier <= size:
        raise ValueError(f"a tree of {earlier} is no beginning of one of {size}")
    return _subproof(earlier, 0, size, node, whole=True)


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Check an inclusion proof (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def continues(earlier_root: bytes, earlier: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == root
    steps = [earlier_root, *proof] if earlier & (earlier - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == earlier_root and new == root


# --- subtrees of any range


def _cover(begin: int, end: int) -> list[tuple[int, int]]:
    """Split leaves `begin` to `end` into complete subtrees, largest first; the first fits at `begin`."""
    found = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def _range_root(begin: int, end: int, node: NodeAt) -> bytes:
    covers = _cover(begin, end)
    return Frontier(end - begin, tuple(node(level, index) for level, index in covers)).root


def _split(begin: int, end: int) -> int:
    """Give where RFC 6962 halves a range: after the largest power of two below its length."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _path(index: int, begin: int, end: int, node: NodeAt) -> list[bytes]:
    if end - begin == 1:
        return []
    middle = _split(begin, end)
    if index < middle:
        return [*_path(index, begin, middle, node), _range_root(middle, end, node)]
    return [*_path(index, middle, end, node), _range_root(begin, middle, node)]


def _subproof(earlier: int, begin: int, end: int, node: NodeAt, *, whole: bool) -> list[bytes]:
    if earlier == end:
        return [] if whole else [_range_root(begin, end, node)]
    middle = _split(begin, end)
    if earlier <= middle:
        return [*_subproof(earlier, begin, middle, node, whole=whole), _range_root(middle, end, node)]
    return [*_subproof(earlier, middle, end, node, whole=False), _range_root(begin, middle, node)]
