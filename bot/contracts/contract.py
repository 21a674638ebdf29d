"""Compiles a tool's contract and holds arguments against it. Never fetches anything, never changes what it is given.

Numbers reach jsonschema-rs as `int` and `Decimal` and stay exact there: 50.000000000000001 is more than 50.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs
from jsonschema_rs import ValidationError

from approval_rules.contract import Breach
from approval_rules.kinds import Kind
from approval_rules.requirement import Hiding
from approval_rules.text import Json
from bot.contracts.domains import allows
from bot.contracts.kinds import kind_of
from bot.contracts.schema import Object, SchemaFault, StrictSchema, escaped
from bot.contracts.words import TOP, breaches_of, one_of

MAX_BREACHES = 20
_MANY_VALUES = 2_000
_TEXTS: Final = ("order_id", "idempotency_key")
_AMOUNT: Final = re.compile(r"(?:.*[._-])?amount(?:_[a-z]{3})?|.*Amount", re.ASCII | re.DOTALL)
_NEEDED = "missing: a payment needs it; do not pay without it, and fall back to a person"


class ContractError(Exception):
    """A contract that cannot come into force, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[SchemaFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{pointer or '/'}: {detail}" for pointer, detail in faults))


@dataclass(frozen=True, slots=True, eq=False)
class JsonContract:
    """One tool's contract, ready to be asked. Provides `approval_rules.contract.Contract`."""

    source: str
    hidden: Mapping[str, Hiding]
    touching: Mapping[str, frozenset[str]]
    arguments: Kind
    confirmed: str | None
    schema: Mapping[str, Json] = field(repr=False)
    _names: frozenset[str] = field(repr=False)
    _needed: tuple[str, ...]
    _validator: jsonschema_rs.Validator = field(repr=False)

    def breaches(self, arguments: Mapping[str, Json]) -> Sequence[Breach]:
        """Name what is wrong, at most 20 things; nothing where the arguments are good."""
        try:
            return () if self._validator.is_valid(arguments) else self._named(arguments)
        except ValueError:  # nested without end, or no valid text: what cannot be checked is not allowed
            return (Breach(TOP, "cannot be held against the contract; fall back to a person"),)

    def _named(self, arguments: Mapping[str, Json]) -> Sequence[Breach]:
        missing = [Breach(f"{TOP}/{escaped(name)}", _NEEDED) for name in self._needed if _lacks(arguments, name)]
        places = {breach.pointer for breach in missing}
        errors = self._errors(arguments)
        said = (breach for each in errors for breach in breaches_of(each, self._names, alone=len(errors) == 1))
        others = islice((breach for breach in said if breach.pointer not in places), MAX_BREACHES - len(missing))
        return (*missing, *others) or (Breach(TOP, "do not fit the contract"),)

    def _errors(self, arguments: Mapping[str, Json]) -> Sequence[ValidationError]:
        """Give every error, or the first alone: jsonschema-rs makes all of them at once, and there may be 100,000."""
        if _is_small(arguments):
            return list(self._validator.iter_errors(arguments))
        try:
            self._validator.validate(arguments)
        except ValidationError as error:
            return [error]
        return []


def compile_contract(schema: Json, source: str, *, payment: bool = False) -> JsonContract:
    """Make a contract of a JSON Schema whose numbers are `int` or `Decimal`; raises ContractError with all faults."""
    strict = StrictSchema()
    strict.read(schema)
    needed = _payment_fields(strict) if payment and not strict.faults else ()
    if strict.faults:
        raise ContractError(strict.faults)
    validator = _validator(strict.root)
    hidden = dict(sorted(strict.hidden.items()))  # the order of an author's keys must not reach what is recorded
    touching = {mark: frozenset(names) for mark, names in strict.touching.items()}
    kind = kind_of(strict.root, strict.root)
    amounts = (name for name, each in cast("Object", strict.root["properties"]).items() if _says(each, "x-amount"))
    confirmed, names = strict.confirmed or next(amounts, None), frozenset(strict.names)
    return JsonContract(source, hidden, touching, kind, confirmed, strict.root, names, needed, validator)


def _validator(schema: Object) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            ignore_unknown_formats=False,
            pattern_options=jsonschema_rs.RegexOptions(),  # its time grows with the text and not faster
            keywords={"x-domains": _Domains},
            offline=True,
        )
    except ValidationError as error:
        raise ContractError([_meta_fault(error)]) from None
    except ValueError as error:
        raise ContractError([SchemaFault("", f"cannot be compiled ({error})")]) from None


