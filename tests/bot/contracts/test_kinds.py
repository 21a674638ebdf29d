"""What a contract makes known: never more than it says, and enough to find a slip."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.kinds import ANYTHING, NUMBER, TEXT, TRUTH, Kind
from approval_rules.ranges import Range
from approval_rules.text import Json
from bot.contracts.contract import ContractError, compile_contract

D = Decimal


def known(properties: Json, **more: Any) -> Kind:  # noqa: ANN401 - JSON
    """What is known of the arguments."""
    return compile_contract({"properties": properties, **more}, "inline").arguments


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, TEXT),
        ({"type": "integer"}, NUMBER),
        ({"type": ["integer", "number", "null"]}, NUMBER),
        ({"type": "boolean"}, TRUTH),
        ({"type": ["string", "number"]}, ANYTHING),
        ({"type": "null"}, ANYTHING),
        ({}, ANYTHING),
        (True, ANYTHING),
        ({"enum": ["a", "b", None]}, Kind("text", ("a", "b"))),
        ({"enum": ["a", 5]}, ANYTHING),
        ({"enum": [True, False]}, TRUTH),
        ({"enum": [[], [1]]}, Kind("a list")),
        ({"enum": [{}]}, Kind("an object")),
        ({"type": "string", "enum": ["a", 5]}, Kind("text", ("a",))),
        ({"const": D("1.50")}, Kind("a number", (D("1.50"),))),
        (
            {"type": "number", "minimum": 1, "exclusiveMaximum": D("5.5")},
            Kind("a number", range=Range(D(1), D("5.5"), open_high=True)),
        ),
        ({"minimum": 1}, ANYTHING),
        ({"type": "array", "items": {"type": "string"}}, Kind("a list", item=TEXT)),
        ({"type": "array", "items": {"type": "string"}, "prefixItems": [{}]}, Kind("a list")),
        ({"properties": {"n": {"type": "number"}}}, Kind(fields={"n": NUMBER}, closed=True)),
        ({"properties": {"n": {}}, "additionalProperties": True}, Kind(fields={"n": ANYTHING})),
        ({"properties": {"n": {}}, "patternProperties": {"^x-": {}}}, Kind(fields={"n": ANYTHING})),
        ({"$ref": "#/$defs/money"}, Kind("a number", range=Range(high=D(500)))),
        ({"$ref": "#/$defs/money", "minimum": 5, "type": "number"}, Kind("a number", range=Range(D(5), D(500)))),
        ({"allOf": [{"type": "string"}, {"enum": ["a"]}]}, Kind("text", ("a",))),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, ANYTHING),
        (
            {"anyOf": [{"properties": {"a": {"type": "string"}}}], "properties": {"n": {"type": "number"}}},
            Kind(fields={"a": ANYTHING, "n": NUMBER}, closed=True),
        ),
        (
            {"properties": {"n": {}}, "dependentSchemas": {"n": {"properties": {"m": {"type": "number"}}}}},
            Kind(fields={"n": ANYTHING, "m": ANYTHING}, closed=True),
        ),
        (
            {"properties": {"n": {}}, "if": {"required": ["n"]}, "then": {"properties": {"m": {}}}, "else": True},
            Kind(fields={"n": ANYTHING, "m": ANYTHING}, closed=True),
        ),
    ],
)
def test_what_is_known_of_a_field(schema: Json, kind: Kind) -> None:
    """Its kind, values, bounds and fields, through $ref and allOf; of what is only possible, the names alone."""
    definitions = {"money": {"type": "number", "maximum": 500}}
    assert known({"it": schema}, **{"$defs": definitions}).fields["it"] == kind


def test_the_arguments_are_closed_unless_they_are_opened() -> None:
    """Where other names are refused at intake, they are unknown at load too."""
    assert known({"n": {}}).closed
    assert not known({"n": {}}, additionalProperties=True).closed


def fits(kind: Kind, value: Json) -> bool:
    """Whether a value is what the kind claims; null counts as missing and may be anything."""
    if value is None:
        return True
    what = {str: "text", bool: "true or false", dict: "an object", list: "a list"}.get(type(value), "a number")
    if kind.what not in (None, what) or (kind.values is not None and value not in kind.values):
        return False
    if isinstance(value, Mapping):
        inside = [fits(kind.fields.get(name, ANYTHING), each) for name, each in value.items()]
        return all(inside) and not (kind.closed and value.keys() - kind.fields.keys())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return kind.item is None or all(fits(kind.item, each) for each in value)
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return not number or not Range(D(str(value)), D(str(value))).both(kind.range).empty


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", D("1.5")]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2),
    max_leaves=5,
)
_types = st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null"])
_leaves: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "type": _types | st.lists(_types, min_size=1, max_size=2, unique=True),
        "minimum": st.integers(-3, 3),
        "exclusiveMaximum": st.integers(-3, 3),
        "enum": st.lists(_values, min_size=1, max_size=3),
    },
)


def _wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2)
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _types,
            "properties": fields,
            "items": inner,
            "allOf": several,
            "anyOf": several,
            "if": inner,
            "oneOf": several,
            "not": _leaves,
            "then": inner,
            "dependentSchemas": fields,
            "$ref": st.just("#/$defs/d"),
            "additionalProperties": inner | st.booleans(),
        },
    )


_schemas: st.SearchStrategy[Any] = st.recursive(_leaves, _wrapped, max_leaves=6)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), _schemas, max_size=3), _leaves, _schemas, _values, _values)
def test_nothing_is_claimed_that_a_good_value_breaks(
    fields: dict[str, Json], defined: Json, more: dict[str, Json], one: Json, other: Json
) -> None:
    """Whatever arguments the contract lets through are what it makes known: no good policy is refused for it."""
    try:
        contract = compile_contract({**more, "properties": fields, "$defs": {"d": defined}}, "inline")
    except ContractError:
        return
    arguments: dict[str, Json] = {"a": one, "b": other}
    for sent in (arguments, {"a": one}, {"c": other}, one if isinstance(one, dict) else {}):
        if not contract.breaches(sent):
            assert fits(contract.arguments, sent)
