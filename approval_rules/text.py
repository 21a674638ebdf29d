"""Text and data that an agent wrote: carried as opaque types, so that showing it is always a deliberate act.

`str()`, `format()`, `repr()` and JSON of these raise or hide the content. Call what begins with `unwrap_` only in the
few files that a test in tests/architecture names.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Never, TypeAlias

Json: TypeAlias = "bool | int | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"


class _Opaque:
    """Refuses every implicit way to become text."""

    __slots__ = ()

    def __str__(self) -> Never:
        raise TypeError("text from an agent has no implicit form: unwrap it where it is escaped")

    def __format__(self, spec: str) -> Never:
        raise TypeError("text from an agent has no implicit form: unwrap it where it is escaped")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} withheld>"


class AgentText(_Opaque):
    """One string that an agent wrote."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AgentText) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class _Unread:
    """Stands for the value of a canonical text that nobody has parsed yet."""


class AgentJson(_Opaque):
    """One JSON value that an agent wrote; numbers are integers or exact decimals. Never mutate what it holds.

    Its canonical text, if given, MUST be that of the value; it is written at most once. Text that was stored is parsed
    only when somebody looks.
    """

    __slots__ = ("_canonical", "_value")

    def __init__(self, value: Json, canonical: str | None = None) -> None:
        self._value: Json | _Unread = value
        self._canonical = canonical

    @classmethod
    def stored(cls, canonical: str) -> "AgentJson":
        """Take a value in its canonical form; what is not JSON raises ValueError only when it is unwrapped."""
        data = cls(None, canonical)
        data._value = _UNREAD
        return data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AgentJson) and unwrap_json(other) == unwrap_json(self)

    __hash__ = None  # type: ignore[assignment]  # holds mutable containers


_MAX_COMPARED_DEPTH: Final = 64
_UNREAD: Final = _Unread()
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)


def unwrap_text(text: AgentText) -> str:
    """Give the raw string; the caller MUST escape it for the place where it goes."""
    return text._text  # noqa: SLF001 - the one door


def unwrap_json(data: AgentJson) -> Json:
    """Give the raw value; the caller MUST NOT change it and MUST escape every string in it."""
    value = data._value  # noqa: SLF001 - the one door
    if not isinstance(value, _Unread):
        return value
    parsed: Json = _DECODER.decode(data._canonical or "")  # noqa: SLF001 - the one door
    data._value = parsed  # noqa: SLF001 - the one door
    return parsed


def unwrap_canonical(data: AgentJson, write: Callable[[Json], str]) -> str:
    """Give the raw value as canonical JSON text, which `write` writes where it is not known yet."""
    if data._canonical is None:  # noqa: SLF001 - the one door
        data._canonical = write(unwrap_json(data))  # noqa: SLF001 - the one door
    return data._canonical  # noqa: SLF001 - the one door


def unwrap_object(data: AgentJson) -> Mapping[str, Json]:
    """Give the raw value of an AgentJson that is known to be an object; an empty object where it is not."""
    value = unwrap_json(data)
    return value if isinstance(value, Mapping) else {}


def same_json(one: Json, other: Json, depth: int = 0) -> bool:
    """Whether two JSON values are equal: 50 and 50.00 are, 1 and true are not, what is too deep to compare is not."""
    if depth > _MAX_COMPARED_DEPTH:
        return False
    match one, other:
        case (bool(), _) | (_, bool()) | (str(), _) | (_, str()) | (None, _) | (_, None):
            return type(one) is type(other) and one == other
        case Mapping(), Mapping():
            return one.keys() == other.keys() and all(same_json(one[key], other[key], depth + 1) for key in one)
        case Sequence(), Sequence():
            pairs = zip(one, other, strict=False)
            return len(one) == len(other) and all(same_json(a, b, depth + 1) for a, b in pairs)
        case ((int() | Decimal()), (int() | Decimal())):
            # What is not finite equals nothing, not even itself.
            return Decimal(one).is_finite() and Decimal(other).is_finite() and one == other
    return False
