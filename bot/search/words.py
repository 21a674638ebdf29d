"""Splits text into the words that it is found by, and hashes each under a key. It must never keep or show a word.

A word is a run of letters and digits, small and without accents. Whoever has the database without the signing key
cannot try words out; a value that is erased takes the hashes of its words with it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final, TypeAlias

from bot.keys import SigningKey

Marker: TypeAlias = Callable[[str], int]
"""Gives the number under which a word is kept."""

MOST_WORDS: Final = 200
_LONGEST: Final = 64
_WORD: Final = re.compile(r"[^\W_]+")


def words_in(texts: Iterable[str]) -> list[str]:
    """Give the distinct words of some texts in their order: 200 at the most, each of at most 64 characters."""
    distinct = dict.fromkeys([word[:_LONGEST] for word in _WORD.findall(_folded("\n".join(texts)))])
    return list(distinct)[:MOST_WORDS]


def marker(key: SigningKey) -> Marker:
    """Make the hash of this server's words; another signing key makes another."""
    secret = key.derive("search-words/v1")

    def mark(word: str) -> int:
        return int.from_bytes(blake2b(word.encode(), digest_size=8, key=secret).digest(), "big", signed=True)

    return mark


def _folded(text: str) -> str:
    if text.isascii():  # nearly every text, and it has no accents
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join([char for char in apart if not unicodedata.combining(char)]).casefold()
