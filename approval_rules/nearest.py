"""Suggests the name that was probably meant. Never corrects anything by itself."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 64


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Give the one of `names` that looks most like `name`, or None where none is as near as `cutoff` (of 1)."""
    if len(name) > _LONGEST:
        return None
    found = get_close_matches(name, sorted(names), n=1, cutoff=cutoff)
    return found[0] if found else None
