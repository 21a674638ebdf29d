"""Where a page of a search ended, as an opaque text that only fits the same search. It holds no secret."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

from handlers.audit_desk import Sought, SoughtError

_PLACE: Final = 8
_SEARCH: Final = 8


def cursor(sought: Sought, place: int) -> str:
    """Write the place from which the next page looks."""
    return urlsafe_b64encode(place.to_bytes(_PLACE, "big") + _of(sought)).rstrip(b"=").decode()


def place_in(sought: Sought, unverified: str) -> int:
    """Read a cursor; raises SoughtError for one of another search, and for anything else."""
    try:
        data = urlsafe_b64decode(unverified + "=" * (-len(unverified) % 4))
    except ValueError:
        data = b""
    if len(data) != _PLACE + _SEARCH or data[_PLACE:] != _of(sought):
        raise SoughtError("after", "this cursor belongs to another search; begin again without it")
    return int.from_bytes(data[:_PLACE], "big")


def _of(sought: Sought) -> bytes:
    return sha256(repr(sought).encode()).digest()[:_SEARCH]
