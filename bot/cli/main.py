"""The command line's table of contents and its errors: what was wrong, what to do, and an exit code."""

import io
import sqlite3
import sys

import typer

from bot.cli import (
    access,
    agents,
    approvals,
    audit,
    erase,
    factors,
    held_keys,
    hold,
    keys,
    outbox,
    people,
    policy,
    retention,
    roles,
    server,
    switch,
)
from bot.cli.output import FAILED, NOT_READY, expected_errors, printable

app = typer.Typer(
    name="foureyes",
    help="Four-eyes approvals for AI agents' actions, in Slack.\n\nStart here: foureyes demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(agents.app, name="agent")
app.add_typer(factors.app, name="factor")
app.add_typer(held_keys.operators, name="operator")
app.add_typer(held_keys.auditors, name="auditor")
app.add_typer(keys.app, name="key")
app.add_typer(policy.app, name="policy")
app.add_typer(roles.app, name="roles")
app.add_typer(access.app, name="access")
app.add_typer(audit.app, name="audit")
app.add_typer(outbox.app, name="outbox")
app.add_typer(server.database, name="db")
app.add_typer(people.app, name="people")
app.add_typer(hold.app, name="hold")
for module in (server, approvals, switch, retention, erase):
    module.register(app)


def main() -> None:
    """Run a command; an error that was foreseen is one sentence on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter is no reason to fail
    try:
        app()
    except expected_errors() as error:
        typer.echo(f"foureyes: {_told(error)}", err=True)
        sys.exit(FAILED if type(error).__name__ == "AgentError" else NOT_READY)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"foureyes: {printable(str(error.filename))}: {error.strerror}", err=True)
        sys.exit(FAILED)


def _told(error: Exception) -> str:
    if isinstance(error, sqlite3.Error):
        return f"the database cannot be read: {printable(str(error))}; `foureyes doctor` looks closer"
    return "\n".join(map(printable, str(error).split("\n")))
