"""`people`: who is one person, said by two people of the machine; one alone changes nothing."""

import os
import pwd

import pytest

from tests.bot.cli.shell import Shell

ONE, OTHER = "U0MAYACHEN1", "U0MAYATWICE"


def as_user(shell: Shell, name: str) -> None:
    """Be somebody else under sudo, as root of the machine sees it."""
    shell.set(SUDO_USER=name)


@pytest.fixture
def root(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell as root, who is believed about who called sudo."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwuid", pwd.getpwuid)
    return ready


def test_two_people_of_the_machine_join_and_part(root: Shell) -> None:
    """The first asks, the same again is refused, the second does it; the list tells each step."""
    assert root("people", "list").out == "Nobody has several accounts, as far as Foureyes knows.\n"
    as_user(root, "ada")
    assert root("people", "join", ONE, OTHER).out.startswith("Asked.")
    assert "Waits for a second person: join U0MAYACHEN1 and U0MAYATWICE" in root("people", "list").out
    again = root("people", "join", ONE, OTHER)
    assert (again.code, "You asked already" in again.err) == (1, True)
    as_user(root, "bo")
    assert root("people", "join", ONE, OTHER).out == "They are one person from now on.\n"
    assert root("people", "list").out == "One person: U0MAYACHEN1 and U0MAYATWICE\n"
    so = root("people", "join", ONE, OTHER)
    assert (so.code, "that is so already" in so.err) == (1, True)
    root("people", "apart", ONE, OTHER)
    as_user(root, "ada")
    assert root("people", "apart", ONE, OTHER).out == "They are two persons from now on.\n"
    assert "Two persons: " in root("people", "list").out
    listed = root("people", "list", "--json").json()
    assert [[account["user"] for account in pair] for pair in listed["apart"]] == [[ONE, OTHER]]
    assert (listed["persons"], listed["asked"]) == ([], [])
    assert root("audit", "verify").code == 0


def test_a_wrong_id_changes_nothing(ready: Shell) -> None:
    """A name is no user id."""
    ended = ready("people", "join", "maya", OTHER)
    assert (ended.code, "is no Slack user id" in ended.err) == (2, True)
    assert ready("people", "list", "--json").json() == {"persons": [], "apart": [], "asked": []}
