"""`incident`: declared and ended at the machine, with the server and Slack down."""

import os
import pwd

import pytest

from tests.bot.cli.shell import Shell

NASTY = "\x1b]0;owned\x07\x1b[2Jfine\u202e\x9b31m"


def test_an_incident_is_declared_shown_and_ended(ready: Shell) -> None:
    """Each command says what it means, the status shows who and since when, and the log verifies."""
    assert "Nothing is paused." in ready("status").out
    assert ready("status", "--json").json()["incident"] is None
    ended = ready("incident", "on", "provider", "is", "down")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("An incident is on: rules that read it decide by it from the next proposal on.")
    shown = ready("status", "--json")
    assert shown.code == 0  # nothing is stopped by it
    user = pwd.getpwuid(os.getuid()).pw_name
    incident = shown.json()["incident"]
    assert (incident["by"], incident["reason"]) == (f"{user} ({user})", "provider is down")
    assert incident["since"].endswith("Z")
    assert f"INCIDENT since {incident['since']} by {user} ({user}): provider is down" in ready("status").out
    assert ready("incident", "off").out == "The incident is over.\n"
    assert ready("status", "--json").json()["incident"] is None
    assert ready("audit", "verify").code == 0


def test_what_is_so_already_is_refused_and_recorded(ready: Shell) -> None:
    """Twice on and twice off end with 1 and say where to look."""
    assert ready("incident", "off").err == "Nothing was changed: no incident is on. `foureyes status` shows it.\n"
    ready("incident", "on")
    again = ready("incident", "on", "again")
    assert again.code == 1
    assert again.err == "Nothing was changed: an incident is on already. `foureyes status` shows it.\n"
    kinds = [row[0] for row in ready.rows("SELECT type FROM entries WHERE subject = 'switch' ORDER BY seq")]
    assert kinds == ["incident.refused", "incident.changed", "incident.refused"]


@pytest.mark.parametrize("reason", ["x" * 100_000, "bad \udcff byte", NASTY, ""])
def test_no_reason_stops_it_and_none_reaches_the_terminal_raw(ready: Shell, reason: str) -> None:
    """Whatever a shell passes on as the reason, the incident is on, and its reason is shown as text."""
    assert ready("incident", "on", reason).code == 0
    shown = ready("status").out
    assert "INCIDENT since" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_only_on_and_off_are_states(ready: Shell) -> None:
    """Anything else is a usage error that names both, and changes nothing."""
    ended = ready("incident", "maybe")
    assert ended.code == 2
    assert "'on'" in ended.err
    assert "'off'" in ended.err
    assert ready("status", "--json").json()["incident"] is None


def test_explain_can_be_told_where_it_is_and_that_something_is_wrong(ready: Shell) -> None:
    """The environment is this server's unless another one is named; an incident is supposed, never looked up."""
    folder = ready.folder / "policy"
    folder.mkdir()
    (folder / "roles.yml").write_text("roles: {lead: {usergroup: leads}}", "utf-8")
    (folder / "payments.refund.yml").write_text(
        "policy:\n  tool: payments.refund\n  rules:\n    - {if: incident, block: true}\n"
        "    - {if: \"environment == 'staging'\", allow: true}\n    - {require_approval: lead}\n",
        "utf-8",
    )
    body = '{"tool": "payments.refund", "arguments": {}}'
    said = {
        (): "asked",
        ("--environment", "staging"): "allowed",
        ("--environment", "staging", "--incident"): "blocked",
    }
    for options, outcome in said.items():
        assert ready("policy", "explain", body, *options, "--json").json()["would_be"] == outcome
    ready.set(FOUREYES_ENVIRONMENT="staging")
    assert ready("policy", "explain", body, "--json").json()["would_be"] == "allowed"
