"""What people are not shown is covered wherever a value is read, and everything else stays as it was written."""

import json

import pytest

from bot.reveal.covering import Leaf, covered, covered_members, is_open, leaves

CARD = "4111 1111 1111 1111"
HIDDEN = ("iban", "payer.name")


@pytest.mark.parametrize(
    ("value", "shown", "found"),
    [
        ("1.10", "1.10", []),
        ("4111111111111111", '"411111••••••1111 (a card number)"', [(None, "", "4111111111111111")]),
        ('{"a":1e5,"b":[true,null,"ü"]}', '{"a":1e5,"b":[true,null,"ü"]}', []),
        ('{"iban":{"x":[1.50]}}', '{"iban":"(hidden by policy)"}', [("iban", "iban", '{"x":[1.50]}')]),
        ('{"a":[{"iban":"X"}]}', '{"a":[{"iban":"(hidden by policy)"}]}', [("iban", "a.iban", '"X"')]),
        ('{"payer":{"name":"B"}}', '{"payer":{"name":"(hidden by policy)"}}', [("payer.name", "payer.name", '"B"')]),
        ('{"name":"C"}', '{"name":"C"}', []),
        ('["x",false]', '["x",false]', []),
        (
            json.dumps({CARD: 1}),
            '{"411111••••••1111 (a card number)":1}',
            [(None, "", f'"{CARD}"')],
        ),
    ],
)
def test_hidden_fields_and_secrets_are_covered(value: str, shown: str, found: list[Leaf]) -> None:
    """Of hidden fields nothing is left, of secrets what tells two apart; numbers keep every digit."""
    assert covered(value, HIDDEN) == shown
    assert [tuple(leaf) for leaf in leaves(value, HIDDEN)] == found
    assert is_open(value, HIDDEN) is (shown == value)


def test_names_of_the_policy_are_meant_in_what_agents_wrote() -> None:
    """A field `state` that a policy hides is no field of the proposal itself."""
    document = '{"state":"pending","arguments":{"state":"TX"},"summary":"4111 1111 1111 1111"}'
    told = json.loads(covered_members(document, ("state",)))
    assert (told["state"], told["arguments"]["state"]) == ("pending", "(hidden by policy)")
    assert told["summary"] == "411111••••••1111 (a card number)"
