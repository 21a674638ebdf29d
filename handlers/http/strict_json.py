"""Reads JSON without losing or guessing anything: what two readers could understand differently is refused.

UTF-8 only; no duplicate names, no NaN or Infinity, no lone surrogates, no number that cannot be carried exactly,
nesting to 32 levels. Numbers become `int` or `Decimal`, never a float.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec import MsgspecError
from msgspec.json import Decoder, Encoder

from approval_rules.canonical import (
    MAX_DEPTH,
    Digest,
    NotCanonicalError,
    canonical_bytes,
    canonical_fields,
    object_text,
    sha256_name,
)
from approval_rules.text import Json

_SHORT_NUMBER = 17
_EXPONENT_DIGITS = 9
_PARSES_SAFELY = 256
_BRACKET_OR_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


class _Twice:
    """Stands in the tree for a value whose name appears twice, so that its place can be told."""


_TWICE: Final = _Twice()


@dataclass(frozen=True, slots=True)
class ReadJson:
    """One JSON value, and the digest of its canonical form: the same for any spacing, order and spelling of numbers.

    `texts` are the canonical forms of its fields where it is an object: nothing needs to be written twice.
    """

    value: Json
    digest: Digest
    texts: Mapping[str, str]


def read_json(raw: bytes) -> ReadJson:
    """Read one JSON value.

    Raises UnicodeDecodeError, JSONDecodeError, or NotCanonicalError with the place and what to do.
    """
    return _read_simple(raw) or _read_exactly(raw)


def _read_simple(raw: bytes) -> ReadJson | None:
    """Read what nothing could be lost from, six times as fast; None where that is not certain, or it is wrong."""
    seen = raw.translate(_DIGITS_AND_ASTRAL)
    if b"\\u" in raw or _LONG_NUMBER in seen or _ASTRAL in seen or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return None
    try:
        value = _decode(raw)
    except (MsgspecError, UnicodeDecodeError):
        return None
    if not isinstance(value, dict):
        return None
    texts = {name: _encode(inside).decode() for name, inside in value.items()}
    whole = object_text(texts).encode()
    # Of a name that is said twice only one value is left, so the text has a colon more than its canonical form.
    return ReadJson(value, sha256_name(whole), texts) if whole.count(b":") == raw.count(b":") else None


def _simple_decimal(text: str) -> Decimal:
    """Read a decimal that a double carries and whose canonical form is `text` itself; raises ValueError for others."""
    if _SIMPLE_DECIMAL.fullmatch(text) is None:
        raise ValueError
    return Decimal(text)


# Sixteen digits may be more than a double holds, and only beyond U+FFFF do names sort by more than their bytes.
_LONG_NUMBER, _ASTRAL = b"0" * 16, b"\xff"
_DIGITS_AND_ASTRAL = bytes(range(0x30)) + b"0" * 10 + bytes(range(0x3A, 0xF0)) + _ASTRAL * 16
_SIMPLE_DECIMAL = re.compile(r"-?(?=[0-9.]{1,15}\Z)[0-9]+\.[0-9]{0,3}[1-9]")
_decode = Decoder(float_hook=_simple_decimal).decode
_encode = Encoder(order="sorted", decimal_format="number").encode


def _read_exactly(raw: bytes) -> ReadJson:
    text = raw.decode()
    if text.count("[") + text.count("{") > _PARSES_SAFELY:
        _refuse_what_overflows_the_parser(text)
    value = _parse(text)
    if not isinstance(value, Mapping):
        return ReadJson(value, sha256_name(canonical_bytes(value)), {})
    texts = canonical_fields(value)
    return ReadJson(value, sha256_name(object_text(texts).encode()), texts)


class _Objects:
    """Builds the objects of one text and notes whether any of them says a name twice."""

    __slots__ = ("twice",)

    def __init__(self) -> None:
        self.twice = False

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """Build one object."""
        built = dict(pairs)
        if len(built) < len(pairs):
            self.twice = True
            times = Counter(name for name, _ in pairs)
            built.update(dict.fromkeys([name for name in times if times[name] > 1], _TWICE))
        return built


def _parse(text: str) -> Json:
    objects = _Objects()
    decoder = json.JSONDecoder(
        object_pairs_hook=objects, parse_float=_decimal, parse_int=_integer, parse_constant=Decimal
    )
    value: Json = decoder.decode(text)
    if objects.twice:
        place = next(_places_of_twice(value, ""))
        raise NotCanonicalError(place, "this name appears twice in its object; send it once")
    return value


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _SHORT_NUMBER else Decimal(text)


def _decimal(text: str) -> Decimal:
    """Read a number with a point or an exponent; an exponent that Decimal cannot hold is as good as infinite."""
    if len(text) > _SHORT_NUMBER and len(text.lower().partition("e")[2]) > _EXPONENT_DIGITS:
        return Decimal("Infinity")
    return Decimal(text)


def _places_of_twice(value: object, pointer: str) -> Iterator[str]:
    if value is _TWICE:
        yield pointer.encode("ascii", "backslashreplace").decode()
    elif isinstance(value, Mapping):
        for name, inside in value.items():
            yield from _places_of_twice(inside, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for i, inside in enumerate(value):
            yield from _places_of_twice(inside, f"{pointer}/{i}")


def _refuse_what_overflows_the_parser(text: str) -> None:
    """Refuse nesting at which Python's recursive parser would give up; the canonical form refuses the rest."""
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        sign = match.group()
        depth += (sign in ("[", "{")) - (sign in ("]", "}"))
        if depth > _PARSES_SAFELY:
            raise NotCanonicalError("", f"nested deeper than {MAX_DEPTH} levels; flatten it")
