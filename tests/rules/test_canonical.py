"""Canonical form: one value has one form, and it is the form of RFC 8785."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from approval_rules.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    NotCanonicalError,
    canonical_bytes,
    canonical_text,
    digest_of,
    sha256_name,
)

STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["\U0001f600", "\ufb33", "\u20ac", "\x7f", "\u2028", "\u0080", "", "/", "~", '"\\']
)
# Doubles that are not integers beyond 2^53-1: those are the ones that the product accepts.
DOUBLES = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: abs(number) <= MAX_INTEGER or not number.is_integer()
)
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | DOUBLES | STRINGS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4), max_leaves=12
)


def exact(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value as the product's parser reads it: every number with a point or an exponent is a Decimal."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return value


@given(VALUES)
@example([1e-6, 1e-7, 0.1, -0.0, 5e-324, 1.5e-7, 123456.789, 2.2250738585072014e-308, 4503599627370496.5, -1e-5])
@example({"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "\r": 4, "1": 5, "\u0080": 6, "\u00f6": 7})
@example("".join(map(chr, range(0x20))) + "\x7f\u2028\u2029")
@example([True, 1, False, 0, None, [], {}])
def test_equals_the_reference_implementation(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Every value that is accepted has exactly the bytes that the `rfc8785` package gives."""
    assert canonical_bytes(exact(value)) == rfc8785.dumps(value)


@given(VALUES)
def test_canonical_form_reads_back(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Reading the canonical form and writing it again changes nothing."""
    text = canonical_text(exact(value))
    assert canonical_text(json.loads(text, parse_float=Decimal)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(-1, 1, places=20))
@example(Decimal("50.0000000000000001"))
@example(Decimal("0E+20"))
@example(Decimal("1E+999999"))
@example(Decimal("1E-999999"))
def test_a_number_is_exact_or_refused(number: Decimal) -> None:
    """No number is ever rounded: what is written is equal to what came in, or nothing is written."""
    try:
        text = canonical_text(number)
    except NotCanonicalError:
        return
    assert Decimal(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "9007199254740992",
        "-9007199254740992",
        "9007199254740991.5",
        "1E+16",
        "1E+400",
        "1E-400",
        "0.1000000000000000000001",
        "50.0000000000000001",
        "3.00000000000000000000000001",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
    ],
)
def test_refuses_numbers_that_a_double_cannot_carry(text: str) -> None:
    """A number that would change on its way through a double is refused with its place."""
    with pytest.raises(NotCanonicalError) as refused:
        canonical_text({"amount": [Decimal(text)]})
    assert refused.value.pointer == "/amount/0"


@pytest.mark.parametrize("number", [MAX_INTEGER + 1, -MAX_INTEGER - 1, 10**400])
def test_refuses_integers_beyond_2_53_minus_1(number: int) -> None:
    """An integer that JavaScript cannot hold is refused, with advice."""
    with pytest.raises(NotCanonicalError, match="send it as a string"):
        canonical_text(number)
    assert canonical_text(MAX_INTEGER) == "9007199254740991"


@pytest.mark.parametrize("zero", ["0", "-0", "0.0", "-0.0", "0E-400", "0E+20", "-0E+99"])
def test_zero_has_one_form(zero: str) -> None:
    """Every way to write zero is zero."""
    assert canonical_text(Decimal(zero)) == "0"


def test_equal_amounts_have_one_digest() -> None:
    """50, 50.0 and 5E+1 are one amount, so a vote for one is a vote for all; 50.01 is another."""
    same = {digest_of("payments.refund", {"amount": amount}) for amount in (50, Decimal("50.0"), Decimal("5E+1"))}
    assert len(same) == 1
    assert digest_of("payments.refund", {"amount": Decimal("50.01")}) not in same


def test_digest_is_what_the_contract_says() -> None:
    """The digest is `sha256:` and the hex of the canonical `{"arguments", "tool"}`."""
    expected = hashlib.sha256(b'{"arguments":{"a":1},"tool":"t"}').hexdigest()
    assert digest_of("t", {"a": 1}) == f"sha256:{expected}" == sha256_name(b'{"arguments":{"a":1},"tool":"t"}')


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ("\ud800", ""),
        ({"a": ["x", "\udfff"]}, "/a/1"),
        ({"\ud800": 1}, "/\\ud800"),
        ({"ok": {"bad\udc00": 1}}, "/ok/bad\\udc00"),
    ],
)
def test_refuses_lone_surrogates(value: Any, pointer: str) -> None:  # noqa: ANN401 - any JSON value
    """Half a character is not text, in a value or in a key; the pointer itself can be printed."""
    with pytest.raises(NotCanonicalError, match="lone surrogate") as refused:
        canonical_text(value)
    assert refused.value.pointer == pointer
    assert str(refused.value).encode()


def test_pointer_escapes_as_rfc_6901() -> None:
    """`~` becomes `~0` and `/` becomes `~1`, in this order."""
    with pytest.raises(NotCanonicalError) as refused:
        canonical_text({"a~1/b": [{"": MAX_INTEGER + 1}]})
    assert refused.value.pointer == "/a~01~1b/0/"


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
@pytest.mark.parametrize("core", [1, [], {}])
def test_refuses_more_than_32_levels(wrap: Any, core: Any) -> None:  # noqa: ANN401 - any JSON value
    """32 containers inside each other are accepted and 33 are refused, whether the innermost is empty or not."""
    value = core
    for _ in range(MAX_DEPTH - (core != 1)):
        value = wrap(value)
    assert canonical_text(value)
    with pytest.raises(NotCanonicalError, match="deeper than 32"):
        canonical_text(wrap(value))


@pytest.mark.parametrize("value", [1.5, b"bytes", {1, 2}, object()])
def test_refuses_what_is_not_json(value: Any) -> None:  # noqa: ANN401 - anything
    """A binary float, bytes or an object never gets a form by accident."""
    with pytest.raises(NotCanonicalError, match="is not JSON"):
        canonical_text({"a": value})


def test_message_names_the_place() -> None:
    """The message begins with the pointer; the whole value is `/`."""
    assert str(NotCanonicalError("/a", "no")) == "/a: no"
    assert str(NotCanonicalError("", "no")) == "/: no"


def test_the_error_passes_through_context_managers() -> None:
    """The refusal survives `contextlib`, which sets the traceback of what passes through it."""

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        yield

    with pytest.raises(NotCanonicalError), transaction():
        canonical_text(Decimal("NaN"))
