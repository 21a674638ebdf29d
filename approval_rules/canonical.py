"""One value, one form: RFC 8785 bytes, and the digest that a vote and a permission are bound to.

Numbers are never carried through a binary float that cannot hold them: such a number is refused, never rounded.
A property test holds this writer against the `rfc8785` package.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import NewType

from approval_rules.text import Json

Digest = NewType("Digest", str)

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
_INTEGER_DIGITS = 16
_SMALLEST_PLAIN_EXPONENT = -6


@dataclass(eq=False)  # neither frozen nor slotted: whoever passes an exception on must be able to set its traceback
class NotCanonicalError(ValueError):
    """A value that has no exact canonical form; `pointer` is the RFC 6901 place, `detail` says what to do."""

    pointer: str
    detail: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.detail}"


def canonical_text(value: Json) -> str:
    """Write `value` in its RFC 8785 form.

    Raises NotCanonicalError for a number that a double cannot carry exactly, a lone surrogate, or nesting over 32.
    """
    if _is_plain(value):
        text = _PLAIN.encode(value)
        if _is_whole(text):
            return text
    return _write(value, "", 0)


def canonical_fields(value: Mapping[str, Json]) -> Mapping[str, str]:
    """Write each field of an object in its RFC 8785 form; raises what `canonical_text` of the object raises."""
    if _is_plain(value):
        texts = {name: _PLAIN.encode(inside) for name, inside in value.items()}
        if all(map(_is_whole, texts)) and all(map(_is_whole, texts.values())):
            return texts
    return dict(_written(value, "", 0))


def object_text(fields: Mapping[str, str]) -> str:
    """Put canonical fields together: the RFC 8785 form of their object."""
    return "{" + ",".join([f"{_quoted(name)}:{fields[name]}" for name in _sorted(fields)]) + "}"


def canonical_bytes(value: Json) -> bytes:
    """Write `value` in its RFC 8785 form, as UTF-8."""
    return canonical_text(value).encode()


def digest_of(tool: str, arguments: Json) -> Digest:
    """Digest one action: `sha256:` and hex of the RFC 8785 form of `{"arguments", "tool"}`."""
    return digest_of_text(tool, canonical_text(arguments))


def digest_of_text(tool: str, arguments: str) -> Digest:
    """Digest one action whose arguments are in their RFC 8785 form already."""
    return sha256_name(object_text({"arguments": arguments, "tool": canonical_text(tool)}).encode())


def sha256_name(data: bytes) -> Digest:
    """Name bytes by their SHA-256, as `sha256:<hex>`."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def _is_plain(value: Json) -> bool:
    """Tell whether Python's own JSON encoder, which is three times as fast, writes `value` exactly as `_write` does.

    True only for exact built-in types, ASCII names, safe integers, short decimals and up to 32 levels.
    """
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for container in level:
            if type(container) is dict:
                items: Iterable[object] = container.values()
                if not "".join(container).isascii():
                    return False
            elif type(container) is list:
                items = container
            else:
                return False
            for item in items:
                kind = type(item)
                if kind is dict or kind is list:
                    deeper.append(item)
                elif kind is not str and not _is_plain_scalar(item):
                    return False
        if not deeper:
            return True
        level = deeper
    return False


def _is_whole(text: str) -> bool:
    """Tell that a text has no lone surrogate."""
    return text.isascii() or _HALF_A_CHARACTER.search(text) is None


def _is_plain_scalar(value: object) -> bool:
    if value is None or value is True or value is False:
        return True
    if type(value) is int:
        return -MAX_INTEGER <= value <= MAX_INTEGER
    # Fourteen digits survive a double, and from 0.0001 on Python and ECMAScript write them alike.
    return type(value) is Decimal and _PLAIN_DECIMAL.fullmatch(str(value)) is not None


def _plain_number(value: Decimal) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


_PLAIN_DECIMAL = re.compile(r"-?(?=[0-9.]{1,15}$)[0-9]+(\.[0-9]{1,4})?", re.ASCII)
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
_PLAIN = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, default=_plain_number
)


def _write(value: Json, pointer: str, depth: int) -> str:
    match value:
        case str():
            return _string(value, pointer)
        case True:
            return "true"
        case False:
            return "false"
        case None:
            return "null"
        case int():
            return _integer(value, pointer)
        case Decimal():
            return _decimal(value, pointer)
        case Mapping() | list() | tuple() if depth == MAX_DEPTH:
            raise NotCanonicalError(pointer, f"nested deeper than {MAX_DEPTH} levels; flatten it")
        case Mapping():
            return object_text(dict(_written(value, pointer, depth)))
        case list() | tuple():
            inner = ",".join([_write(item, f"{pointer}/{i}", depth + 1) for i, item in enumerate(value)])
            return f"[{inner}]"
        case _:
            raise NotCanonicalError(pointer, f"a {type(value).__name__} is not JSON")


def _written(value: Mapping[str, Json], pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    for key in _sorted(value):
        inside = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        _string(key, inside)
        yield key, _write(value[key], inside, depth + 1)


def _sorted(names: Iterable[str]) -> list[str]:
    """Sort by UTF-16 code units; code points give the same order unless a name leaves the basic plane."""
    given = list(names)
    given.sort(key=None if "".join(given).isascii() else _utf16)
    return given


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _string(value: str, pointer: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotCanonicalError(_printable(pointer), "a lone surrogate is not text; send valid Unicode") from None
    return _quoted(value)


def _printable(pointer: str) -> str:
    return pointer.encode("ascii", "backslashreplace").decode()


def _integer(value: int, pointer: str) -> str:
    if abs(value) > MAX_INTEGER:
        raise NotCanonicalError(pointer, "an integer beyond 2^53-1 cannot be carried exactly; send it as a string")
    return int.__repr__(value)


def _decimal(value: Decimal, pointer: str) -> str:
    if not value.is_finite():
        raise NotCanonicalError(pointer, "not a number; send a finite number")
    if not value:
        return "0"
    if value.adjusted() < _INTEGER_DIGITS and value == value.to_integral_value():
        return _integer(int(value), pointer)
    as_float = float(value)
    text = repr(as_float)
    if value.adjusted() >= _INTEGER_DIGITS or Decimal(text) != value:
        raise NotCanonicalError(
            pointer, "this number cannot be carried exactly; send fewer digits, or send it as a string"
        )
    return _es6(text)


def _es6(text: str) -> str:
    """Turn Python's shortest form of a non-integral double below 2^53 into ECMAScript's."""
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    if int(exponent) < _SMALLEST_PLAIN_EXPONENT:
        return f"{mantissa}e{int(exponent)}"
    return format(Decimal(text), "f")
