"""`pause --drill`: asks the running server for a drill of the kill switch, and waits for what came of it."""

import time

import typer

from bot.cli.output import FAILED, NOT_READY, PAUSED, printable
from bot.cli.session import database, os_user, reading, write

_WAIT_SECONDS = 20.0
_POLL_SECONDS = 0.1


def hold_drill() -> None:
    """Prove on the live server that a claim is refused in a pause; exit code 1 where it was not."""
    from approval_rules.drill import DRILL_TOOL
    from approval_rules.versions import SERVER
    from bot.agents import who_typed
    from bot.store import drills, rows
    from bot.store.codec import SWITCH
    from bot.store.engine import server_runs
    from bot.store.folds import recorded_of

    if not server_runs(database()):
        typer.echo("No server runs on this database, so nothing can be claimed at all. Start it, then drill.", err=True)
        raise typer.Exit(NOT_READY)
    with reading() as connection:
        if rows.switch_from(recorded_of(connection, SWITCH)).stops(SERVER.id, DRILL_TOOL) is not None:
            typer.echo("A pause is in force that covers the drill too; `foureyes status` shows it.", err=True)
            raise typer.Exit(PAUSED)
        ident = write(lambda tx: drills.ask(tx, who_typed(tx, os_user()).ref))
        ends = time.monotonic() + _WAIT_SECONDS
        while (held := drills.newest(connection.execute(drills.NEWEST).fetchall())) is None or held.drill != ident:
            if time.monotonic() > ends:
                typer.echo(f"FAILED: the server held no drill within {_WAIT_SECONDS:.0f} s; look at its log.", err=True)
                raise typer.Exit(FAILED)
            time.sleep(_POLL_SECONDS)
    if not held.ok:
        typer.echo(f"FAILED: {printable(held.fault or '')}. Stop the agents by other means.", err=True)
        raise typer.Exit(FAILED)
    took = (held.refused_after_us or 0) / 1000
    typer.echo(f"The kill switch works: {printable(held.replica)} refused a claim {took:.1f} ms after the pause.")
    typer.echo("After the resume the claim was given. Nothing but the drill's own tool was stopped.")
