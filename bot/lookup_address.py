"""Puts arguments into the address of a lookup. What an agent sent can fill one segment or one query value, no more.

It must never resolve or call anything, and no fault that it raises holds a value.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from approval_rules.canonical import canonical_text
from approval_rules.text import Json
from bot.callback_target import ForbiddenTargetError, Target, parse_target

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_AFTER_HOST: Final = re.compile(r"[A-Za-z]+://[^/?#{}]+([/?].*)?", re.DOTALL)
_LONGEST_VALUE: Final = 200
_SEPARATOR: Final = re.compile(r"[/\\]")
_DOTS: Final = frozenset({".", ".."})


class UnfitArgumentError(ValueError):
    """An argument cannot stand in an address; `why` names it, never its value."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def names_in(url: str) -> tuple[str, ...]:
    """Name the arguments that an address is made of, in their order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(url)))


def target_of(url: str) -> Target:
    """Read an address whose arguments are not known yet; raises ForbiddenTargetError with a code.

    `placeholder-misplaced`: arguments stand after the host only, each as {name}, and there is no fragment.
    """
    example = _PLACEHOLDER.sub("x", url)
    if set(example) & set("{}#") or ("{" in url and not _AFTER_HOST.fullmatch(url)):
        raise ForbiddenTargetError("placeholder-misplaced")
    return parse_target(example)


def address(url: str, arguments: Mapping[str, Json]) -> str:
    """Give the address for these arguments; raises UnfitArgumentError."""
    return _PLACEHOLDER.sub(lambda match: quote(_text(match[1], arguments.get(match[1])), safe=""), url)


def _text(name: str, value: Json) -> str:
    """Write a text or a number as it stands in an address.

    Some servers decode before they split: what would be a way up after that is refused, though it is encoded.
    """
    match value:
        case None:
            raise UnfitArgumentError(f"{name} is missing")
        case int() | Decimal() if not isinstance(value, bool):
            text = canonical_text(value)  # whatever was proposed has one
        case str():
            text = value
        case _:
            raise UnfitArgumentError(f"{name} is neither text nor a number")
    if not text.strip():
        raise UnfitArgumentError(f"{name} is empty")
    if len(text) > _LONGEST_VALUE:
        raise UnfitArgumentError(f"{name} is longer than {_LONGEST_VALUE} characters")
    if not text.isprintable() or _DOTS & {part.strip() for part in _SEPARATOR.split(text)}:
        raise UnfitArgumentError(f"{name} cannot stand in an address")
    return text
