"""The installed console script as a process of its own: what it imports, where it writes, what a terminal gets."""

import os
import pty
import resource
import subprocess
import sys

import pytest

from tests.bot.cli.shell import FOUREYES, Shell, environment

# `pydantic` is not in the list: typer itself imports it for options.
HEAVY = (
    *("sqlalchemy", "alembic", "aiosqlite", "fastapi", "starlette", "uvicorn", "slack_bolt", "slack_sdk", "aiohttp"),
    *("httpx", "rule_engine", "apscheduler", "structlog", "prometheus_client", "jsonschema_rs"),
    *("bot.app", "bot.demo", "bot.slack_standin"),
)
LIST_MODULES = """
import sys
from bot.cli.main import main
sys.argv = ["foureyes", *sys.argv[1:]]
try:
    main()
finally:
    print("MODULES", *sys.modules, file=sys.stderr)
"""
ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")


@pytest.mark.parametrize("command", ["--help", "status", "pause x", "audit verify"])
def test_what_must_be_quick_imports_nothing_slow(ready: Shell, command: str) -> None:
    """The commands of a bad night load no web framework, no Slack client and no SQL toolkit, and need little CPU."""
    ready("pause", "--tool", "a.b", "before")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LIST_MODULES, *command.split()],
        cwd=ready.folder,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stderr
    modules = set(run.stderr.partition("MODULES ")[2].split())
    assert "typer" in modules
    assert modules.isdisjoint(HEAVY)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 1.5  # 0.3 to 0.5 on an idle machine; three times that on one that is busy


def on_terminal(shell: Shell, *arguments: str, **variables: str) -> str:
    """Run a command on a pseudo-terminal and give what it would show."""
    leader, follower = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own console script
        [FOUREYES, *arguments],
        cwd=shell.folder,
        env=environment({"TERM": "xterm", **variables}),
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as process:
        os.close(follower)
        said = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # Linux says so when the last writer has gone
                break
            if not piece:
                break
            said += piece
        os.close(leader)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def test_a_terminal_gets_a_table_and_a_pipe_gets_tabs(ready: Shell) -> None:
    """The heading is bold unless NO_COLOR is set; nothing decorates a pipe."""
    ready(*ADD)
    shown = on_terminal(ready, "agent", "list", NO_COLOR="1")
    heading, row = shown.splitlines()
    assert heading.split() == ["NAME", "ID", "OWNER", "TOOLS", "CALLBACK_HOSTS", "CREATED_AT", "REVOKED_AT", "KEYS"]
    assert row.startswith("refund-bot  agent_")
    coloured = on_terminal(ready, "agent", "list")
    assert coloured == f"\x1b[1m{heading}\x1b[0m\n{row}\n"
    piped = ready.process("agent", "list")
    assert (piped.code, piped.err) == (0, "")
    assert piped.out.split("\t")[0] == "refund-bot"
    assert "NAME" not in piped.out


def test_the_console_script_keeps_its_word(shell: Shell) -> None:
    """Exit codes leave the process; errors go to standard error without a traceback."""
    ended = shell.process("status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "foureyes: there is no database at foureyes.db; run `foureyes init` or `foureyes db upgrade`\n"


def test_a_terminal_that_knows_no_letters_is_no_reason_to_fail(ready: Shell) -> None:
    """On an old terminal a pause still shows, and letters that it does not have are escaped."""
    ready("pause", "Zahlungen 日本")
    ended = ready.process("status", PYTHONIOENCODING="latin-1")
    assert ended.code == 6, ended.err
    assert "Zahlungen \\u65e5\\u672c" in ended.out


def test_a_reader_that_stops_reading_is_no_traceback(ready: Shell) -> None:
    """`foureyes audit show | head -1` ends quietly."""
    for number in range(3):
        ready("pause", "--tool", f"a.{number}", "x" * 900)
    for _ in range(4):
        ready("resume", "--tool", "a.0", "y" * 900)
    run = subprocess.run(  # noqa: S602 - a pipe is what is tested
        f"{FOUREYES} audit show --limit 1000 | head -c 1",
        shell=True,
        cwd=ready.folder,
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Traceback" not in run.stderr
