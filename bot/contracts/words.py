"""Says in words what jsonschema-rs found wrong. Never repeats a value: only names, and what the contract asks for."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from jsonschema_rs import ValidationError, ValidationErrorKind

from approval_rules.contract import Breach
from approval_rules.nearest import nearest
from bot.contracts.schema import escaped

TOP: Final = "/arguments"
MAX_NAME = 128
_FEW: Final = 12
_LIMITS: Final = {
    "maximum": "must be at most {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "minimum": "must be at least {limit}",
    "exclusiveMinimum": "must be more than {limit}",
    "multipleOf": "must be a multiple of {multiple_of}",
    "maxLength": "must have at most {limit} characters",
    "minLength": "must have at least {limit} characters",
    "maxItems": "must have at most {limit} entries",
    "minItems": "must have at least {limit} entries",
    "maxProperties": "must have at most {limit} fields",
    "minProperties": "must have at least {limit} fields",
    "pattern": "must match the pattern {pattern}",
    "format": "must have the format {format}",
    "uniqueItems": "must not hold the same entry twice",
    "falseSchema": "must not be there",
}


def breaches_of(error: ValidationError, known: Collection[str], *, alone: bool) -> Iterator[Breach]:
    """Say one error: one breach for each field that it names; `known` are the names that the contract has."""
    pointer = pointer_of(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            yield Breach(f"{pointer}/{escaped(name)}", "missing; add it")
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            yield from (_unknown(pointer, name, known) for name in names)
        case ValidationErrorKind.UnevaluatedProperties(unexpected=names):
            # A known field whose value is wrong counts as unevaluated too, and is told already.
            yield from (_unknown(pointer, name, known) for name in names if alone or name not in known)
        case _:
            yield Breach(pointer, _detail(error.kind))


def pointer_of(path: Sequence[str | int]) -> str:
    """Write the place of a value of the arguments; a name too long to tell ends it."""
    parts: list[str] = []
    for part in path:
        if len(str(part)) > MAX_NAME:
            break
        parts.append(f"/{escaped(str(part))}")
    return TOP + "".join(parts)


def one_of(values: Sequence[object]) -> str:
    """Name a few values, and count the others."""
    told = [value if isinstance(value, str) else json.dumps(value, default=str) for value in values[:_FEW]]
    more = f" or {len(values) - _FEW} more" if len(values) > _FEW else ""
    return ("one of " if len(values) > 1 else "") + ", ".join(told) + more


def _unknown(pointer: str, name: str, known: Collection[str]) -> Breach:
    if len(name) > MAX_NAME:
        return Breach(pointer, f"has an unknown field, whose name has {len(name)} characters; remove it")
    near = nearest(name, known)
    says = f"did you mean {near}?" if near is not None and near != name else "remove it"
    return Breach(f"{pointer}/{escaped(name)}", f"unknown field; {says}")


def _detail(kind: ValidationErrorKind) -> str:
    match kind:
        case ValidationErrorKind.Type(types=types):
            return f"must be {one_of(types)}" if len(types) > 1 else f"must be of the type {types[0]}"
        case ValidationErrorKind.Enum(options=options):
            return f"must be {one_of(options)}"
        case ValidationErrorKind.Constant(expected_value=value):
            return f"must be {one_of([value])}"
        case ValidationErrorKind.Custom(message=message):
            return message
        case _ if kind.name in _LIMITS:
            return _LIMITS[kind.name].format_map(kind.as_dict())
        case _:
            return f"does not fit the contract's '{kind.name}'"
