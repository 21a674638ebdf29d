"""Why a lookup came to nothing, in words for people. Never holds an address, a secret or a word of an answer."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "timeout": "timed out",
    "name-not-found": "its host is not known",
    "connection-failed": "no connection",
    "connection-broken": "the connection broke",
    "tls-failed": "no trusted TLS connection",
    "address-not-allowed": "its address is not allowed",
    "answer-malformed": "no HTTP answer",
    "answer-too-large": "the answer is too large",
}


class LookupFailedError(Exception):
    """There is no value; `why` is said to people, and recorded."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def words_for(code: str) -> str:
    """Say what a code of the guard means."""
    return WORDS.get(code, "its address cannot be called")
