"""One value out of an answer: by its pointer, of its type, exactly, or not at all."""

from decimal import Decimal

import pytest

from approval_rules.facts import FactType
from approval_rules.text import Json
from bot.lookups.failure import LookupFailedError
from bot.lookups.reading import value_in


@pytest.mark.parametrize(
    ("body", "pointer", "wanted", "value"),
    [
        (b'{"tier": "pro"}', "/tier", "string", "pro"),
        (b'"pro"', "", "string", "pro"),
        (b'{"a": {"b": [1, {"c": 2.50}]}}', "/a/b/1/c", "number", Decimal("2.5")),
        (b'{"a/b": {"m~n": true}}', "/a~1b/m~0n", "boolean", True),
        (b'{"": {"": 1}}', "//", None, 1),
        (b'{"tags": ["x"]}', "/tags", None, ["x"]),
        (b'{"~1": 1}', "/~01", None, 1),
    ],
)
def test_a_value_is_found(body: bytes, pointer: str, wanted: FactType | None, value: Json) -> None:
    """Objects, lists and escaped names are followed; numbers stay exact."""
    assert value_in(body, pointer, wanted) == value


@pytest.mark.parametrize(
    ("body", "pointer", "wanted", "why"),
    [
        (b'["pro"]', "/01", None, "does not have it"),
        (b'["pro"]', "/-", None, "does not have it"),
        (b'["pro"]', "/1", None, "does not have it"),
        (b'["pro"]', "/" + "9" * 5000, None, "does not have it"),
        (b'{"a": "pro"}', "/a/b", None, "does not have it"),
        (b'{"a": "pro"}', "/a/0", None, "does not have it"),
        (b"null", "", None, "does not have it"),
        (b'{"a": 1}', "/a", "string", "is not text"),
        (b'{"a": "1"}', "/a", "number", "is not a number"),
        (b'{"a": 1}', "/a", "boolean", "is not true or false"),
        (b'{"a": [' + b'"xxxxxxxx",' * 1000 + b"1]}", "/a", None, "is too large"),
        (b'{"a": 0.1234567890123456789}', "/a", "number", "is not the JSON"),
        (b'{"a": 1, "b": 12345678901234567890}', "/a", "number", "is not the JSON"),
        (b'{"a": 1}{', "/a", None, "is not the JSON"),
        (b"\xff", "", None, "is not the JSON"),
        (b"", "", None, "is not the JSON"),
        (b"NaN", "", None, "is not the JSON"),
        (b"[" * 32 + b"]" * 32, "", None, "is not the JSON"),
        (b"[" * 60_000, "", None, "is not the JSON"),
    ],
)
def test_what_is_not_there_fails(body: bytes, pointer: str, wanted: FactType | None, why: str) -> None:
    """Each reason in words, without a word of the answer."""
    with pytest.raises(LookupFailedError) as failed:
        value_in(body, pointer, wanted)
    assert why in failed.value.why
