"""Text and data that an agent wrote: carried as opaque types, so that showing it is always a deliberate act.

`str()`, `format()`, `repr()` and JSON of these raise or hide the content. Call `unwrap_text` and `unwrap_json` only in
the few files that a test in tests/architecture names.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Never, TypeAlias

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


class AgentJson(_Opaque):
    """One JSON value that an agent wrote; numbers are integers or exact decimals. Never mutate what it holds."""

    __slots__ = ("_value",)

    def __init__(self, value: Json) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AgentJson) and other._value == self._value

    __hash__ = None  # type: ignore[assignment]  # holds mutable containers


def unwrap_text(text: AgentText) -> str:
    """Give the raw string; the caller MUST escape it for the place where it goes."""
    return text._text  # noqa: SLF001 - the one door


def unwrap_json(data: AgentJson) -> Json:
    """Give the raw value; the caller MUST NOT change it and MUST escape every string in it."""
    return data._value  # noqa: SLF001 - the one door


def unwrap_object(data: AgentJson) -> Mapping[str, Json]:
    """Give the raw value of an AgentJson that is known to be an object; an empty object where it is not."""
    value = unwrap_json(data)
    return value if isinstance(value, Mapping) else {}
