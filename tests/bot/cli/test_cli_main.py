"""The command line as a whole: help with an example everywhere, one sentence and an exit code for what goes wrong."""

import sqlite3
import sys
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
import typer.main

from bot.cli import output
from bot.cli.main import app
from bot.cli.output import print_rows, printable
from bot.store.schema import REVISION
from tests.bot.cli.shell import Shell

ADD = ("agent", "add", "refund-bot", "--owner", "U02ABCDEF", "--tool", "payments.refund")


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - typer's own tree
    """Every command that does something, by its words."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield path
        return
    for name, each in inside.items():
        yield from leaves(each, (*path, name))


COMMANDS = sorted(leaves(typer.main.get_command(app)))


def test_the_documented_commands_are_there() -> None:
    """What the README names can be typed."""
    documented = (
        "demo, init, serve, doctor, db upgrade, manifest, agent add, agent list, agent rotate, agent revoke, pending,"
        " show, policy check, policy explain, policy test, policy replay, policy dial, policy cases export, pause,"
        " resume, status, audit verify, audit show, audit checkpoint, ask, outbox list, outbox retry"
    )
    assert {tuple(words.split()) for words in documented.split(", ")} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example_that_can_be_typed(shell: Shell, command: tuple[str, ...]) -> None:
    """Each command's help has its own example, and the example's options exist."""
    ended = shell(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    text = " ".join(ended.out.split())
    example = text.partition("Example: ")[2]
    assert example.startswith(f"foureyes {' '.join(command)}")
    options = {word for word in example.split("&&")[0].split() if word.startswith("--")}
    assert options <= set(text.partition("Example: ")[0].replace(",", " ").split())


@pytest.mark.parametrize("group", [(), *sorted({command[:-1] for command in COMMANDS} - {()})], ids=" ".join)
def test_what_each_command_does_fits_its_line(shell: Shell, group: tuple[str, ...]) -> None:
    """On a terminal of 80 columns no description in a list of commands is cut off, and each has one line."""
    shell.set(COLUMNS="80")
    listed = shell(*group, "--help").out.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len({command[len(group)] for command in COMMANDS if command[: len(group)] == group})
    assert [line for line in listed if "..." in line or len(line) > 80] == []


@pytest.mark.parametrize("command", ["agent list", "pending", "outbox list", "status", "audit show", "policy check"])
def test_every_listing_has_json(shell: Shell, command: str) -> None:
    """Programs can read each listing."""
    assert "--json" in shell(*command.split(), "--help").out


def test_no_command_shows_the_contents(shell: Shell) -> None:
    """Nothing, a group alone and an unknown word are usage errors that show what there is."""
    ended = shell()
    assert ended.code == 2
    assert "Start here: foureyes demo" in ended.err
    assert shell("agent").code == 2
    ended = shell("bogus\x1b[31m")
    assert (ended.code, "\x1b" in ended.err) == (2, False)
    assert "No such command" in ended.err


NEEDS_DATABASE = ["status", "pending", "show x", "pause x", "resume", "agent list", "outbox list", "audit verify"]


@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_without_a_database_it_says_what_to_run(shell: Shell, command: str) -> None:
    """Exit 3 and a sentence; nothing on standard output; nothing was created."""
    ended = shell(*command.split())
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "foureyes: there is no database at foureyes.db; run `foureyes init` or `foureyes db upgrade`\n"
    assert list(shell.folder.iterdir()) == []


def test_a_database_of_another_schema_says_what_to_run(ready: Shell) -> None:
    """An old schema, a newer one and a file that is no database each have an answer without a traceback."""
    ready.tamper("UPDATE alembic_version SET version_num = '0000'")
    ended = ready("status")
    assert (ended.code, f"has schema 0000, this program needs {REVISION}; run `foureyes db upgrade`" in ended.err) == (
        3,
        True,
    )
    ready.tamper("UPDATE alembic_version SET version_num = '9999'")
    ended = ready("db", "upgrade")
    assert (ended.code, f"newer than this program's {REVISION}" in ended.err) == (3, True)
    (ready.folder / "foureyes.db").write_bytes(b"this is no database" * 100)
    assert ready("status").code == 3
    ended = ready("db", "upgrade")
    assert ended.code == 3
    assert "foureyes.db cannot be upgraded: file is not a database; is it a Foureyes database?" in ended.err


def test_a_misspelt_setting_stops_every_command(ready: Shell) -> None:
    """No command runs on a default that was not meant."""
    ready.set(FOUREYES_DATABASE="sqlite+aiosqlite:///other.db")
    ended = ready("status")
    assert ended.code == 3
    assert ended.err == "foureyes: FOUREYES_DATABASE is not a setting; did you mean FOUREYES_DATABASE_URL?\n"


@pytest.mark.parametrize("url", ["postgresql+asyncpg://x/y", "sqlite:///x.db", "sqlite+aiosqlite:///:memory:", "x"])
def test_another_database_is_refused_with_the_right_form(ready: Shell, url: str) -> None:
    """What is not supported is said before anything else."""
    ready.set(FOUREYES_DATABASE_URL=url)
    ended = ready("pause", "x")
    assert (ended.code, "must be sqlite+aiosqlite:///PATH" in ended.err) == (3, True)


def test_a_database_elsewhere_is_made_with_its_folder(shell: Shell) -> None:
    """`db upgrade` needs no mkdir first, and names what it did."""
    shell.set(FOUREYES_DATABASE_URL="sqlite+aiosqlite:///data/deep/f.db")
    assert shell("db", "upgrade").out == f"data/deep/f.db has schema {REVISION}.\n"
    assert shell("db", "upgrade").code == 0
    assert shell("status").code == 0


def test_a_full_or_forbidden_disk_is_a_sentence(shell: Shell) -> None:
    """An error of the file system names the file."""
    (shell.folder / "data").write_text("", "utf-8")
    shell.set(FOUREYES_DATABASE_URL="sqlite+aiosqlite:///data/f.db")
    ended = shell("db", "upgrade")
    assert (ended.code, ended.err) == (1, "foureyes: data: File exists\n")


def test_a_bug_is_not_hidden(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw keeps its traceback; so does one of the network."""
    for error in (ZeroDivisionError("bug"), ConnectionResetError("reset")):

        def broken(raised: Exception = error) -> None:
            raise raised

        monkeypatch.setattr("bot.cli.overview.overview", broken)
        with pytest.raises(type(error)):
            ready("status")


