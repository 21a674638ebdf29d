"""`retention`: for how long what is kept lives on, and going on without keys that are lost. Shreds nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import FAILED, AsJson, print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.data_keys import KeyName


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("retention", epilog="Example: foureyes retention --json")(retention)


def retention(
    *,
    keys_lost: Annotated[
        bool, typer.Option("--keys-lost", help="Record as lost what no key opens any more, and go on without it.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the log; needed with --keys-lost.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show for how long values are kept, and when the next go.

    A running server erases what is due within a minute of midnight UTC.
    """
    if keys_lost:
        _go_on_without(reason)
        return
    from bot.cli.session import vault
    from bot.clock import SteadyClock
    from bot.data_keys import HELD

    opened = vault()
    if opened is None:
        typer.echo("There are no data keys here, or they cannot be read: `foureyes doctor` says which.", err=True)
        raise typer.Exit(FAILED)
    print_rows(
        _rows([key for key in opened.names() if key.kind in ("", HELD)], SteadyClock()().date()),
        as_json=as_json,
        empty="Nothing is kept yet.",
    )


def _rows(keys: "Sequence[KeyName]", today: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a date
    from datetime import date

    from bot.retention import is_due

    found = []
    for term in sorted({key.days for key in keys}):
        of_term = [key for key in keys if key.days == term]
        oldest = min(key.day for key in of_term)
        found.append(
            {
                "kept_for_days": term,
                "oldest": oldest,
                "next_goes": str(date.fromisoformat(oldest) + timedelta(days=term)),
                "days": len({key.day for key in of_term}),
                "overdue": len({key.day for key in of_term if is_due(key, today)}),
            }
        )
    return found


def _go_on_without(reason: str) -> None:
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, settings, vault, write
    from bot.data_keys import create
    from bot.store.erasing import lose

    if not reason.strip():
        raise typer.BadParameter("say why the keys are gone: --reason TEXT stands in the log")
    if not settings().data_keys_file.exists():
        create(settings().data_keys_file)
    opened = vault()
    if opened is None:
        typer.echo("The data keys cannot be read: `foureyes doctor` says why. Nothing was changed.", err=True)
        raise typer.Exit(FAILED)
    living = {str(key) for key in opened.names()}
    lost = write(lambda tx: lose(tx, living, who_typed(tx, os_user()), AgentText(reason)))
    typer.echo(f"Recorded as lost: {lost}. The log goes on to verify, and says so.")
