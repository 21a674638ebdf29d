"""How JSON values are written for people: exact, in words, and never guessed."""

from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.requirement import Hiding
from approval_rules.text import AgentJson, Json
from handlers.slack.text import arguments_of, evidence_of, exact, fields_of_action
from handlers.slack.values import HIDDEN, in_words, lines_of, money


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("amount_usd", Decimal("180.00"), "$180.00"),
        ("amount_usd", 180, "$180.00"),
        ("amountUSD", 1234567, "$1,234,567.00"),
        ("amount_usd", Decimal("-0.5"), "-$0.50"),
        ("amount_usd", Decimal("50.0000000000000001"), "$50.0000000000000001"),
        ("fee_eur", Decimal("12.345"), "€12.345"),
        ("fee_gbp", 5, "£5.00"),
        ("price_jpy", 1800, "¥1,800"),
        ("price_chf", Decimal("9.9"), "9.90 CHF"),
        ("amount_usd", "180.00", '$180.00 ("180.00")'),
        ("amount_usd", "a lot", "a lot"),
        ("amount_cents_usd", 18000, "18,000"),
        ("amount", 18000, "18,000"),
        ("count", 9999, "9999"),
        ("count", Decimal("12345.60"), "12,345.60"),
        ("order_id", 1234567, "1234567"),
        ("ratio", Decimal("1e-20"), "1E-20"),
        ("flag_usd", True, "yes"),
        ("flag", False, "no"),
        ("what", None, "(nothing)"),
        ("what", "", "(empty)"),
        ("what", [], "(empty list)"),
        ("what", {}, "(empty object)"),
        ("day", "2026-11-21", "2026-11-21 (Saturday 21 November 2026)"),
        ("at", "2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z (Saturday 21 November 2026, 09:30 UTC)"),
        ("at", "2026-11-21 09:30", "2026-11-21 09:30 (Saturday 21 November 2026, 09:30, no time zone)"),
        ("at", "2026-13-41", "2026-13-41"),
    ],
)
def test_a_value_is_written_exactly_and_in_words(name: str, value: Json, shown: str) -> None:
    """Money has its sign, thousands and every digit; a number without a currency in its name is never money."""
    assert in_words(name, value) == shown


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**15), max_value=10**15))
def test_money_loses_no_digit(value: Decimal) -> None:
    """Reading the digits back gives the amount."""
    shown = money("amount_usd", value)
    assert shown is not None
    assert Decimal(shown.replace("$", "").replace(",", "")) == value


def test_nested_values_get_dotted_names() -> None:
    """Objects and lists are flattened, with line ends kept apart from one-line values."""
    value: Json = {"a": {"b": [1, {"c": "x\ny"}]}, "": 2, "d": []}
    lines = [(line.name, line.value, line.block) for line in lines_of(value)]
    assert lines == [("a.b.1", "1", False), ("a.b.2.c", "x\ny", True), ("", "2", False), ("d", "(empty list)", False)]


def test_hidden_fields_are_hidden_everywhere() -> None:
    """A field that policy hides is shown as hidden in words and in the canonical form, however deep."""
    arguments = AgentJson(
        {"card_number": "4111", "inner": {"card_number": {"x": "4111"}, "list": ["4111 is not named"]}}
    )
    hidden: dict[str, Hiding] = {"card_number": "mask"}
    shown = [line.value for line in arguments_of(arguments, hidden)]
    assert shown == [HIDDEN, HIDDEN, "4111 is not named"]
    assert exact(arguments, hidden).count("4111") == 1
    assert exact(arguments, {"inner.card_number": "mask"}).count("4111") == 2
    facts = evidence_of(AgentJson({"facts": {"card_number": "4111"}}), hidden).facts
    assert [line.value for line in facts] == [HIDDEN]


def test_context_of_any_shape_is_read() -> None:
    """Parts of the context that have another shape than agreed are shown all the same."""
    told = evidence_of(AgentJson({"history": "once", "steps_attempted": {"a": 1}, "odd": [1], "if_declined": 5}), {})
    assert [line.in_one() for line in told.history] == ["once"]
    assert [line.in_one() for line in told.steps] == ["a: 1"]
    assert [line.in_one() for line in told.facts] == ["odd.1: 1"]
    assert told.if_declined is None
    assert evidence_of(AgentJson([]), {}).facts == ()


def test_each_way_to_hide_a_field() -> None:
    """Masked, as a short digest, or left out with a note: in lines, canonical form and the sentence's fields."""
    arguments = AgentJson(
        {"card": "4111", "who": {"mail": "kim@example.com", "id": 7}, "note": "x", "list": [{"note": "y", "n": 1}]}
    )
    hidden: dict[str, Hiding] = {"card": "mask", "mail": "hash", "id": "hash", "note": "drop"}
    assert [(line.name, line.value, line.covered) for line in arguments_of(arguments, hidden)] == [
        ("card", "••• (hidden by policy)", True),
        ("who.mail", "sha256:5d9a0087 (hidden by policy)", True),
        ("who.id", "sha256:7902699b (hidden by policy)", True),
        ("", "(a field is left out: hidden by policy)", True),
        ("", "(a field is left out: hidden by policy)", True),
        ("list.1.n", "1", False),
    ]
    assert exact(arguments, hidden) == (
        '{"card":"••• (hidden by policy)","list":[{"n":1}],"who":{"id":"sha256:7902699b (hidden by policy)",'
        '"mail":"sha256:5d9a0087 (hidden by policy)"}}'
    )
    fields = {str(field.name): field.value for field in fields_of_action(arguments, hidden)}
    assert fields["who.mail"] == "sha256:5d9a0087 (hidden by policy)"
    assert "note" not in fields


def test_a_hidden_whole_is_hidden_with_all_that_is_in_it() -> None:
    """An object and a list are hidden by their own name too; the whole dotted name goes before the last part."""
    arguments = AgentJson({"a": {"b": [1, 2]}, "c": {"b": 3}})
    hidden: dict[str, Hiding] = {"a.b": "hash", "b": "mask"}
    values = [line.value for line in arguments_of(arguments, hidden)]
    assert values == [f"sha256:{sha256(b'[1,2]').hexdigest()[:8]} (hidden by policy)", "••• (hidden by policy)"]