def _meta_fault(error: ValidationError) -> SchemaFault:
    pointer = "".join(f"/{escaped(str(part))}" for part in error.instance_path)
    if '"regex"' in error.message:
        says = (
            "is no pattern that ends in time: look-around and back-references are not supported, nor are huge repeats"
        )
        return SchemaFault(pointer, says)
    return SchemaFault(pointer, error.message)


class _Domains:
    """The keyword `x-domains`, as jsonschema-rs wants it."""

    def __init__(self, parent_schema: dict[str, Any], value: list[str], schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._domains = value

    def validate(self, instance: Any) -> None:  # noqa: ANN401 - JSON
        """Raise ValueError, in words for the agent, where the value names no allowed host."""
        if not allows(self._domains, instance):
            kinds = "a host, an https URL without user and port, or one plain mail address"
            raise ValueError(f"must be {kinds}, at {one_of(self._domains)}")


def _is_small(value: Json) -> bool:
    left, waiting = _MANY_VALUES, [value]
    while waiting and left >= 0:
        one = waiting.pop()
        inside = one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        left -= len(inside)
        waiting.extend(inside if left >= 0 else ())
    return left >= 0


# --- class: payment


def _payment_fields(strict: StrictSchema) -> tuple[str, ...]:
    """Give the fields that a payment cannot do without; what the contract does not ask for becomes a fault."""
    fields = cast("Object", strict.root["properties"])
    required = strict.root.get("required")
    names = required if isinstance(required, list) else []
    amounts = [name for name in fields if _AMOUNT.fullmatch(name) or _says(fields[name], "x-amount", values=(True,))]
    missing = [
        *(f"'{name}' among 'properties' and 'required'" for name in _TEXTS if name not in fields or name not in names),
        *([] if any(name in names for name in amounts) else ["an amount (amount, amount_usd, or x-amount: true)"]),
    ]
    if missing:
        strict.fault("", f"class: payment needs {', '.join(missing[:-1])}{' and ' if missing[1:] else ''}{missing[-1]}")
    for name in _TEXTS:
        if name in fields and not _says(fields[name], "type", values=("string",)):
            strict.fault(f"/properties/{name}", "class: payment needs it to be of the type string, written here")
        elif name in fields:
            cast("Object", fields[name]).setdefault("pattern", r"\S")  # a blank one is none
    for name in amounts:
        here = f"/properties/{escaped(name)}"
        # Without the type, an amount in quotes would pass: `maximum` judges numbers only.
        if not _says(fields[name], "type", values=("number", "integer")):
            strict.fault(here, "class: payment needs an amount to be of the type number or integer, written here")
        elif not _says(fields[name], "maximum"):
            strict.fault(here, "class: payment needs a hard cap: give the amount a 'maximum'")
    return (*_TEXTS, *(name for name in amounts if name in names))


def _says(schema: Json, keyword: str, values: Sequence[Json] | None = None) -> bool:
    """Whether a schema itself has a keyword, with one of these values if any are given."""
    if not isinstance(schema, Mapping) or keyword not in schema:
        return False
    return values is None or schema[keyword] in values


def _lacks(arguments: Mapping[str, Json], name: str) -> bool:
    value = arguments.get(name)
    return value is None or (isinstance(value, str) and not value.strip())
