"""Says what a contract's schema makes known of the arguments: their names, kinds and bounds. Never judges a value.

It may know less than the schema says, never more: what is only possible is not claimed.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from approval_rules.kinds import ANYTHING, Kind, What
from approval_rules.ranges import Range
from approval_rules.text import Json

_WHATS: Final[Mapping[str, What]] = {
    "string": "text",
    "number": "a number",
    "integer": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
_MAY_ADD: Final = ("anyOf", "oneOf", "if", "then", "else")
_CLOSERS: Final = ("additionalProperties", "unevaluatedProperties")
_REF: Final = "#/$defs/"


def kind_of(schema: Json, root: Mapping[str, Json]) -> Kind:
    """Tell what is known of a value that fits the schema, a part of the strict contract `root`."""
    parts = list(_parts(schema, root, sure=True))
    kind = ANYTHING
    for part, sure in parts:
        properties = part.get("properties")
        fields = {name: kind_of(each, root) for name, each in _items(properties)} if sure else {}
        kind = kind.both(_own(part, fields, root) if sure else ANYTHING)
    names = [name for part, sure in parts if not sure for name, _ in _items(part.get("properties"))]
    closed = kind.closed and not any(_opens(part) for part, _ in parts)
    fields = {**dict.fromkeys(names, ANYTHING), **kind.fields}
    return Kind(kind.what, kind.values, fields, closed, kind.item, kind.range)


def _own(part: Mapping[str, Json], fields: Mapping[str, Kind], root: Mapping[str, Json]) -> Kind:
    values = _values(part)
    what = _what(part.get("type")) or _common(values)
    closed = any(part.get(closer) is False for closer in _CLOSERS)
    item = kind_of(part["items"], root) if "items" in part and "prefixItems" not in part else None
    possible = (
        tuple(each for each in values if _kind(each) == what) if values and what in ("text", "a number") else None
    )
    return Kind(what, possible, fields, closed, item, _range(part) if what == "a number" else Range())


def _opens(part: Mapping[str, Json]) -> bool:
    """Whether a part may let other names through, which no closing around it would take back."""
    return "patternProperties" in part or any(part.get(closer, False) is not False for closer in _CLOSERS)


def _parts(schema: Json, root: Mapping[str, Json], *, sure: bool) -> Iterator[tuple[Mapping[str, Json], bool]]:
    """Give a schema and all that it is put together of; a $ref is followed."""
    if not isinstance(schema, Mapping):
        return
    yield schema, sure
    ref, definitions = schema.get("$ref"), root.get("$defs")
    if isinstance(ref, str) and isinstance(definitions, Mapping):
        yield from _parts(definitions.get(ref.removeprefix(_REF)), root, sure=sure)
    for each in _list(schema.get("allOf")):
        yield from _parts(each, root, sure=sure)
    for keyword in _MAY_ADD:
        for each in _list(schema.get(keyword)):
            yield from _parts(each, root, sure=False)
    for _, each in _items(schema.get("dependentSchemas")):
        yield from _parts(each, root, sure=False)


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else [value]


def _items(value: Json) -> Sequence[tuple[str, Json]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _what(types: Json) -> What | None:
    """Give the one kind that `type` leaves; null counts as missing."""
    whats = {_WHATS.get(str(name)) for name in _list(types) if name != "null"}
    return whats.pop() if len(whats) == 1 else None


def _values(part: Mapping[str, Json]) -> Sequence[Json]:
    values = [part["const"]] if "const" in part else _list(part["enum"]) if "enum" in part else []
    return [value for value in values if value is not None]


def _common(values: Sequence[Json]) -> What | None:
    whats = {_kind(value) for value in values}
    return whats.pop() if len(whats) == 1 else None


def _kind(value: Json) -> What | None:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | Decimal():
            return "a number"
        case Mapping():
            return "an object"
    return "a list"


def _range(part: Mapping[str, Json]) -> Range:
    low, above = _decimal(part.get("minimum")), _decimal(part.get("exclusiveMinimum"))
    high, below = _decimal(part.get("maximum")), _decimal(part.get("exclusiveMaximum"))
    return Range(low, high).both(Range(above, below, open_low=above is not None, open_high=below is not None))


def _decimal(value: Json) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) else None
