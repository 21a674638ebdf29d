"""What hostile text becomes: visible, bounded, and never anything that Slack would parse or a person could not see."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.escape import EMPTY, clipped, is_blank, mrkdwn_safe, named, visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("", EMPTY),
        ("plain words, 12%", "plain words, 12%"),
        ("a\u202eb", r"a\u{202E}b"),
        ("a\u2066b\u2069", r"a\u{2066}b\u{2069}"),
        ("pay\u200bpal", r"pay\u{200B}pal"),
        ("\u200b" * 40, r"\u{200B}(40 times)"),
        ("\u3164\u115f\u1160\uffa0\u2800", r"\u{3164}\u{115F}\u{1160}\u{FFA0}\u{2800}"),
        ("\U000e0041\U000e0042", r"\u{E0041}\u{E0042}"),
        ("\ue000\u0378\u2028\u2029", r"\u{E000}\u{378}\u{2028}\u{2029}"),
        ("a\x00\x1b[31m\x7f", r"a\u{0}\u{1B}[31m\u{7F}"),
        ("a\tb\rc\nd", r"a\u{9}b\u{D}c\u{A}d"),
        ("a\u00a0b\u3000c", r"a\u{A0}b\u{3000}c"),
        ("\ud800", r"\u{D800}"),
        ("x\ufe0f", r"x\u{FE0F}"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f" + r"\u{FE0F}"),
        ("x\U000e0100", r"x\u{E0100}"),
        (" x ", r"\u{20}x\u{20}"),
        ("a" + " " * 20 + "b", r"a\u{20}(20 times)b"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
        ("\u0301x", r"\u{301}x"),
        ("a" + "\u0301" * 50, "a\u0301\u0301\u0301" + r"\u{301}(47 times)"),
        ("1\u03360\u0336", r"1\u{336}0\u{336}"),
        (r"\u{202E}", r"\u{5C}u{202E}"),
        ("\u200b(40 times)", r"\u{200B}\u{28}40 times)"),
        ("https://evil.example/a?b", "https[:]//evil.example/a?b"),
        ("[:]//x", r"\u{5B}:]//x"),
        ("https://p\u0430ypal.com/x", "https[:]//xn--pypal-4ve.com/x"),
        ("see http://b\u00fccher.example and", "see http[:]//xn--bcher-kva.example and"),
        ("\u65e5\u672c\u8a9e ABC \ud55c\uad6d\uc5b4", "\u65e5\u672c\u8a9e ABC \ud55c\uad6d\uc5b4"),
        ("Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
    ],
)
def test_what_cannot_be_seen_is_written_out(raw: str, shown: str) -> None:
    """Every kind of invisible, reordering, filling or flooding character is shown by its number."""
    assert visible(raw) == shown


@pytest.mark.parametrize(
    ("raw", "marked"),
    [
        ("p\u0430ypal", "mixed letters"),
        ("\u0440\u0430\u0443\u0440\u0430", "look-alike letters"),
        ("\uff50\uff41\uff59", "look-alike letters"),
        ("\U0001d429\U0001d41a\U0001d432", "look-alike letters"),
        ("\u03bf\u03c1", "look-alike letters"),
        ("a\u4e2d\u0416", "mixed letters"),
    ],
)
def test_words_that_look_like_others_are_marked(raw: str, marked: str) -> None:
    """Mixed alphabets, and words made of look-alikes alone, carry a mark in words."""
    assert visible(raw).startswith(raw)
    assert marked in visible(raw)


@pytest.mark.parametrize(
    "raw", ["\u043e\u0441\u0430 \u0438 \u043a\u043e\u0442 \u0441\u043f\u044f\u0442", "naïve café", "\u6771\u4eacABC"]
)
def test_honest_words_are_not_marked(raw: str) -> None:
    """Text in one alphabet, and the usual East Asian mixtures, carry no mark."""
    assert visible(raw) == raw


def test_line_ends_stay_where_lines_are_shown() -> None:
    """In preformatted text one line end is a line end, and many blank lines are shown by their number."""
    assert visible("a\nb\n\nc\n", breaks=True) == "a\nb\n\nc\n"
    assert visible("a" + "\n" * 500 + "b", breaks=True) == "a\n" + r"\u{A}(498 times)" + "\nb"


@given(ANY_TEXT, st.booleans())
def test_nothing_invisible_ever_gets_through(raw: str, breaks: bool) -> None:  # noqa: FBT001 - a drawn value
    """Whatever goes in, what comes out has no control, format, private, unassigned or filling character."""
    for ch in visible(raw, breaks=breaks):
        if ch == "\n" and breaks:
            continue
        assert unicodedata.category(ch)[0] != "C", ascii(ch)
        assert unicodedata.category(ch) not in {"Zl", "Zp"}, ascii(ch)
        assert ch == " " or unicodedata.category(ch) != "Zs", ascii(ch)
        assert ch not in "\u3164\u115f\u1160\uffa0\u2800\u034f"
    assert "://" not in visible(raw, breaks=breaks)


@given(ANY_TEXT, ANY_TEXT)
def test_different_text_never_looks_the_same(one: str, other: str) -> None:
    """Two different texts are shown differently."""
    if one != other:
        assert visible(one) != visible(other)


@given(
    st.text(st.sampled_from("\\u{}(4 times)\u200b[:]/ht "), max_size=12),
    st.text(st.sampled_from("\\u{}(4 times)\u200b[:]/ht "), max_size=12),
)
def test_escapes_cannot_be_forged(one: str, other: str) -> None:
    """Text that spells an escape is shown differently from the character that the escape stands for."""
    if one != other:
        assert visible(one) != visible(other)


@given(ANY_TEXT)
def test_text_for_notifications_parses_as_text(raw: str) -> None:
    """In a message's `text` no mention, broadcast, link or emoji name of others survives."""
    made = mrkdwn_safe(visible(raw))
    assert "<" not in made
    assert ">" not in made
    assert "://" not in made


def test_broadcasts_and_emoji_names_are_broken() -> None:
    """`@here` in its spellings and `:name:` are text."""
    made = mrkdwn_safe(visible("<!channel> @here @Channel @everyone :tada: 12:30 & a@b.example"))
    assert made == r"&lt;!channel&gt; (at)here (at)Channel (at)everyone \u{3A}tada: 12:30 &amp; a@b.example"


def test_a_long_name_is_cut_visibly() -> None:
    """Names are cut, for they decide nothing; the cut shows."""
    assert named("x" * 200) == "x" * 79 + "…"
    assert clipped(visible("abc"), 3) == "abc"


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \n\t", True), ("\u200b\u3164", True), (".", False)])
def test_blank_means_that_nothing_is_seen(text: str, blank: bool) -> None:  # noqa: FBT001 - a table's column
    """Invisible characters are blank too."""
    assert is_blank(text) is blank
