"""The reader: what it accepts it carries exactly, and one meaning has one digest."""

import json
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from approval_rules.canonical import MAX_INTEGER, NotCanonicalError, sha256_name
from handlers.http.strict_json import ReadJson, _read_exactly, _read_simple, read_json

STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: abs(number) <= MAX_INTEGER
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


def has_float(value: object) -> bool:
    """Whether a float hides anywhere."""
    if isinstance(value, dict):
        return any(map(has_float, value.values()))
    return any(map(has_float, value)) if isinstance(value, list) else isinstance(value, float)


@given(VALUES, st.booleans())
def test_reads_what_was_written(value: Any, spaced: bool) -> None:  # noqa: ANN401, FBT001 - any JSON value; Hypothesis calls it
    """Every ordinary JSON text is read to its value, without a float, and its digest ignores spelling and spacing."""
    text = json.dumps(value, indent=2 if spaced else None, ensure_ascii=spaced)
    read = read_json(text.encode())
    assert read.value == json.loads(text, parse_float=Decimal)
    assert not has_float(read.value)
    assert read.digest == sha256_name(rfc8785.dumps(value))


PIECES = (
    *("{", "}", "[", "]", ",", ":", '"', '{"a":', '"b":1,', '"b":2,', '"\\u003a"', '":"', '"\\\\u003a"', '"\\u0062":'),
    *("1", "-0", "-0.0", "2.50", "0.0001", "1e2", "12345678901234.5", "9007199254740993", "null", "true", "NaN"),
    *(" ", "\n", '"\U0001f642":', '"\uff5e":'),
)
JSON_TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def known(raw: bytes) -> ReadJson | type[Exception]:
    """What the exact reader makes of a text."""
    try:
        return _read_exactly(raw)
    except (ValueError, NotCanonicalError) as error:
        return type(error)


@given(VALUES | st.dictionaries(STRINGS, VALUES, max_size=3), st.booleans(), st.booleans())
def test_the_fast_reader_is_the_exact_one(value: Any, spaced: bool, escaped: bool) -> None:  # noqa: ANN401, FBT001
    """What the fast reader reads at all, it reads as the exact one does."""
    raw = json.dumps(value, indent=2 if spaced else None, ensure_ascii=escaped).encode()
    fast = _read_simple(raw)
    assert fast is None or fast == _read_exactly(raw)


@given(JSON_TEXTS, st.binary(max_size=8))
@example('{"a":1,"a":2}', b"")
@example('{"a":"\\u003a","b":1,"b":2}', b"")
@example('{"a":{"b":1,"b":2},"c":":"}', b"")
@example('{"a":"\\\\u003a"}', b"")
def test_the_fast_reader_reads_nothing_that_the_exact_one_refuses(text: str, noise: bytes) -> None:
    """Whatever comes: doubled names hidden behind escaped colons, broken UTF-8, numbers that do not fit."""
    for raw in (text.encode(), f'{{"a":{text}}}'.encode(), text.encode() + noise):
        fast = _read_simple(raw)
        assert fast is None or fast == known(raw)


def test_what_agents_send_is_read_fast() -> None:
    """An ordinary proposal takes the short way, with umlauts too; else the tests above would say little."""
    body = {"tool": "a.b", "arguments": {"amount_usd": 180.25, "n": -7, "ok": True}, "summary": 'Müller: "zurück"'}
    fast = _read_simple(json.dumps(body, ensure_ascii=False).encode())
    assert fast is not None
    assert fast == _read_exactly(json.dumps(body).encode())
    assert isinstance(fast.value, dict)
    assert isinstance(fast.value["arguments"]["amount_usd"], Decimal)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
@example(Decimal("0.10"))
@example(Decimal("-0"))
def test_keeps_every_digit(number: Decimal) -> None:
    """A number arrives as the decimal that was written, not as the nearest binary fraction."""
    read = read_json(f"[{number:f}]".encode()).value
    assert isinstance(read, list)
    assert Decimal(str(read[0])) == number


@given(st.text("0123456789", min_size=17, max_size=40), st.sampled_from(["", "-"]))
def test_never_rounds(digits: str, sign: str) -> None:
    """A number with many digits is carried exactly or refused; it is never another number."""
    text = f"{sign}0.{digits}"
    try:
        read = read_json(text.encode())
    except NotCanonicalError as error:
        assert "exactly" in error.detail  # noqa: PT017 - both outcomes are fine, and both are checked
    else:
        assert read.value == Decimal(text)
        assert Decimal(repr(float(text))) == Decimal(text)


@pytest.mark.parametrize(("one", "other"), [("50", "50.00"), ("50", "5e1"), ("0", "-0.0"), ("1e-7", "0.0000001")])
def test_one_number_has_one_digest(one: str, other: str) -> None:
    """50, 50.00 and 5e1 are the same body."""
    assert read_json(one.encode()).digest == read_json(other.encode()).digest


@pytest.mark.parametrize(("one", "other"), [("50", '"50"'), ("1", "true"), ("0", "null"), ("[]", "{}"), ('""', "null")])
def test_different_values_have_different_digests(one: str, other: str) -> None:
    """A number is not its text, and nothing is not zero."""
    assert read_json(one.encode()).digest != read_json(other.encode()).digest


@given(st.recursive(st.just("1"), lambda inner: inner.map(lambda text: f'{{"a":{text},"b":[{text}]}}'), max_leaves=4))
def test_a_name_twice_is_found_anywhere(text: str) -> None:
    """Wherever an object repeats a name, the pointer leads to that name."""
    doubled = text.replace("1", '{"x":1,"x":1}', 1)
    with pytest.raises(NotCanonicalError, match="twice") as refused:
        read_json(doubled.encode())
    assert refused.value.pointer == "/a" * doubled[: doubled.index("x")].count('"a"') + "/x"
