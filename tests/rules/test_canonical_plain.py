"""Canonical form, the fast way: it writes exactly what the careful way writes, or leaves the value to it."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from approval_rules import canonical
from approval_rules.canonical import MAX_INTEGER, NotCanonicalError, canonical_text


class Word(StrEnum):
    """A string of another type."""

    A = "a"


TEXTS = st.text(st.characters(), max_size=4) | st.sampled_from(["", "\x7f", "\u2028", "\U0001f600", "\ud800", '"\\/'])
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER - 2, MAX_INTEGER + 2)
    | st.decimals(allow_nan=True, places=4)
    | st.decimals(-10, 10)
    | st.sampled_from(Word)
    | TEXTS
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def outcome(value: Any) -> str | tuple[str, str]:  # noqa: ANN401 - any JSON value
    """The canonical text, or the refusal with its place."""
    try:
        return canonical_text(value)
    except NotCanonicalError as error:
        return error.pointer, error.detail


def carefully(value: Any) -> str | tuple[str, str]:  # noqa: ANN401 - any JSON value
    """The same, always by the careful way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "_is_plain", lambda _: False)
        return outcome(value)


@given(VALUES)
@example([Decimal("0.0001"), Decimal("-0.0000"), Decimal(99999999999999), Decimal("50.00"), Decimal("1E+3")])
@example([Decimal("0.00001"), Decimal("999999999.99999"), Decimal("0E-7"), Decimal("9999999999.9999")])
@example({"a": ["\u00e4", {"b": "\ud800"}]})
@example({"\U0001f600": 1, "\ufb33": 2})
@example([MAX_INTEGER, -MAX_INTEGER, MAX_INTEGER + 1])
def test_both_ways_agree(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """For every value the fast way gives the careful way's bytes, or its refusal."""
    assert outcome(value) == carefully(value)


@pytest.mark.parametrize("value", [{"a": [1, "x", None, True, Decimal("50.00"), {"b": "\u00e4"}]}, [], {}, [[0]]])
def test_ordinary_values_take_the_fast_way(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401 - any JSON value
    """What proposals are made of never needs the careful way."""
    expected = carefully(value)
    monkeypatch.delattr(canonical, "_write")
    assert canonical_text(value) == expected
