"""Makes an author's JSON Schema strict: what it may say, where unknown fields end, which fields are hidden.

Refuses what JSON Schema would silently ignore: a slip such as `maxmum` must never be the end of a hard cap.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from approval_rules.names import TOUCHES
from approval_rules.nearest import nearest
from approval_rules.requirement import Hiding
from approval_rules.text import Json
from bot.contracts.domains import wrong_list

MAX_DEPTH = 32
MAX_SCHEMAS = 2_000
MAX_EXPANDED = 10_000
MAX_PATTERN = 500
MAX_FAULTS = 25
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_ONE: Final = frozenset(
    [
        *("additionalProperties", "unevaluatedProperties", "unevaluatedItems", "items", "contains", "propertyNames"),
        *("not", "if", "then", "else"),
    ]
)
_LISTS: Final = frozenset(["allOf", "anyOf", "oneOf", "prefixItems"])
_MAPS: Final = frozenset(["properties", "patternProperties", "dependentSchemas", "$defs"])
# These speak of the same value as the schema that they stand in; all others speak of a value inside it.
_SAME_VALUE: Final = frozenset(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"])
# Closing an object in one of these would make the whole contract allow more, not less.
_TESTS: Final = frozenset(["if", "not", "contains"])
_PLAIN: Final = frozenset(
    [
        *("type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
        *("maxLength", "minLength", "pattern", "format", "maxItems", "minItems", "uniqueItems", "maxContains"),
        *("minContains", "maxProperties", "minProperties", "required", "dependentRequired", "$ref", "$schema"),
        *("title", "description", "$comment", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    ]
)
_OURS: Final = frozenset(["x-domains", "x-sensitive", "x-amount", "x-touches", "x-confirm"])
_KNOWN: Final = _ONE | _LISTS | _MAPS | _PLAIN | _OURS
_DEFINED: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_HIDINGS: Final[Mapping[str, Hiding]] = {"mask": "mask", "hash": "hash", "drop": "drop"}
_TYPES: Final = frozenset(["array", "boolean", "integer", "null", "number", "object", "string"])
_FORMATS: Final = frozenset(
    [
        *("date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri"),
        *("iri-reference", "json-pointer", "regex", "relative-json-pointer", "time", "uri", "uri-reference"),
        *("uri-template", "uuid"),
    ]
)
_MARKS: Final = frozenset(TOUCHES.values())
_ADDS_FIELDS: Final = frozenset(["allOf", "anyOf", "oneOf", "then", "else"])
_CLOSERS: Final = frozenset(["additionalProperties", "unevaluatedProperties"])

Object = dict[str, Json]


class SchemaFault(NamedTuple):
    """What is wrong with a contract, at a JSON pointer into it."""

    pointer: str
    detail: str


class _Place(NamedTuple):
    """Where a schema stands. `whole`: the one schema of its value; `judges`: what fails it is refused."""

    pointer: str
    depth: int
    whole: bool
    judges: bool
    name: str | None = None


@dataclass
class StrictSchema:
    """A contract's schema while and after it is made strict: `root` is good once `faults` stayed empty."""

    faults: list[SchemaFault] = field(default_factory=list)
    hidden: dict[str, Hiding] = field(default_factory=dict)
    touching: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    names: set[str] = field(default_factory=set)
    confirmed: str | None = None
    root: Object = field(default_factory=dict)
    _definitions: Mapping[str, Json] = field(default_factory=dict)
    _refs: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _sizes: Counter[str] = field(default_factory=Counter)
    _totals: dict[str, int] = field(default_factory=dict)
    _owner: str = ""

    def fault(self, pointer: str, detail: str) -> None:
        """Write down a fault; nobody reads more than `MAX_FAULTS`."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(SchemaFault(pointer, detail))

    def read(self, schema: Json) -> None:
        """Check the whole schema and make its strict copy."""
        if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
            self.fault("", "a contract is a JSON Schema whose 'properties' name every argument")
            return
        definitions = schema.get("$defs", {})
        if not isinstance(definitions, Mapping):
            self.fault("/$defs", "must be a mapping of schemas")
            return
        self._definitions = definitions
        own = {key: value for key, value in schema.items() if key != "$defs"}
        strict = cast("Object", self._schema(own, _Place("", 0, whole=True, judges=True)))
        made: Object = {}
        for name, inner in definitions.items():
            self._owner = name
            if not _DEFINED.fullmatch(name):
                self.fault(f"/$defs/{escaped(name)}", "a definition's name has letters, digits, '.', '_' and '-'")
            made[name] = self._schema(inner, _Place(f"/$defs/{escaped(name)}", 1, whole=False, judges=True))
        self.root = {**strict, "$defs": made} if made else strict
        if not self.faults and self._expanded("", ()) > MAX_EXPANDED:
            self.fault("/$defs", f"comes to more than {MAX_EXPANDED} schemas when each $ref is written out")

    def _schema(self, node: Json, place: _Place) -> Json:
        self._sizes[self._owner] += 1
        if isinstance(node, bool):
            return node
        if not isinstance(node, Mapping):
            self.fault(place.pointer, "must be a schema: a mapping, true or false")
            return True
        if place.depth > MAX_DEPTH:
            self.fault(place.pointer, f"nested deeper than {MAX_DEPTH} schemas; flatten it")
            return True
        if self._sizes.total() > MAX_SCHEMAS:
            self.fault(place.pointer, f"more than {MAX_SCHEMAS} schemas in one contract; make it smaller")
            return True
        made: Object = {}
        for key, value in node.items():
            if len(self.faults) >= MAX_FAULTS:
                break
            here = f"{place.pointer}/{escaped(key)}"
            self._check(key, value, node, place, here)
            made[key] = self._inside(key, value, place, here)
        if place.whole and place.judges and not _CLOSERS & node.keys() and self._has_fields(node, set()):
            # `additionalProperties` sees only its own object's fields; the other one also those of `allOf` and `$ref`.
            made["unevaluatedProperties" if (_SAME_VALUE | {"$ref"}) & node.keys() else "additionalProperties"] = False
        return made

    def _inside(self, key: str, value: Json, place: _Place, here: str) -> Json:
        """Make the strict copy of what stands under a keyword."""
        whole, judges = key not in _SAME_VALUE, place.judges and key not in _TESTS
        inner = _Place(here, place.depth + 1, whole, judges)
        if key in _ONE:
            return self._schema(value, inner)
        if key in _LISTS and isinstance(value, list):
            return [self._schema(each, inner._replace(pointer=f"{here}/{i}")) for i, each in enumerate(value)]
        if key in _MAPS and isinstance(value, Mapping):
            fields = key == "properties"
            self.names.update(value if fields else ())
            return {
                name: self._schema(
                    each, inner._replace(pointer=f"{here}/{escaped(name)}", name=name if fields else None)
                )
                for name, each in value.items()
            }
        if key in _LISTS | _MAPS:
            self.fault(here, f"must be a {'list' if key in _LISTS else 'mapping'} of schemas")
        return value

    def _has_fields(self, node: Json, seen: set[str]) -> bool:
        """Whether a schema names fields of its value, itself or through what it is put together of."""
        if not isinstance(node, Mapping):
            return False
        ref = node.get("$ref")
        if isinstance(ref, str) and ref not in seen and len(seen) <= MAX_DEPTH:  # longer ways are refused later
            seen.add(ref)
            if self._has_fields(self._definitions.get(ref.removeprefix(_REF)), seen):
                return True
        parts = [node[key] for key in _ADDS_FIELDS & node.keys()]
        parts = [each for part in parts for each in (part if isinstance(part, list) else [part])]
        dependent = node.get("dependentSchemas")
        parts += dependent.values() if isinstance(dependent, Mapping) else ()
        return "properties" in node or any(self._has_fields(part, seen) for part in parts)

    # --- one keyword

    def _check(self, key: str, value: Json, node: Mapping[str, Json], place: _Place, here: str) -> None:
        if key not in _KNOWN:
            near = nearest(key, _KNOWN)
            says = f"did you mean '{near}'?" if near else "JSON Schema 2020-12 would ignore it; take it out"
            self.fault(here, f"unknown keyword '{key}'; {says}")
        match key:
            case "$schema" if here != "/$schema" or value != DIALECT:
                self.fault(here, f"stands at the top and is {DIALECT}, or is left out")
            case "$defs":
                self.fault(here, "stands at the top of the contract only")
            case "$ref":
                self._check_ref(value, place, here)
            case "type":
                self._check_names(value if isinstance(value, list) else [value], _TYPES, "type", here)
            case "format":
                self._check_names([value], _FORMATS, "format", here)
            case "pattern" if isinstance(value, str) and len(value) > MAX_PATTERN:
                self.fault(here, f"a pattern has at most {MAX_PATTERN} characters")
            case "patternProperties" if isinstance(value, Mapping) and any(len(name) > MAX_PATTERN for name in value):
                self.fault(here, f"a pattern has at most {MAX_PATTERN} characters")
            case "x-domains":
                self._check_domains(value, node, here)
            case "x-sensitive":
                self._check_sensitive(value, place, here)
            case "x-touches":
                self._check_touches(value, place, here)
            case "x-confirm":
                self._check_confirm(value, place, here)
            case "x-amount" if value is not True or place.name is None:
                self.fault(here, "can only be true, on a field")

    def _check_ref(self, value: Json, place: _Place, here: str) -> None:
        if not isinstance(value, str) or not value.startswith(_REF) or value[len(_REF) :] not in self._definitions:
            self.fault(here, f"a $ref leads to '{_REF}NAME' of the same file; nothing is ever fetched")
        elif not place.judges:
            self.fault(here, "write it out: no $ref inside 'if', 'not' or 'contains'")
        else:
            self._refs[self._owner][value.removeprefix(_REF)] += 1

    def _check_names(self, names: Sequence[Json], known: Collection[str], what: str, here: str) -> None:
        for name in names:
            if not isinstance(name, str) or name not in known:
                near = nearest(str(name), known)
                says = f"did you mean '{near}'?" if near else f"there are {', '.join(sorted(known))}"
                self.fault(here, f"no such {what}; {says}")
                return

    def _check_domains(self, value: Json, node: Mapping[str, Json], here: str) -> None:
        wrong = wrong_list(value)
        if wrong is not None:
            self.fault(here, wrong)
        elif node.get("type") != "string":
            self.fault(here, "stands beside 'type': 'string'; for a list of addresses put both into its 'items'")

    def _check_sensitive(self, value: Json, place: _Place, here: str) -> None:
        hiding = _HIDINGS.get(value) if isinstance(value, str) else None
        if hiding is None:
            self.fault(here, "is one of mask, hash and drop")
        elif place.name is None:
            self.fault(here, "stands on a field in 'properties', beside its $ref if it has one")
        elif self.hidden.setdefault(place.name, hiding) != hiding:
            self.fault(here, f"a field '{place.name}' is hidden in another way elsewhere; choose one")

    def _check_confirm(self, value: Json, place: _Place, here: str) -> None:
        if value is not True or place.name is None or here != f"/properties/{escaped(place.name)}/x-confirm":
            self.fault(here, "can only be true, on one of the tool's own arguments")
        elif self.confirmed is not None:
            self.fault(here, f"'{self.confirmed}' is marked already; what is typed again is one value")
        else:
            self.confirmed = place.name

    def _check_touches(self, value: Json, place: _Place, here: str) -> None:
        marks = value if isinstance(value, list) else [value]
        if not marks or any(not isinstance(mark, str) or mark not in _MARKS for mark in marks):
            self.fault(here, f"is {' or '.join(sorted(_MARKS))}, or a list of them")
        elif place.name is None:
            self.fault(here, "stands on a field in 'properties', beside its $ref if it has one")
        else:
            for mark in marks:
                self.touching[str(mark)].add(place.name)

    def _expanded(self, owner: str, above: tuple[str, ...]) -> int:
        """Count the schemas that a part comes to when each $ref is written out; a circle is a fault."""
        if owner in above:
            self.fault(f"/$defs/{owner}", "its $ref leads back to itself; write out as many levels as there are")
            return 0
        if len(above) > MAX_DEPTH:
            self.fault(f"/$defs/{owner}", f"more than {MAX_DEPTH} times a $ref leads to a $ref; write them out")
            return 0
        if owner not in self._totals:
            inner = [times * self._expanded(name, (*above, owner)) for name, times in self._refs[owner].items()]
            self._totals[owner] = self._sizes[owner] + sum(inner)
        return self._totals[owner]


def escaped(name: str) -> str:
    """Write a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
