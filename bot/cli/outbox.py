"""`outbox list | retry`: what the world was not told, and telling it again."""

from typing import Annotated

import typer

from bot.cli.output import FAILED, AsJson, print_rows

app = typer.Typer(help="Look at undelivered messages and callbacks.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: foureyes outbox list --state dead --json")
def list_(
    state: Annotated[str, typer.Option(help="dead, queued or sending.")] = "dead",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List rows of the outbox; dead letters by default."""
    from approval_rules.times import format_time
    from bot.cli.session import reading
    from bot.store import outbox

    if state not in {"dead", "queued", "sending"}:
        raise typer.BadParameter("write dead, queued or sending")
    with reading() as connection:
        found = [outbox.outbox_row(row) for row in connection.execute(outbox.LIST, {"state": state, "limit": limit})]
    rows = [
        {
            "id": row.id,
            "kind": row.kind.value,
            "subject": row.subject,
            "attempts": row.attempts,
            "due_at": format_time(row.due_at),
            "last_error": row.last_error,
        }
        for row in found
    ]
    print_rows(rows, as_json=as_json, empty=f"No {state} rows.")


@app.command("retry", epilog="Example: foureyes outbox retry 42")
def retry(ident: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Take a dead letter out and try it now."""
    from bot.cli.session import reading, write
    from bot.store import outbox

    with reading() as connection:
        row = connection.execute("SELECT state FROM outbox WHERE id = ?", (ident,)).fetchone()
    if row is None or row[0] != "dead":
        typer.echo(f"{ident} is not a dead letter; `foureyes outbox list` shows them", err=True)
        raise typer.Exit(FAILED)
    write(lambda tx: outbox.revive(tx, ident))
    typer.echo("Queued. A running server sends it within a second.")
