"""Numbers with their nouns."""

import pytest

from handlers.counting import counted


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 tools"), (1, "1 tool"), (2, "2 tools"), (21, "21 tools"), (1000, "1000 tools")]
)
def test_one_is_singular_and_nothing_else(number: int, expected: str) -> None:
    """One thing has the singular; none, two and twenty-one have the plural."""
    assert counted(number, "tool") == expected


def test_a_plural_of_its_own() -> None:
    """A noun that takes no plain `s`, and a phrase with its verb, bring their plural."""
    assert [counted(number, "person has", "people have") for number in (1, 2)] == ["1 person has", "2 people have"]
