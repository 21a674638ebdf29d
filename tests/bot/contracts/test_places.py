"""Where in a JSON text a pointer leads: the same place that a person would point at."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.text import Json
from bot.contracts.places import line_and_column, places_of
from bot.contracts.schema import escaped

TEXT = """{
  "a": {"x": [10, {"y/z": true}, "}"], "é": "\\"{", "": null},
  "b": [[], 5], "a~b": 6
}"""


@pytest.mark.parametrize(
    ("pointer", "begins"),
    [
        ("", "{\n"),
        ("/a", '{"x"'),
        ("/a/x", "[10"),
        ("/a/x/0", "10"),
        ("/a/x/1/y~1z", "true"),
        ("/a/x/2", '"}"'),
        ("/a/é", '"\\"{"'),
        ("/a/", "null"),
        ("/b/0", "[]"),
        ("/b/1", "5]"),
        ("/a~0b", "6"),
        ("/a/none/deeper", '{"x"'),
        ("/none", "{\n"),
    ],
)
def test_a_value_is_found(pointer: str, begins: str) -> None:
    """By names and numbers, with what a pointer escapes; else the last value on the way."""
    ((line, column),) = places_of(TEXT, [pointer])
    assert "\n".join([TEXT.splitlines()[line - 1][column - 1 :], *TEXT.splitlines()[line:]]).startswith(begins)


def test_the_second_of_two_is_meant() -> None:
    """A name that is said twice is pointed at where it is said again; no JSON at all is pointed at as a whole."""
    assert list(places_of('{"a": 1,\n "a": 2}', ["/a"])) == [(2, 7)]
    assert list(places_of('{"a": ', [""])) == [(1, 1)]


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def pointers(value: Json, pointer: str = "") -> dict[str, Json]:
    """Every value inside, by its pointer."""
    found = {pointer: value}
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        found |= pointers(each, f"{pointer}/{escaped(str(name))}")
    return found


@given(_json, st.sampled_from([None, 1]), st.booleans())
def test_every_value_of_any_json_is_found(value: Json, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    """What begins at the place is the value itself, however the text is laid out."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    places = {line_and_column(text, offset): offset for offset in range(len(text))}
    for (pointer, one), place in zip(pointers(value).items(), places_of(text, pointers(value)), strict=True):
        assert json.JSONDecoder().raw_decode(text, places[place])[0] == one, pointer
