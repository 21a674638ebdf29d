"""What a reviewer cannot see in a policy is refused, at its place; what people write is not."""

import pytest

from bot.marked_yaml import Page
from bot.plain_sight import hidden_in, hole_in, spelt_out

LINE = "a: b\n"


@pytest.mark.parametrize(
    "letter",
    [
        *("\u0085", "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f", "\u1680", "\u180e", "\u2003", "\u200b", "\u200d"),
        *("\u200e", "\u202a", "\u202e", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u2066", "\u2069", "\u2800"),
        *("\u3000", "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\U000e0041", "\r"),
    ],
)
def test_characters_without_a_shape_are_refused(letter: str) -> None:
    """Blanks of other widths, turns of direction, ends of lines that an editor does not show."""
    page = Page("x.yml")
    assert page.read(f"{LINE}# {letter} b\nc: d".encode()) is None
    (fault,) = page.faults
    assert (fault.line, fault.column) == (2, 3)
    assert f"U+{ord(letter):04X}" in fault.detail


@pytest.mark.parametrize(
    "text", ["a: b\r\nc: d\r\n", "\ufeffa: b", "a: Z\u00fcrich \u20ac 5", "a: \u041c\u043e\u0441\u043a\u0432\u0430"]
)
def test_what_people_write_is_not(text: str) -> None:
    """Ends of lines of another system, its mark of byte order in front, letters of all languages."""
    assert hidden_in(text) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (f"- {{if: x,{40 * ' '}allow: true}}", 49),
        (f"- {{if: x,{39 * ' '}allow: true}}", None),
        (f"a: b{60 * ' '}# a comment", None),
        (f"# a comment{60 * ' '}with a table", None),
        (f"  # a comment{60 * ' '}with a table\na: b{60 * ' '}c", 150),
        (f"{60 * ' '}a: b", None),
        (f"a: b{60 * ' '}\nc: d", None),
    ],
)
def test_what_stands_far_off_to_the_right_is_refused(text: str, at: int | None) -> None:
    """Nobody scrolls there; a comment may stand there, and an indent is none of it."""
    found = hidden_in(text)
    assert (found and found[0]) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [("a > 1    or b", 9), ("a > 1   or b", None), ("a > 1\n\nor b", 7), ("a > 1\nor b\n", None), ("a > 1     ", None)],
)
def test_a_condition_has_no_holes(text: str, at: int | None) -> None:
    """It does not go on where a reader thinks that it has ended."""
    found = hole_in(text)
    assert (found and found[0]) == at


@pytest.mark.parametrize(
    ("source", "spelt"),
    [
        (r'"a > 5\x30"', True),
        (r'"a > 5\u0030"', True),
        ('"a > 5\\\n  0"', True),
        (r'"a == \"b\""', False),
        ('"a > 5"', False),
        (r"'a > 5\x30'", False),
    ],
)
def test_a_condition_is_not_spelt_in_escapes(source: str, spelt: bool) -> None:  # noqa: FBT001 - the expected answer
    """A number whose last digit is an escape reads as a tenth of itself; a quote may be escaped."""
    assert spelt_out(source) is spelt
