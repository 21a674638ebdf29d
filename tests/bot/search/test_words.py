"""Words: the same however they are written, few from one value, and hashes that only the key's holder can make."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.keys import SigningKey
from bot.search.words import MOST_WORDS, marker, words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Émile's espresso-machine", ["emile", "s", "espresso", "machine"]),
        ("ORD-17 ORD-18", ["ord", "17", "18"]),
        ("Straße STRASSE", ["strasse"]),
        ("\uff26\uff35\uff2c\uff2c ﬁne ① İstanbul", ["full", "fine", "1", "istanbul"]),
        ("snake_case a.b@c.example", ["snake", "case", "a", "b", "c", "example"]),
        ("退款 請求", ["退款", "請求"]),
        ("\u202eabc\u200bdef !?", ["abc", "def"]),
        ("", []),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_a_text_has_its_words(text: str, words: list[str]) -> None:
    """Runs of letters and digits, small, without accents, each once."""
    assert words_in([text]) == words
    assert words_in([text.upper()]) == words or "İ" in text


def test_one_value_cannot_flood_the_index() -> None:
    """Of many words the first are taken, over all texts of the value."""
    assert len(words_in(f"w{number} w{number}x" for number in range(1000))) == MOST_WORDS


def test_only_the_key_makes_the_number() -> None:
    """Another key gives other numbers; the same key the same again."""
    one, other = (SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)) for seed in (1, 2))
    assert marker(one)("refund") == marker(one)("refund") != marker(one)("refunds")
    assert marker(one)("refund") != marker(other)("refund")
