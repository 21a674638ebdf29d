"""The bytes of the log: RFC 8785 against the reference package, RFC 6962 and RFC 9901 against their own examples."""

import base64
import hashlib
import json
from collections import OrderedDict
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.log_format import (
    FIELDS,
    FIRST_PREV,
    MAX_ENTRY_BYTES,
    Entry,
    EntryError,
    canonical,
    disclosure_digest,
    leaf_hash,
    seal,
)

LARGEST = 2**53 - 1
ASCII_NAMES = st.text(st.characters(max_codepoint=0x7F))
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII_NAMES, inner, max_size=4), max_leaves=20
)


def entry(seq: int = 0, prev: bytes | None = None, **changed: Any) -> Entry:  # noqa: ANN401 - JSON
    """One sealed entry."""
    fields: dict[str, Any] = {
        "entry_id": "evt_1",
        "at": "2026-01-31T12:00:00.000000Z",
        "kind": "agent.changed",
        "actor": {"kind": "operator", "ref": "pers_1"},
        "subject": "agent_1",
        "policy": None,
        "data": {"change": "added"},
        "sd": [],
    }
    return seal(seq=seq, prev=prev, **{**fields, **changed})


@given(VALUES)
def test_canonical_is_rfc_8785(value: Any) -> None:  # noqa: ANN401 - JSON
    """For everything that an entry may hold, the bytes are those of the reference implementation, and read back."""
    written = canonical(value)
    assert written == rfc8785.dumps(value)
    assert json.loads(written) == value


def test_a_tuple_is_written_as_a_list() -> None:
    """Python's two kinds of sequence are one in JSON."""
    assert canonical({"b": ("x", 1), "a": []}) == b'{"a":[],"b":["x",1]}'


class _Text(str):
    """A name with a type of its own, as the rules have them."""

    __slots__ = ()


@pytest.mark.parametrize("odd", [_Text("x"), HTTPStatus.OK, OrderedDict(a=1), MappingProxyType({"a": 1})])
def test_only_plain_types_are_written(odd: Any) -> None:  # noqa: ANN401 - what no type checker would let pass
    """A text, a number or a mapping of a type of its own is refused: what it would be written as is its own affair."""
    for value in (odd, [odd], {"a": [odd]}):
        with pytest.raises(EntryError, match=f"cannot hold a {type(odd).__name__}"):
            canonical(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.5, "cannot hold a float"),
        (float("nan"), "cannot hold a float"),
        (2**53, "beyond 2^53-1"),
        (-(2**53), "beyond 2^53-1"),
        ("\ud800", "lone surrogate"),
        ("é\udfff", "lone surrogate"),
        ({"é": 1}, "field names are ASCII"),
        (b"x", "cannot hold a bytes"),
        ([{"a": [1.0]}], "cannot hold a float"),
    ],
)
def test_what_two_programs_could_read_differently_is_refused(value: Any, why: str) -> None:  # noqa: ANN401 - JSON
    """Floats, huge integers, broken text and odd names never get into the log, however deep they lie."""
    with pytest.raises(EntryError, match=why.replace("^", r"\^")):
        canonical(value)


@pytest.mark.parametrize("edge", [LARGEST, -LARGEST, "\ud7ff", "\ue000", "\U0001f600"])
def test_the_edges_are_allowed(edge: int | str) -> None:
    """The largest exact integers, the neighbours of the surrogates and letters beyond them are fine."""
    assert canonical(edge) == rfc8785.dumps(edge)


def test_a_leaf_hash_is_that_of_rfc_6962() -> None:
    """A leaf is hashed with a zero byte in front; the empty leaf is the known constant."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"x") == hashlib.sha256(b"\0x").digest()


def test_a_disclosure_digest_is_that_of_rfc_9901() -> None:
    """The digest of the RFC's own first example comes out."""
    salt, name, value = "_26bc4LT-ac6q2KI6cBW5es", "family_name", '"Möbius"'
    encoded = base64.urlsafe_b64encode(f'["{salt}","{name}",{value}]'.encode()).rstrip(b"=")
    expected = base64.urlsafe_b64encode(hashlib.sha256(encoded).digest()).rstrip(b"=").decode()
    assert disclosure_digest(salt, name, value) == expected
    assert "=" not in expected
    assert disclosure_digest(salt, name, '"Mobius"') != expected


def test_entries_form_a_chain() -> None:
    """The first entry links to zeros, the next to the leaf hash of the one before; the fields are fixed."""
    first = entry()
    second = entry(1, first.leaf_hash, sd=["b", "a"])
    one, two = json.loads(first.body), json.loads(second.body)
    assert tuple(sorted(one)) == FIELDS
    assert one["prev"] == FIRST_PREV
    assert two["prev"] == first.leaf_hash.hex() == leaf_hash(first.body).hex()
    assert two["_sd"] == ["a", "b"]
    assert (one["v"], one["seq"], two["seq"]) == (1, 0, 1)


def test_an_entry_is_16_kib_at_the_most() -> None:
    """The size is checked on the bytes that are stored, and said."""
    room = MAX_ENTRY_BYTES - len(entry(data={"x": ""}).body)
    assert len(entry(data={"x": "y" * room}).body) == MAX_ENTRY_BYTES
    with pytest.raises(EntryError, match=r"an entry agent.changed of 16385 bytes is over 16384: nothing was recorded"):
        entry(data={"x": "y" * (room + 1)})
