"""`pause`, `resume`, `status`: on the database itself, at three in the morning, with everything else down."""

import os
import pwd
from collections.abc import Callable

import pytest

from tests.bot.cli.shell import Shell

NASTY = "\x1b]0;owned\x07\x1b[2Jfine\u202e\x9b31m"
ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")

Become = Callable[[str], None]


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Be another account of this machine."""

    def as_user(name: str) -> None:
        found = pwd.struct_passwd((name, "x", 4242, 4242, "", "/", "/bin/sh"))
        monkeypatch.setattr(os, "getuid", lambda: 4242)
        monkeypatch.setattr(pwd, "getpwuid", lambda _uid: found)

    return as_user


def test_a_pause_needs_nothing_but_the_database(ready: Shell) -> None:
    """No key, no settings, no policy, no server, no Slack: it pauses, says so, and is in the log under the anchor."""
    ended = ready("pause", "refunds look wrong")
    assert ended.code == 0
    assert ended.out == ("Paused everything until it is resumed. Nothing of it is claimed from now on.\n")
    assert ended.err == ""
    shown = ready("status", "--json")
    assert shown.code == 6
    (pause,) = shown.json()["pauses"]
    assert (pause["scope"], pause["reason"], pause["until"]) == ("all", "refunds look wrong", None)
    assert pause["by"] == f"{pwd.getpwuid(os.getuid()).pw_name} ({pwd.getpwuid(os.getuid()).pw_name})"
    assert ready("audit", "verify").code == 0


def test_words_need_no_quotes(ready: Shell) -> None:
    """Who is in a hurry does not fail on a missing quotation mark."""
    assert ready("pause", "--for", "30m", "refunds", "look", "wrong").code == 0
    (pause,) = ready("status", "--json").json()["pauses"]
    assert pause["reason"] == "refunds look wrong"
    assert pause["until"].endswith("Z")


@pytest.mark.parametrize("reason", ["x" * 100_000, "bad \udcff byte", "\ud800", "nul \0 nul", ""])
def test_no_reason_stops_a_pause(ready: Shell, reason: str) -> None:
    """Whatever a shell passes on as the reason, the pause is in force afterwards."""
    assert ready("pause", reason).code == 0
    assert ready("status").code == 6
    assert ready("audit", "verify").code == 0


def test_a_pause_without_a_reason_is_a_usage_error(ready: Shell) -> None:
    """The reason is asked for, and an example is one option away."""
    ended = ready("pause")
    assert ended.code == 2
    assert "say why, everyone sees it" in ended.err
    assert 'foureyes pause --tool payments.refund --for 30m "refunds look wrong"' in " ".join(
        ready("pause", "--help").out.split()
    )


@pytest.mark.parametrize("length", ["30", "m", "-1m", "0m", "1.5h", "1w", "99999d", ""])
def test_a_wrong_length_pauses_nothing_and_says_how_to_write_it(ready: Shell, length: str) -> None:
    """A pause that would not last as meant is refused before anything happens."""
    ended = ready("pause", f"--for={length}", "x")
    assert (ended.code, "write 30m, 4h or 2d" in ended.err) == (2, True)
    assert ready("status").code == 0


def test_one_agent_or_one_tool_is_paused_and_resumed_alone(ready: Shell) -> None:
    """A narrow pause leaves the rest alone (exit 0 of `status`), and one person resumes it."""
    ready(*ADD)
    assert "Paused agent refund-bot for 4h." in ready("pause", "--agent", "refund-bot", "--for", "4h", "odd").out
    ended = ready("pause", "--tool", "payments.refund", "odd")
    assert ended.out.startswith("Paused tool payments.refund until it is resumed.")
    assert ended.err == ""
    shown = ready("status")
    assert shown.code == 0
    assert "PAUSED agent refund-bot since" in shown.out
    assert "PAUSED tool payments.refund since" in shown.out
    assert ready("resume", "--agent", "refund-bot", "checked it").out == "Resumed agent refund-bot.\n"
    assert ready("resume", "--tool", "payments.refund").code == 0
    assert ready("status").out.startswith("Nothing is paused.\n")


def test_an_unknown_agent_is_an_error_and_an_unknown_tool_a_warning(ready: Shell) -> None:
    """A misspelt tool is paused (that is safe), and the person learns at once that it is probably another one."""
    ended = ready("pause", "--agent", "refundbot", "x")
    assert ended.code == 1
    assert "there is no agent named 'refundbot'; `foureyes agent list` shows them. Nothing was changed" in ended.err
    ended = ready("pause", "--tool", "payment.refund", "x")
    assert ended.code == 0
    assert "Note: no agent has the tool payment.refund; no agent has any tool yet. Check the spelling." in ended.err
    ready(*ADD)
    assert "those that some agent has are payments.refund." in ready("pause", "--tool", "payment.refund", "x").err


@pytest.mark.parametrize("tool", ["pay ments", "x" * 129, "", "a\x1b[31m"])
def test_what_cannot_be_a_tool_is_a_usage_error(ready: Shell, tool: str) -> None:
    """A name that no tool can have is refused, printed harmlessly."""
    ended = ready("pause", f"--tool={tool}", "x")
    assert (ended.code, "\x1b" in ended.err) == (2, False)
    assert "is not a tool name; write it like payments.refund" in ended.err


def test_two_scopes_at_once_are_refused(ready: Shell) -> None:
    """It would be unclear which is meant, for pause and for resume."""
    for command in (("pause", "x"), ("resume",)):
        ended = ready(*command, "--agent", "a", "--tool", "b")
        assert (ended.code, "give --agent or --tool, not both" in ended.err) == (2, True)


def test_everything_needs_two_accounts_to_resume(ready: Shell, become: Become) -> None:
    """The first is told that one more is needed (exit 6), the first again is refused (exit 1), the second resumes."""
    ready("pause", "x")
    first = ready("resume", "all fine")
    assert first.code == 6
    assert first.out.startswith("Asked. Everything stays paused until a second person runs `foureyes resume` too.")
    again = ready("resume")
    assert (again.code, again.out) == (1, "")
    assert "You asked already. A second person has to run `foureyes resume` too." in again.err
    become("night-shift")
    assert ready("resume").out == "Resumed everything.\n"
    assert ready("status").code == 0


def test_nobody_pretends_to_be_a_second_account(ready: Shell, become: Become, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUDO_USER counts for root alone: another account cannot make itself two people with it."""
    become("night-shift")
    ready("pause", "x")
    assert ready("resume").code == 6
    ready.set(SUDO_USER="somebody-else")
    assert ready("resume").code == 1
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert ready("resume").code == 0


