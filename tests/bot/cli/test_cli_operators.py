"""`foureyes operator`: keys for pausing over HTTP, shown once, listed without their secret, revoked by name."""

import json

from tests.bot.cli.shell import Shell


def test_a_key_is_shown_once_listed_and_taken_away(ready: Shell) -> None:
    """Nothing but the first answer has the key."""
    added = ready("operator", "add", "ana.sousa", "--json").json()
    assert added["name"] == "ana.sousa"
    assert added["key"].startswith("op_")
    (listed,) = ready("operator", "list", "--json").json()
    assert (listed["name"], listed["revoked_at"]) == ("ana.sousa", None)
    assert added["key"] not in json.dumps(listed)
    assert ready("operator", "revoke", "ana.sousa").out == "Revoked the key of ana.sousa.\n"
    assert ready("operator", "list", "--json").json()[0]["revoked_at"] is not None
    again = ready("operator", "add", "ana.sousa")
    assert "Key       op_" in again.out
    assert "two keys count as two people" in again.err
    assert ready("audit", "verify").code == 0


def test_what_cannot_be_is_said(ready: Shell) -> None:
    """A second key for one name, a name that has none, and a name that is none."""
    ready("operator", "add", "ana")
    assert ready("operator", "add", "ana").code == 1
    assert ready("operator", "revoke", "ben").code == 1
    assert ready("operator", "add", "Ana Sousa").code == 2
    assert ready("operator", "list").code == 0
