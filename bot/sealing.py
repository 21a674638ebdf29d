"""Seals what must be read again but never by whoever has only the database. Its key comes from the signing key's file.

A sealed text opens only in the place that it was sealed for. What was opened must reach no log, error or repr.
"""

from base64 import urlsafe_b64decode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.clock import NewToken
from bot.keys import SigningKey, base64url

_NONCE_BYTES: Final = 12
_FORM: Final = "v1:"


class CannotOpenError(Exception):
    """A sealed text cannot be opened: it was sealed with another key or for another place, or it was changed."""


class Seal:
    """Seals and opens with AES-256-GCM, for one purpose."""

    __slots__ = ("_aead", "_new_token")

    def __init__(self, key: SigningKey, purpose: str, new_token: NewToken) -> None:
        self._aead = AESGCM(key.derive(f"seal/{purpose}"))
        self._new_token = new_token

    def seal(self, text: str, place: str) -> str:
        """Seal a text for one place, such as a credential's id."""
        nonce = self._new_token(_NONCE_BYTES)
        return _FORM + base64url(nonce + self._aead.encrypt(nonce, text.encode(), place.encode()))

    def open(self, sealed: str, place: str) -> str:
        """Open what was sealed for this place; raises CannotOpenError."""
        text = sealed.removeprefix(_FORM)
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return self._aead.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotOpenError("sealed with another key, for another place, or changed") from None
