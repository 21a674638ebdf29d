"""Personal arguments are taken apart from the rest and put back: exactly, at any depth, whatever an agent sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.canonical import canonical_text
from approval_rules.personal import found_in, joined, lost, parted
from approval_rules.text import AgentJson, Json

NAMES = ("mail", "phone", "x")
_KEYS = st.sampled_from([*NAMES, "a", "b", ""])
_LEAVES: st.SearchStrategy[Json] = st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3)
VALUES: st.SearchStrategy[Json] = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=12
)


@given(VALUES, st.sets(st.sampled_from(NAMES)))
def test_what_is_parted_comes_together_again(value: Json, names: set[str]) -> None:
    """The same bytes come back, none of the names is left in the rest, and nothing was changed on the way."""
    before = canonical_text(value)
    rest, mine = parted(value, names)
    assert canonical_text(joined(rest, mine)) == before == canonical_text(value)
    assert not found_in(rest, names)
    assert (mine is None) == (not found_in(value, names))


@given(VALUES)
def test_the_rest_tells_nothing_of_what_was_taken(value: Json) -> None:
    """Two values that differ in personal fields only leave the same rest, null or not."""
    other, _ = parted(_with(value, "secret"), NAMES)
    assert canonical_text(parted(_with(value, None), NAMES)[0]) == canonical_text(other)


def _with(value: Json, told: Json) -> Json:
    if isinstance(value, dict):
        return {key: told if key in NAMES else _with(inner, told) for key, inner in value.items()}
    return [_with(inner, told) for inner in value] if isinstance(value, list) else value


def test_a_list_keeps_its_places() -> None:
    """Nobody can move an address from one customer to another by putting the parts together."""
    sent: Json = {"to": [{"mail": "a", "n": 1}, {"n": 2}, {"mail": None, "n": 3}], "mail": {"n": 4}}
    rest, mine = parted(sent, {"mail"})
    assert rest == {"to": [{"n": 1}, {"n": 2}, {"n": 3}]}
    assert mine == {"to": [{"mail": "a"}, None, {"mail": None}], "mail": {"n": 4}}


@pytest.mark.parametrize(
    ("rest", "mine"), [({"a": 1}, {"a": {"mail": 1}}), ([1], [1, {"mail": 1}]), ({}, []), ("a", {})]
)
def test_parts_that_do_not_fit_are_said(rest: Json, mine: Json) -> None:
    """Nothing is guessed: parts of two values are no value."""
    with pytest.raises(ValueError, match="do not fit"):
        joined(rest, mine)


def test_what_is_lost_is_named() -> None:
    """Those that were there and are not any more; nothing where nothing was personal."""
    assert lost(("mail", "phone"), AgentJson({"a": [{"phone": None}]})) == ("mail",)
    assert lost(None, AgentJson({})) == ()
    assert lost(("mail",), AgentJson({"mail": 1})) == ()
