"""`audit accept-restore`: goes on with a database that is older than what was signed, when a person says what is lost.

It never hides that: an entry, a pause that everybody hears of, and the old anchor kept as evidence.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AUDIT_BROKEN, USAGE, printable

if TYPE_CHECKING:
    import sqlite3

    from bot.audit.signed_note import Checkpoint
    from bot.keys import SigningKey
    from bot.store.transaction import Transaction

_LONGEST_REASON = 500


def accept_restore(
    reason: Annotated[str, typer.Argument(help="Why an older copy was put back; everyone sees it.")],
    lost: Annotated[str | None, typer.Option(help="What is lost, as FIRST..LAST; else you type it.")] = None,
) -> None:
    """Go on with an older copy of the database. The server must be stopped.

    What was decided in the lost entries is not known any more: it can be approved and claimed once more. So everything
    is paused, for two people to resume once they have looked in the target systems.
    """
    from bot.anchoring import give_up, gone
    from bot.cli.session import database, reading, settings, signing_key, write
    from bot.clock import SteadyClock
    from bot.keys import save
    from bot.store.engine import lock_server

    path, anchor_file, key = database(), settings().anchor_file, signing_key()
    with lock_server(path):
        with reading() as connection:
            size, known = gone(connection, anchor_file, key)
            _require_whole(connection, key)
        said = lost or typer.prompt(f"Entries {size} to {known.size - 1} are lost. Type {size}..{known.size - 1}")
        if said != f"{size}..{known.size - 1}":
            typer.echo(f"Nothing changed: what is lost is {size}..{known.size - 1}.", err=True)
            raise typer.Exit(USAGE)
        ends = write(lambda tx: _record(tx, size, known, reason[:_LONGEST_REASON], key))
        if ends:
            key = key.with_ends(ends)
            save(settings().signing_key_file, key)
        kept = give_up(path, anchor_file, key, f"{size}-{known.size - 1}", SteadyClock())
    typer.echo(f"Accepted: entries {size} to {known.size - 1} are lost, and everything is paused.")
    typer.echo(f"The old anchor is kept in {printable(str(kept))}: it proves that they were there.", err=True)
    if ends:
        typer.echo("The log says again which signing keys were retired; back the key's file up now.", err=True)
    typer.echo("Start the server, look in the target systems what has run, then: foureyes resume", err=True)


def _require_whole(connection: "sqlite3.Connection", key: "SigningKey") -> None:
    """Refuse a copy that is broken in itself: what is accepted is that it is old."""
    from bot.audit.verify import verify

    broken = verify(connection, None, key.publics, key.retired).broken
    if broken:
        typer.echo(f"Nothing changed. BROKEN entry {broken[0].seq}: {printable(broken[0].what)}", err=True)
        raise typer.Exit(AUDIT_BROKEN)


def _record(tx: "Transaction", size: int, known: "Checkpoint", reason: str, key: "SigningKey") -> dict[bytes, int]:
    from approval_rules.commands import StartPause
    from approval_rules.decide import decide_switch
    from approval_rules.log_events import RestoreAccepted
    from approval_rules.switch import EVERYTHING
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user
    from bot.desk.switching import record_switch
    from bot.key_rotation import restate

    by = who_typed(tx, os_user())
    tx.record(RestoreAccepted(tx.at, by, size, known.size, known.root.hex(), AgentText(reason)))
    ends = restate(tx, os_user(), key, size)
    stays = "Signing keys that were retired stay so, and count for what is left. " if ends else ""
    told = (
        f"An older copy of the database was put back, and log entries {size} to {known.size - 1} are lost. What was"
        f" claimed in them can be claimed again: look in the target systems before you resume. {stays}{reason}"
    )
    command = StartPause(tx.at, by, tx.new_id("pause"), EVERYTHING, None, AgentText(told), None, revoke=False)
    record_switch(tx, decide_switch(tx.switch, command))
    return ends
