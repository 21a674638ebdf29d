"""`foureyes auditor`: keys for reading the log over HTTP, shown once, listed without their secret, revoked by name."""

import json

from tests.bot.cli.shell import Shell


def test_a_key_is_shown_once_listed_and_taken_away(ready: Shell) -> None:
    """Nothing but the first answer has the key; a listing says what it shows."""
    added = ready("auditor", "add", "maria.lang", "--json").json()
    assert added["name"] == "maria.lang"
    assert added["key"].startswith("au_")
    ready("auditor", "add", "ben", "--values")
    ben, maria = ready("auditor", "list", "--json").json()
    assert (maria["name"], maria["shows"], maria["revoked_at"]) == ("maria.lang", "pseudonyms", None)
    assert (ben["name"], ben["shows"]) == ("ben", "values")
    assert added["key"] not in json.dumps(maria)
    assert ready("auditor", "revoke", "maria.lang").out == "Revoked the key of maria.lang.\n"
    assert ready("auditor", "list", "--json").json()[1]["revoked_at"] is not None
    again = ready("auditor", "add", "maria.lang")
    assert "Key       au_" in again.out
    assert again.err == "It is shown this once.\n"
    assert ready("audit", "verify").code == 0


def test_what_cannot_be_is_said(ready: Shell) -> None:
    """A second key for one name, a name that has none, and a name that is none."""
    ready("auditor", "add", "ana")
    assert ready("auditor", "add", "ana").code == 1
    assert ready("auditor", "revoke", "ben").code == 1
    assert ready("auditor", "add", "Ana Lang").code == 2
    assert ready("auditor", "list").code == 0