def test_a_locked_database_is_not_a_broken_log(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is exit 3, never 7: nothing was found out about the log."""
    ready("pause", "--tool", "a.b", "x")

    def busy(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr("bot.cli.checking.verify", busy)
    ended = ready("audit", "verify")
    assert ended.code == 3
    assert ended.err == "foureyes: the database cannot be read: database is locked; `foureyes doctor` looks closer\n"


ORDERS = sorted(permutations(["init", "db", "add", "pause"]))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_a_newcomer_does_not_get_stuck(shell: Shell, order: tuple[str, ...]) -> None:
    """In whatever order the first commands are typed, doing what they say leads to a log that verifies."""
    commands = {"init": ("init",), "db": ("db", "upgrade"), "add": ADD, "pause": ("pause", "--tool", "a.b", "x")}
    for word in order:
        ended = shell(*commands[word])
        if ended.code == 3:
            assert "run `foureyes init` or `foureyes db upgrade`" in ended.err
            assert shell("init").code == 0
            ended = shell(*commands[word])
        assert ended.code == 0, ended.err
        assert shell("audit", "verify").code == 0
    ended = shell("serve", "--port", "0")
    assert ended.code == 3
    assert "SLACK_BOT_TOKEN is not set; `foureyes init` writes a template, `foureyes doctor` checks it" in ended.err


def test_manifest_goes_to_standard_output(shell: Shell) -> None:
    """It can be piped to a file or a clipboard; a wrong URL is a usage error."""
    ended = shell("manifest", "--url", "https://a.example")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("https://a.example/slack/events") == 3
    ended = shell("manifest", "--url", "a.example")
    assert (ended.code, ended.out) == (2, "")
    assert "write the server's public origin" in ended.err


def test_demo_is_told_port_and_script(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's own exit code is the command's."""
    asked: list[tuple[int | None, bool]] = []

    def run(port: int | None, script: bool) -> int:  # noqa: FBT001 - the demo's own signature
        asked.append((port, script))
        return 5

    monkeypatch.setattr("bot.demo.run", run)
    assert shell("demo", "--script").code == 5
    assert shell("demo", "--port", "8200").code == 5
    assert asked == [(None, True), (8200, False)]


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """People get columns under a heading; empty values are a dash; control characters are shown as text."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    rows: list[dict[str, Any]] = [
        {"name": "a", "tools": ["x", "y"]},
        {"name": "longer\x1b[2J", "tools": []},
        {"name": None, "tools": ()},
    ]
    print_rows(rows, as_json=False, empty="none")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "a              x, y",
        "longer\\x1b[2J  -",
        "-              -",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë Ω 日本 😀 ~", "Zoë Ω 日本 😀 ~"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\x7f\x9b", "a\\x7f\\x9b"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("a\u202eb\u200b", "a\\u202eb\\u200b"),
        ("a\u2028\ue000\U000e0041", "a\\u2028\\ue000\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_invisible_is_shown(text: str, shown: str) -> None:
    """Letters of every script stay; control, bidi, zero-width, tag and private characters become text."""
    assert printable(text) == shown


def test_exit_codes_are_the_documented_ones() -> None:
    """Scripts rely on these numbers."""
    names = ("DONE", "FAILED", "USAGE", "NOT_READY", "DENIED", "EXPIRED", "PAUSED", "AUDIT_BROKEN")
    assert [getattr(output, name) for name in names] == list(range(8))
