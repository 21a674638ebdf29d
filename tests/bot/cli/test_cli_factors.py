"""`factor`: second factors from the machine: how the first one begins, and what is done when Slack is no help."""

import os
import pwd
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from approval_rules.factors import Wish, enrol
from approval_rules.people import Account, human
from bot.clock import TimeOrderedIds, salts
from bot.desk.factor_record import New, record_factors
from bot.store.commit import run_now
from bot.store.credentials import factors_of
from bot.store.engine import open_writer
from bot.store.transaction import Sources, Transaction
from tests.bot.cli.shell import Shell

MAYA = "U0MAYACHEN1"
Become = Callable[[str], None]


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Be another account of this machine."""

    def as_user(name: str) -> None:
        found = pwd.struct_passwd((name, "x", 4242, 4242, "", "/", "/bin/sh"))
        monkeypatch.setattr(os, "getuid", lambda: 4242)
        monkeypatch.setattr(pwd, "getpwuid", lambda _uid: found)

    return as_user


def enrolled(shell: Shell, *names: str, ago: timedelta = timedelta()) -> None:
    """Let Maya have enrolled some passkeys, as the page does."""

    def unit(tx: Transaction) -> None:
        person = tx.person(Account("", MAYA), "Maya \x1b[31mChen")
        for name in names:
            wish = Wish(tx.at - ago, human(person), person, None, may=False)
            events = enrol(factors_of(tx, person), wish, name, "passkey" if name != "cred_app" else "totp", None)
            record_factors(tx, events, {name: New("made", {"secret": "sealed"})})

    with closing(open_writer(shell.folder / "foureyes.db", checkpoints=False)) as connection:
        run_now(connection, Sources(lambda: datetime.now(UTC), TimeOrderedIds(), salts), unit)


def test_the_first_admin_is_confirmed_on_the_machine(ready: Shell) -> None:
    """Where nobody in Slack may confirm yet, whoever runs the server does, and is recorded as an operator."""
    ready("pause", "begin the log")
    enrolled(ready, "cred_app")
    ended = ready("factor", "confirm", MAYA)
    assert (ended.code, ended.out) == (0, f"{MAYA}: it counts from now on. The person is told in Slack.\n")
    (row,) = ready("factor", "list", "--json").json()
    assert (row["user"], row["factor"], row["state"], row["id"]) == (MAYA, "totp", "active", "cred_app")
    shown = ready("audit", "show", "--json").out
    assert '"factor.confirmed"' in shown
    assert '"operator"' in shown
    assert ready("audit", "verify").code == 0


def test_a_listing_is_safe_for_a_terminal(ready: Shell) -> None:
    """A name with control sequences is shown, not obeyed."""
    enrolled(ready, "cred_app")
    listed = ready("factor", "list").out
    assert "\\x1b[31m" in listed
    assert "\x1b" not in listed


def test_nobody_has_one_yet(ready: Shell) -> None:
    """An empty listing says how to begin."""
    assert "/agent factor add" in ready("factor", "list").err


def test_several_are_named(ready: Shell) -> None:
    """Nothing is confirmed or removed by guess."""
    enrolled(ready, "cred_1", "cred_app")
    ended = ready("factor", "confirm", MAYA)
    assert ended.code == 1
    assert "name it with --id" in ended.err
    assert ready("factor", "confirm", MAYA, "--id", "cred_app").code == 0
    states = {row["id"]: row["state"] for row in ready("factor", "list", "--json").json()}
    assert states == {"cred_1": "waiting", "cred_app": "active"}
    assert "name it with --id" in ready("factor", "remove", MAYA).err
    assert ready("factor", "refuse", MAYA, "--id", "cred_1").code == 0
    assert "was refused" not in ready("factor", "list").out


def test_a_removal_needs_two_accounts(ready: Shell, become: Become) -> None:
    """Who asked on the machine cannot confirm it there."""
    enrolled(ready, "cred_1")
    ready("factor", "confirm", MAYA)
    assert "somebody else must confirm it" in ready("factor", "remove", MAYA).out
    assert "you asked for this yourself" in ready("factor", "confirm", MAYA).err
    become("ada")
    assert "it is removed" in ready("factor", "confirm", MAYA).out
    assert ready("factor", "list", "--json").json() == []


def test_a_lock_and_its_end(ready: Shell) -> None:
    """It works at once; and there is nothing to lock twice."""
    enrolled(ready, "cred_1")
    ready("factor", "confirm", MAYA)
    assert "locked" in ready("factor", "lock", MAYA).out
    assert "there is nothing like that" in ready("factor", "lock", MAYA).err
    assert "it counts from now on" in ready("factor", "confirm", MAYA).out


def test_what_is_old_or_unknown_is_refused(ready: Shell) -> None:
    """An enrolment of last month, a person of whom nothing is known, a name that is no id."""
    enrolled(ready, "cred_1", ago=timedelta(days=8))
    assert "more than a week old" in ready("factor", "confirm", MAYA).err
    assert "there is nothing like that" in ready("factor", "confirm", "U0NOBODY001").err
    assert ready("factor", "confirm", "maya").code == 2


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE credentials SET state = 'active'", "active, the log says passkey of"),
        ("UPDATE credentials SET id = 'cred_9'", "credential cred_9 is in the index and not in the log"),
        ("DELETE FROM credentials", "credential cred_1 is in the log and not in the index"),
    ],
)
def test_a_row_that_the_log_does_not_know_is_found(ready: Shell, change: str, found: str) -> None:
    """Whoever makes a factor count by changing the database is found by the refold."""
    enrolled(ready, "cred_1")
    with closing(open_writer(ready.folder / "foureyes.db", checkpoints=False)) as connection:
        connection.execute(change)
    ended = ready("audit", "verify")
    assert ended.code != 0
    assert found in ended.out + ended.err
