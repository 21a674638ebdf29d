"""`foureyes roles on-call`: who is on call, from the folder alone, with Slack and the server down."""

import json

import pytest

from tests.bot.cli.shell import Shell

ROLES = """roles:
  oncall:
    on_call: {rota: [U0ANN, U0BEN], every: 1w, handover: "Mon 09:00", time_zone: Europe/Berlin, start: 2026-01-05}
  second:
    on_call: {rota: [U0CEM], every: 1d, handover: "00:00", time_zone: UTC, start: 2027-01-01}
  manager: {users: [U0ANN, U0BEN]}
"""
POLICY = "policy:\n  tool: pay\n  rules:\n    - require_approval: {role: oncall, approvals: 1}\n"


@pytest.fixture
def folder(shell: Shell) -> Shell:
    """A policy folder with two roles that take turns."""
    policy = shell.folder / "policy"
    policy.mkdir()
    (policy / "roles.yml").write_text(ROLES)
    (policy / "pay.yml").write_text(POLICY)
    return shell


def test_turns_are_listed_with_their_times(folder: Shell) -> None:
    """Over the end of summer time: nine in Berlin is another hour in UTC, and a role without a turn yet says nobody."""
    ended = folder("roles", "on-call", "--at", "2026-10-20T00:00Z", "--days", "8", "--json")
    assert ended.code == 0
    assert ended.json() == [
        {
            "role": "oncall",
            "on_call": ["U0BEN"],
            "since": "2026-10-20T00:00:00Z",
            "until": "2026-10-26T08:00:00Z",
        },
        {"role": "oncall", "on_call": ["U0ANN"], "since": "2026-10-26T08:00:00Z", "until": "2026-10-28T00:00:00Z"},
        {"role": "second", "on_call": ["nobody"], "since": "2026-10-20T00:00:00Z", "until": "2026-10-28T00:00:00Z"},
    ]


def test_one_role_at_one_moment(folder: Shell) -> None:
    """In a pipe it is one line; a moment may have any zone."""
    ended = folder("roles", "on-call", "oncall", "--at", "2026-10-26T08:59+01:00", "--days", "0")
    assert (ended.code, ended.out) == (0, "oncall\tU0BEN\t2026-10-26T07:59:00Z\t-\n")
    assert (
        folder("roles", "on-call", "oncall", "--at", "2026-10-26T09:00+01:00", "--days", "0").out.split()[1] == "U0ANN"
    )


def test_now_is_the_default(folder: Shell) -> None:
    """Two weeks from now on."""
    rows = json.loads(folder("roles", "on-call", "oncall", "--json").out)
    assert {len(row["on_call"]) for row in rows} == {1}
    assert len(rows) in (2, 3)


@pytest.mark.parametrize("at", ["soon", "2026-10-26T08:59", "9999-12-31T00:00Z", "1970-01-01T00:00Z"])
def test_a_moment_that_is_none_is_a_mistake(folder: Shell, at: str) -> None:
    """It says how to write one."""
    ended = folder("roles", "on-call", "--at", at)
    assert ended.code == 2
    assert "2026-12-24T18:00Z" in ended.err


@pytest.mark.parametrize(("role", "told"), [("manager", "takes no turns"), ("mnager", "is no role")])
def test_a_role_without_turns(folder: Shell, role: str, told: str) -> None:
    """It says which roles have them."""
    ended = folder("roles", "on-call", role)
    assert ended.code == 2
    assert told in " ".join(ended.err.split())


def test_a_folder_without_turns(folder: Shell) -> None:
    """Nothing is no failure."""
    (folder.folder / "policy" / "roles.yml").write_text("roles: {oncall: {users: [U0ANN]}}")
    ended = folder("roles", "on-call")
    assert (ended.code, ended.out) == (0, "")
    assert "roles.yml says none" in ended.err


def test_a_folder_with_a_fault_says_so(folder: Shell) -> None:
    """Half a rota is none."""
    (folder.folder / "policy" / "roles.yml").write_text(ROLES.replace("every: 1w, ", ""))
    ended = folder("roles", "on-call")
    assert ended.code == 3
    assert "on_call lacks every" in ended.err
