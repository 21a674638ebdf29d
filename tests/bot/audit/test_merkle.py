"""The tree: against RFC 6962's own definition, and against whoever lies about a proof."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    continues,
    frontier_of,
    includes,
    inclusion_proof,
    node_hash,
)

# The leaves of the tests that certificate-transparency programs share, with the roots of the first one to eight.
LEAVES = [
    hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest()
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
sizes = st.integers(1, 300)


def leaf(number: int) -> bytes:
    """Make the leaf hash of a numbered entry."""
    return hashlib.sha256(b"\x00%d" % number).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Compute a root as RFC 6962 defines it, slowly."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_of(leaves[:half]), root_of(leaves[half:]))


def node(level: int, index: int) -> bytes:
    """Look up a complete subtree over numbered leaves."""
    return root_of([leaf(each) for each in range(index << level, (index + 1) << level)])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_that_everybody_computes(size: int) -> None:
    """The known roots of the known leaves."""
    frontier = Frontier()
    for each in LEAVES[:size]:
        frontier = frontier.append(each)
    assert frontier.root.hex() == ROOTS[size - 1]


def test_an_empty_tree_has_the_empty_root() -> None:
    """SHA-256 of nothing."""
    assert Frontier().root == EMPTY_ROOT
    assert frontier_of(0, node) == Frontier()


@given(sizes)
def test_appending_gives_the_defined_root(size: int) -> None:
    """Leaf by leaf or looked up whole: the same frontier, and RFC 6962's root."""
    frontier = Frontier()
    for number in range(size):
        frontier = frontier.append(leaf(number))
    assert frontier == frontier_of(size, node)
    assert frontier.root == root_of([leaf(number) for number in range(size)])


@given(sizes, st.data())
def test_an_inclusion_proof_convinces(size: int, data: st.DataObject) -> None:
    """Each entry of each size can be proved, and no other entry, place, size or root by the same proof."""
    index = data.draw(st.integers(0, size - 1))
    root = frontier_of(size, node).root
    proof = inclusion_proof(index, size, node)
    assert includes(root, size, index, leaf(index), proof)
    assert not includes(root, size, index, leaf(size), proof)
    assert not includes(leaf(size), size, index, leaf(index), proof)
    assert not includes(root, size, index, leaf(index), [*proof, leaf(0)])
    assert not includes(root, size, size, leaf(index), proof)
    assert not includes(root, size, -1, leaf(index), proof)
    if proof:
        assert not includes(root, size, index, leaf(index), proof[:-1])
        assert not includes(root, size, index, leaf(index), [leaf(size), *proof[1:]])
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index)) if size > 1 else None
    if other is not None:
        assert not includes(root, size, other, leaf(index), proof)


@given(sizes, st.data())
def test_a_consistency_proof_convinces(size: int, data: st.DataObject) -> None:
    """Each earlier tree is proved to be the beginning, and a log that was rewritten in between is found."""
    earlier = data.draw(st.integers(1, size))
    before, now = frontier_of(earlier, node).root, frontier_of(size, node).root
    proof = consistency_proof(earlier, size, node)
    assert continues(before, earlier, now, size, proof)
    assert not continues(leaf(0) + b"x", earlier, now, size, proof)
    assert not continues(before, earlier, leaf(size), size, proof)
    assert not continues(before, earlier, now, size, [*proof, leaf(0)])
    assert not continues(before, 0, now, size, proof)
    assert not continues(before, size + 1, now, size, proof)
    if proof:
        assert not continues(before, earlier, now, size, proof[:-1])
        assert not continues(before, earlier, now, size, [])
        assert not continues(before, earlier, now, size, [*proof[:-1], leaf(size)])


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_what_is_not_there_cannot_be_proved(index: int, size: int) -> None:
    """An entry outside of the tree is an error, not a proof."""
    with pytest.raises(ValueError, match="not among"):
        inclusion_proof(index, size, node)


@pytest.mark.parametrize(("earlier", "size"), [(0, 5), (6, 5)])
def test_a_later_tree_is_no_beginning(earlier: int, size: int) -> None:
    """Nothing, and more than there is, are errors."""
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof(earlier, size, node)
