"""What a search is read from: a closed set of words, each bounded, and each fault by its name."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from handlers.audit_desk import Sought, SoughtError
from handlers.seeking import sought_in


def test_everything_is_read() -> None:
    """Days are days in UTC, the last one whole; moments keep their zone; currencies are small."""
    assert sought_in({}) == Sought()
    found = sought_in({"from": "2026-11-21", "to": "2026-11-21", "currency": "USD", "min": "1.50", "max": "-0"})
    assert (found.since, found.until) == (datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    assert (found.currency, found.least, found.most) == ("usd", Decimal("1.50"), Decimal(0))
    assert found.filters == ("since", "until", "currency", "least", "most")
    found = sought_in({"from": "2026-11-21t09:30:00+02:00", "person": "U1", "agent": "a", "tool": "t", "rule": "r"})
    assert found.since == datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    assert sought_in({"state": "succeeded", "text": "x"}).filters == ("state", "text")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("from", text) for text in ("yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "2026-01-01T10:00:00", "")),
        *(("to", text) for text in ("9999-12-31", "٢٠٢٦-01-01", " ", "0001-01-01T00:00:00+10:00")),
        *(("state", "maybe"), ("currency", "dollars"), ("currency", "U$D"), ("text", "x" * 201), ("person", "\n")),
        *(("min", text) for text in ("1e5", "NaN", "1,5", "0.0000001", "1" * 13)),
    ],
)
def test_what_cannot_be_is_named(name: str, value: str) -> None:
    """The fault says which of them it is, and never repeats what was sent."""
    with pytest.raises(SoughtError) as caught:
        sought_in({name: value, **({"currency": "usd"} if name == "min" else {})})
    assert caught.value.name == name
    assert not value.strip() or value not in str(caught.value)


def test_an_amount_needs_its_currency() -> None:
    """5 dollars and 5 yen are not the same; the fault is pointed at what is missing."""
    with pytest.raises(SoughtError) as caught:
        sought_in({"max": "5"})
    assert caught.value.name == "currency"


@pytest.mark.parametrize(
    ("sought", "reads"),
    [
        (Sought(text="x"), True),
        (Sought(currency="usd"), True),
        (Sought(person="U0MAYACHEN1"), True),
        (Sought(person="maya@example.com"), True),
        (Sought(person="pers_" + "0" * 26), False),
        (Sought(agent="a", tool="t", rule="r", state="denied"), False),
    ],
)
def test_what_would_tell_of_values(sought: Sought, *, reads: bool) -> None:
    """Words, amounts and names are values; a pseudonym, an agent, a tool, a rule and a state are not."""
    assert sought.reads_values is reads
