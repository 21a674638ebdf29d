"""The command line's table of contents and its errors: what was wrong, what to do, and an exit code."""

import sys

import typer

from bot.cli import agents, approvals, audit, outbox, policy, server, switch
from bot.cli.output import FAILED, NOT_READY, expected_errors

app = typer.Typer(
    name="foureyes",
    help="Four-eyes approvals for AI agents' actions, in Slack.\n\nStart here: foureyes demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(agents.app, name="agent")
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.add_typer(outbox.app, name="outbox")
app.add_typer(server.database, name="db")
for module in (server, approvals, switch):
    module.register(app)


def main() -> None:
    """Run a command; an error that was foreseen is one sentence on standard error."""
    try:
        app()
    except expected_errors() as error:
        typer.echo(f"foureyes: {error}", err=True)
        sys.exit(NOT_READY if type(error).__name__ in _NOT_READY else FAILED)


_NOT_READY = frozenset(
    {"SettingsError", "StoreUnavailableError", "AnchorError", "HomeUnknownError", "PolicyFolderError"}
)