def test_an_account_without_a_name_can_pause(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that runs under a bare number is no reason to fail."""
    monkeypatch.setattr(os, "getuid", lambda: 987654)
    assert ready("pause", "x").code == 0
    assert ready("status", "--json").json()["pauses"][0]["by"] == "uid 987654 (uid 987654)"


def test_nothing_to_resume_is_said(ready: Shell) -> None:
    """Resuming what is not paused changes nothing and points to what is."""
    ended = ready("resume", "--tool", "payments.refund")
    assert ended.code == 1
    assert ended.err == "Nothing to do: tool payments.refund is not paused. `foureyes status` shows what is.\n"


def test_no_text_reaches_the_terminal_raw(ready: Shell) -> None:
    """Escape sequences, bells and bidi marks in a reason are shown as text, in words and in JSON."""
    ready("pause", NASTY)
    for ended in (ready("status"), ready("status", "--json"), ready("audit", "show"), ready("audit", "show", "--json")):
        assert all(char.isprintable() or char == "\n" for char in ended.out)
        assert "owned" in ended.out
    assert ready("status", "--json").json()["pauses"][0]["reason"] == NASTY


def test_a_pause_never_waits_for_the_key(ready: Shell) -> None:
    """A key that cannot be used costs the anchor, not the pause; a missing anchor of an old log does not come back."""
    (ready.folder / "foureyes.key").mkdir()
    assert ready("pause", "x").code == 0
    assert not (ready.folder / "foureyes.head").exists()
    (ready.folder / "foureyes.key").rmdir()
    assert ready("pause", "--tool", "a.b", "x").code == 0
    assert not (ready.folder / "foureyes.head").exists()
    ended = ready("audit", "verify")
    assert ended.code == 7


def test_status_counts_what_waits(ready: Shell) -> None:
    """The figures of the whole are there, for people and for programs."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "x")
    assert ready("status").out.splitlines()[1:] == [
        "0 pending, 0 approved and not yet used.",
        "1 message to send, 0 dead letters.",
        "Kill switch: no drill was held yet; foureyes pause --drill holds one.",
        "No policy is active yet: the server activates the folder when it starts.",
        "Who may approve what was never reviewed: foureyes access report.",
        "2 log entries, database foureyes.db.",
    ]
    found = ready("status", "--json").json()
    assert {name: found[name] for name in ("pending", "approved_unclaimed", "outbox_waiting", "outbox_dead")} == {
        "pending": 0,
        "approved_unclaimed": 0,
        "outbox_waiting": 1,
        "outbox_dead": 0,
    }


def test_a_pause_can_take_unused_approvals_back(ready: Shell) -> None:
    """With `--revoke` it says how many were taken back; without it they wait."""
    ended = ready("pause", "--revoke", "refunds look wrong")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "Taken back for good: 0 approvals that were not yet used."
    assert "Taken back" not in ready("pause", "x").out
