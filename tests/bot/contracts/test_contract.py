"""A contract held against arguments: exact, closed, bounded, and in words that name no value."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.text import Json
from bot.contracts.contract import MAX_BREACHES, ContractError, JsonContract, compile_contract
from bot.contracts.schema import MAX_DEPTH, MAX_PATTERN, MAX_SCHEMAS

PAYMENT: dict[str, Json] = {
    "required": ["order_id", "idempotency_key", "amount_usd"],
    "properties": {
        "order_id": {"type": "string"},
        "idempotency_key": {"type": "string"},
        "amount_usd": {"type": "number", "maximum": 500},
    },
}
PAID: dict[str, Json] = {"order_id": "ORD-1", "idempotency_key": "key-1", "amount_usd": Decimal("499.99")}


def contract(schema: Json = None, **fields: Json) -> JsonContract:
    """Compile a schema, or fields."""
    return compile_contract({"properties": fields} if schema is None else schema, "inline")


def told(of: JsonContract, arguments: dict[str, Json]) -> list[tuple[str, str]]:
    """What is wrong, as pairs."""
    return [(breach.pointer, breach.detail) for breach in of.breaches(arguments)]


def faults(schema: Json, *, payment: bool = False) -> list[tuple[str, str]]:
    """What is wrong with a contract itself."""
    with pytest.raises(ContractError) as refused:
        compile_contract(schema, "inline", payment=payment)
    assert str(refused.value)
    return list(refused.value.faults)


# --- numbers


@pytest.mark.parametrize(
    "number",
    [
        *("50.000000000000001", "50.0000000000000000000000000000000001", "1e400", "1e999999", "51"),
        *("9" * 400, "5e1000", "50.1"),
    ],
)
def test_a_cap_is_exact(number: str) -> None:
    """A number over the cap is refused however little or much it is over: nothing goes through a float."""
    of = contract(n={"type": "number", "maximum": 50})
    assert told(of, {"n": Decimal(number)}) == [("/arguments/n", "must be at most 50")]
    assert told(of, {"n": Decimal(50)}) == told(of, {"n": Decimal("49.9999999999999999999999")}) == []


def test_a_cap_may_have_a_fraction() -> None:
    """A bound is the decimal that was written, not the nearest float."""
    of = contract(n={"maximum": Decimal("0.3"), "minimum": Decimal("0.1")})
    assert told(of, {"n": Decimal("0.1") + Decimal("0.2")}) == []
    assert told(of, {"n": Decimal("0.30000000000000001")}) == [("/arguments/n", "must be at most 0.3")]
    assert told(of, {"n": Decimal("0.09999999999999999999")}) == [("/arguments/n", "must be at least 0.1")]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6), st.decimals(-1000, 1000, places=4))
def test_bounds_agree_with_decimal_arithmetic(number: Decimal, cap: Decimal) -> None:
    """For any number and any bound, the contract says what exact comparison says."""
    of = contract(n={"maximum": cap})
    assert (told(of, {"n": number}) == []) == (number <= cap)


@given(st.integers(0, 10**9), st.integers(1, 99))
def test_cents_are_multiples_of_a_cent(cents: int, rest: int) -> None:
    """Every amount in whole cents passes, and none with a rest."""
    of = contract(n={"multipleOf": Decimal("0.01")})
    amount = Decimal(cents) / 100
    assert told(of, {"n": amount}) == []
    assert told(of, {"n": amount + Decimal(rest) / 10000}) == [("/arguments/n", "must be a multiple of 0.01")]


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), True, "5"])
def test_what_is_no_number_is_refused(number: Json) -> None:
    """A number that is none, a flag and a text are not numbers."""
    assert told(contract(n={"type": "number", "maximum": 50}), {"n": number}) == [
        ("/arguments/n", "must be of the type number")
    ]


# --- unknown fields


def test_unknown_fields_are_refused_at_every_depth() -> None:
    """Objects, entries of lists, definitions and what is put together: unknown fields end at each of them."""
    inner: Json = {"properties": {"known": {}}}
    of = contract(
        {
            "properties": {
                "object": inner,
                "list": {"items": inner},
                "ref": {"$ref": "#/$defs/part"},
                "all": {"allOf": [{"$ref": "#/$defs/part"}, {"properties": {"more": {}}}]},
                "both": {
                    "properties": {"a": {}},
                    "then": True,
                    "anyOf": [{"properties": {"b": {}}}, {"required": ["a"]}],
                },
                "deep": {"properties": {"deep": {"items": {"properties": {"deep": inner}}}}},
                "dependent": {"dependentSchemas": {"a": {}}, "properties": {"a": {}}},
            },
            "$defs": {"part": inner},
        }
    )
    good: dict[str, Json] = {
        "object": {"known": 1},
        "list": [{"known": 1}],
        "ref": {"known": 1},
        "all": {"known": 1, "more": 1},
        "both": {"a": 1, "b": 1},
        "deep": {"deep": [{"deep": {"known": 1}}]},
        "dependent": {"a": 1},
    }
    assert told(of, good) == []
    bad: dict[str, Json] = {
        "object": {"odd": 1},
        "list": [{"known": 1}, {"odd": 1}],
        "ref": {"odd": 1},
        "all": {"odd": 1},
        "both": {"odd": 1},
        "deep": {"deep": [{"deep": {"odd": 1}}]},
        "dependent": {"odd": 1},
        "odd/~": 1,
    }
    places = {pointer for pointer, _ in told(of, bad)}
    assert {
        *("/arguments/object/odd", "/arguments/list/1/odd", "/arguments/ref/odd", "/arguments/all/odd"),
        *("/arguments/both/odd", "/arguments/deep/deep/0/deep/odd", "/arguments/dependent/odd"),
        "/arguments/odd~1~0",
    } <= places


def test_an_author_may_open_an_object() -> None:
    """What the author says about further fields stands; an object without fields stays open."""
    of = contract(
        a={"properties": {}, "additionalProperties": True}, b={"additionalProperties": {"type": "string"}}, c={}
    )
    assert told(of, {"a": {"x": 1}, "b": {"x": "y"}, "c": {"x": 1}}) == []
    assert told(of, {"b": {"x": 1}}) == [("/arguments/b/x", "must be of the type string")]


def test_a_test_is_not_closed() -> None:
    """`if`, `not` and `contains` name some fields of many: closing them would switch off what depends on them."""
    of = contract(
        {
            "properties": {
                "kind": {},
                "reason": {},
                "inner": {"properties": {"a": {}, "b": {}}},
                "list": {"contains": {"properties": {"a": {"const": 1}}, "required": ["a"]}},
            },
            "if": {"properties": {"kind": {"const": "big"}, "inner": {"properties": {"a": {"const": 1}}}}},
            "then": {"required": ["reason"]},
            "not": {"properties": {"kind": {"const": "none"}}, "required": ["kind"]},
        }
    )
    assert told(of, {"kind": "big", "inner": {"a": 1, "b": 2}}) == [("/arguments/reason", "missing; add it")]
    assert told(of, {"kind": "big", "reason": "x", "list": [{"a": 1, "b": 2}]}) == []
    assert told(of, {"kind": "small", "odd": 1}) == [("/arguments/odd", "unknown field; remove it")]
    assert told(of, {"kind": "none", "reason": "x"}) == [("/arguments", "does not fit the contract's 'not'")]


def test_a_known_field_with_a_wrong_value_is_not_called_unknown() -> None:
    """Only its value is named, although JSON Schema counts it as not evaluated."""
    of = contract({"properties": {}, "allOf": [{"properties": {"a": {"maximum": 1}}}]})
    assert told(of, {"a": 2}) == [("/arguments/a", "must be at most 1")]
    assert told(of, {"b": 2}) == [("/arguments/b", "unknown field; remove it")]


def test_a_slip_is_corrected() -> None:
    """The nearest known name is suggested."""
    assert told(contract(card_number={}), {"cardnumber": 1}) == [
        ("/arguments/cardnumber", "unknown field; did you mean card_number?")
    ]


# --- words


def test_words_for_an_agent() -> None:
    """Each kind of breach says what is wanted and never what was sent."""
    of = contract(
        one={"type": ["string", "null"], "maxLength": 3, "minLength": 2},
        two={"enum": ["a", Decimal("1.5"), None]},
        three={"const": "yes"},
        four={"type": "array", "maxItems": 1, "uniqueItems": True},
        five={"type": "string", "pattern": "^x$"},
        six={"format": "date"},
        seven={"exclusiveMinimum": 0, "exclusiveMaximum": 2},
        eight=False,
        nine={"anyOf": [{"type": "string"}, {"type": "null"}]},
        ten={"enum": list(range(30))},
    )
    sent: dict[str, Json] = {
        "one": "SECRET",
        "two": "SECRET",
        "three": "SECRET",
        "four": ["SECRET", "SECRET"],
        "five": "SECRET",
        "six": "SECRET",
        "seven": 0,
        "eight": "SECRET",
        "nine": 4111,
        "ten": "SECRET",
    }
    assert dict(told(of, sent)) == {
        "/arguments/one": "must have at most 3 characters",
        "/arguments/two": "must be one of a, 1.5, null",
        "/arguments/three": "must be yes",
        "/arguments/four": "must not hold the same entry twice",
        "/arguments/five": "must match the pattern ^x$",
        "/arguments/six": "must have the format date",
        "/arguments/seven": "must be more than 0",
        "/arguments/eight": "must not be there",
        "/arguments/nine": "does not fit the contract's 'anyOf'",
        "/arguments/ten": "must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 18 more",
    }
    assert told(of, {"one": 5}) == [("/arguments/one", "must be one of null, string")]
    assert told(of, {"one": "a"}) == [("/arguments/one", "must have at least 2 characters")]
    assert "SECRET" not in json.dumps(told(of, sent))


def test_faults_and_names_are_bounded() -> None:
    """At most 20 breaches, and no name longer than 128 characters, whatever was sent."""
    of = contract(known={}, open={"additionalProperties": {"type": "string"}})
    assert len(told(of, {f"odd{i}": 1 for i in range(500)})) == MAX_BREACHES
    assert told(of, {"x" * 5000: 1}) == [
        ("/arguments", "has an unknown field, whose name has 5000 characters; remove it")
    ]
    assert told(of, {"open": {"x" * 5000: 1}}) == [("/arguments/open", "must be of the type string")]


# --- hostile input


def test_many_wrong_values_cost_little() -> None:
    """A body full of wrong values is refused by its first one, within a fraction of a second."""
    of = contract(list={"items": {"maximum": 0}}, other={"maximum": 0})
    started = time.perf_counter()
    assert told(of, {"list": [1] * 120_000, "other": 1}) == [("/arguments/list/0", "must be at most 0")]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)*$", "(a?){100}a{100}$", "[a-z]{1,500}b"])
def test_a_pattern_ends_in_time(pattern: str) -> None:
    """Patterns that run for ever elsewhere judge a text of 250,000 characters within a second."""
    of = contract(text={"pattern": pattern})
    started = time.perf_counter()
    of.breaches({"text": "a" * 250_000 + "!"})
    assert time.perf_counter() - started < 1


def test_nesting_without_end_is_refused() -> None:
    """Arguments that cannot be walked through are refused, not allowed and not a crash."""
    value: Json = 1
    for _ in range(10_000):
        value = [value]
    ((pointer, detail),) = told(contract(a={"type": "string"}), {"a": value})
    assert (pointer, detail) == ("/arguments", "cannot be held against the contract; fall back to a person")


def test_a_name_that_is_no_text_is_refused() -> None:
    """A lone surrogate is no reason to let anything through."""
    assert told(contract(a={}), {"\ud800": 1}) != []


# --- what a contract may say


@pytest.mark.parametrize(
    ("schema", "pointer", "advice"),
    [
        (5, "", "whose 'properties' name every argument"),
        ({}, "", "whose 'properties' name every argument"),
        ({"properties": []}, "", "whose 'properties' name every argument"),
        ({"properties": {"a": 5}}, "/properties/a", "must be a schema"),
        ({"properties": {"a": {"maxmum": 5}}}, "/properties/a/maxmum", "did you mean 'maximum'?"),
        ({"properties": {"a": {"zzz": 5}}}, "/properties/a/zzz", "JSON Schema 2020-12 would ignore it"),
        ({"properties": {"a": {"$id": "x"}}}, "/properties/a/$id", "unknown keyword"),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, "/properties/a/$dynamicRef", "unknown keyword"),
        ({"properties": {"a": {"$defs": {}}}}, "/properties/a/$defs", "at the top of the contract only"),
        ({"properties": {}, "$defs": []}, "/$defs", "a mapping of schemas"),
        ({"properties": {}, "$defs": {"a b": {}}}, "/$defs/a b", "letters, digits"),
        ({"properties": {}, "$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "2020-12"),
        ({"properties": {"a": {"$schema": 5}}}, "/properties/a/$schema", "stands at the top"),
        ({"properties": {"a": {"$ref": "http://example.com/a"}}}, "/properties/a/$ref", "nothing is ever fetched"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "/properties/a/$ref", "nothing is ever fetched"),
        ({"properties": {"a": {"$ref": "#"}}}, "/properties/a/$ref", "'#/$defs/NAME'"),
        ({"properties": {"a": {"$ref": 5}}}, "/properties/a/$ref", "'#/$defs/NAME'"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "/properties/a/$ref", "'#/$defs/NAME'"),
        (
            {"properties": {"a": {"not": {"$ref": "#/$defs/b"}}}, "$defs": {"b": {}}},
            "/properties/a/not/$ref",
            "write it out",
        ),
        ({"properties": {"a": {"type": "strin"}}}, "/properties/a/type", "did you mean 'string'?"),
        ({"properties": {"a": {"maximum": "5"}}}, "/properties/a/maximum", "not of type"),
        ({"properties": {"a": {"format": "emali"}}}, "/properties/a/format", "did you mean 'email'?"),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, "/properties/a/pattern", "look-around"),
        ({"properties": {"a": {"pattern": "(a)\\1"}}}, "/properties/a/pattern", "look-around"),
        ({"properties": {"a": {"pattern": "(a{1000}){1000}"}}}, "/properties/a/pattern", "huge repeats"),
        ({"properties": {"a": {"pattern": "a" * (MAX_PATTERN + 1)}}}, "/properties/a/pattern", "at most 500"),
        (
            {"properties": {"a": {"patternProperties": {"a" * (MAX_PATTERN + 1): {}}}}},
            "/properties/a/patternProperties",
            "at most 500",
        ),
        ({"properties": {"a": {"patternProperties": {"(?!a)": {}}}}}, "/properties/a/patternProperties/(?!a)", "look-"),
        ({"properties": {"a": {"allOf": {}}}}, "/properties/a/allOf", "must be a list of schemas"),
        ({"properties": {"a": {"properties": 5}}}, "/properties/a/properties", "must be a mapping of schemas"),
        ({"properties": {"a": {"x-domains": ["example.com"]}}}, "/properties/a/x-domains", "beside 'type': 'string'"),
        ({"properties": {"a": {"type": "string", "x-domains": []}}}, "/properties/a/x-domains", "a list of 1 to 200"),
        ({"properties": {"a": {"x-sensitive": "hide"}}}, "/properties/a/x-sensitive", "one of mask, hash and drop"),
        ({"properties": {"a": {"x-sensitive": 5}}}, "/properties/a/x-sensitive", "one of mask, hash and drop"),
        ({"properties": {"a": {"items": {"x-sensitive": "mask"}}}}, "/properties/a/items/x-sensitive", "on a field"),
        (
            {"properties": {"a": {"x-sensitive": "mask", "properties": {"a": {"x-sensitive": "drop"}}}}},
            "/properties/a/properties/a/x-sensitive",
            "in another way elsewhere",
        ),
        ({"properties": {"a": {"x-amount": 1}}}, "/properties/a/x-amount", "can only be true"),
        ({"properties": {}, "x-amount": True}, "/x-amount", "can only be true, on a field"),
        ({"properties": {"a": {"enum": [Decimal("NaN")]}}}, "", "cannot be compiled"),
    ],
)
def test_a_contract_that_would_not_do_what_it_says_is_refused(schema: Json, pointer: str, advice: str) -> None:
    """Each slip is a fault at its place, with what to do."""
    found = faults(schema)
    assert any(where == pointer and advice in detail for where, detail in found), found


def test_a_schema_without_end_is_refused() -> None:
    """Ten thousand levels, thousands of schemas, circles and doubling definitions are refused at once."""
    deep: Json = {}
    for _ in range(10_000):
        deep = {"properties": {"a": deep}}
    ((_, detail),) = faults(deep)
    assert f"nested deeper than {MAX_DEPTH} schemas" in detail
    wide: Json = {"properties": {f"f{i}": {} for i in range(MAX_SCHEMAS)}}
    assert f"more than {MAX_SCHEMAS} schemas" in faults(wide)[0][1]
    circle: Json = {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}
    assert faults(circle) == [("/$defs/a", "its $ref leads back to itself; write out as many levels as there are")]
    steps: Json = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(30)}
    assert isinstance(steps, dict)
    doubling: Json = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**steps, "d30": {}}}
    assert "10000 schemas when each $ref is written out" in faults(doubling)[0][1]


def test_hidden_fields_are_collected() -> None:
    """Every field with x-sensitive is known by its name, also in definitions."""
    of = contract(
        {
            "properties": {"card": {"x-sensitive": "mask"}, "who": {"$ref": "#/$defs/who", "x-sensitive": "hash"}},
            "$defs": {"who": {"properties": {"born": {"x-sensitive": "drop"}}}},
        }
    )
    assert of.hidden == {"card": "mask", "who": "hash", "born": "drop"}


# --- payments


@pytest.mark.parametrize("name", ["order_id", "idempotency_key", "amount_usd"])
@pytest.mark.parametrize("sent", ["nothing", "null", "blank"])
def test_a_payment_says_what_is_missing(name: str, sent: str) -> None:
    """Each of the three, left out, null or blank: the agent is told which and to fall back to a person."""
    of = compile_contract(PAYMENT, "inline", payment=True)
    arguments = {**PAID, name: {"nothing": None, "null": None, "blank": " \t"}[sent]}
    if sent == "nothing":
        del arguments[name]
    detail = "missing: a payment needs it; do not pay without it, and fall back to a person"
    assert told(of, arguments) == [(f"/arguments/{name}", detail)]
    assert told(of, PAID) == []


def test_a_payment_over_its_cap() -> None:
    """The cap holds for the number and for the number as text."""
    of = compile_contract(PAYMENT, "inline", payment=True)
    assert told(of, {**PAID, "amount_usd": Decimal("500.01")}) == [("/arguments/amount_usd", "must be at most 500")]
    assert told(of, {**PAID, "amount_usd": "9999"}) == [("/arguments/amount_usd", "must be of the type number")]


def test_a_payment_contract_needs_its_three() -> None:
    """What the contract does not ask for is named when the folder is loaded."""
    ((pointer, detail),) = faults({"properties": {}}, payment=True)
    assert pointer == ""
    assert "'order_id'" in detail
    assert "'idempotency_key'" in detail
    assert "x-amount: true" in detail
    assert compile_contract({"properties": {}}, "inline").breaches({}) == ()


@pytest.mark.parametrize(
    ("fields", "pointer", "advice"),
    [
        ({"order_id": {"type": "integer"}}, "/properties/order_id", "type string"),
        ({"idempotency_key": True}, "/properties/idempotency_key", "type string"),
        ({"amount_usd": {"type": "number"}}, "/properties/amount_usd", "hard cap"),
        ({"amount_usd": {"maximum": 5}}, "/properties/amount_usd", "type number or integer"),
        ({"amount_usd": {"type": ["number", "string"], "maximum": 5}}, "/properties/amount_usd", "number or integer"),
        ({"tip_amount": {"type": "number"}}, "/properties/tip_amount", "hard cap"),
        ({"taxAmount": {"type": "number"}}, "/properties/taxAmount", "hard cap"),
        ({"total": {"type": "number", "x-amount": True}}, "/properties/total", "hard cap"),
    ],
)
def test_every_amount_of_a_payment_has_a_cap(fields: dict[str, Json], pointer: str, advice: str) -> None:
    """An amount without a type or a maximum, required or not, is a fault; so is a key that is no text."""
    properties = PAYMENT["properties"]
    assert isinstance(properties, dict)
    ((where, detail),) = faults({**PAYMENT, "properties": {**properties, **fields}}, payment=True)
    assert where == pointer
    assert advice in detail


def test_an_amount_of_any_name() -> None:
    """A field with x-amount is an amount; a name that only looks like one is none."""
    properties: dict[str, Json] = {
        "order_id": {"type": "string", "pattern": "^O"},
        "idempotency_key": {"type": "string"},
        "total": {"type": "integer", "maximum": 5, "x-amount": True},
        "paramount": {"type": "string"},
    }
    of = compile_contract(
        {"properties": properties, "required": ["order_id", "idempotency_key", "total"]}, "inline", payment=True
    )
    assert [pointer for pointer, _ in told(of, {"order_id": "O", "idempotency_key": "k"})] == ["/arguments/total"]
