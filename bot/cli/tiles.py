"""`audit export`: the log as files that an auditor verifies with his own tools. It changes nothing in the log."""

import base64
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.output import AUDIT_BROKEN, FAILED, AsJson, print_json, printable
from handlers.counting import counted


def export(
    tiles: Annotated[Path, typer.Option(help="The folder to make: C2SP tlog-tiles, with a checkpoint signed now.")],
    *,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Add what agents and people wrote, as far as it still lives.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the log for an auditor, after verifying it.

    docs/verify.md says how it is verified with foureyes_verify.py, with Go, and by hand. Entries hold no personal
    values; `--with-values` adds them. Exit code 7 where the log is broken: then nothing is written.
    """
    from bot.audit.tile_export import ExportError
    from bot.cli.checking import check, export_tiles

    found = check(refold=False)
    if found["broken"]:
        typer.echo("Not exported: the log is BROKEN. `foureyes audit verify` shows what is wrong.", err=True)
        raise typer.Exit(AUDIT_BROKEN)
    try:
        checkpoint, key = export_tiles(tiles, with_values=with_values)
    except (ExportError, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        typer.echo(f"Not exported. {printable(why)}", err=True)
        raise typer.Exit(FAILED) from None
    if as_json:
        root = base64.b64encode(checkpoint.root).decode()
        told = {"folder": str(tiles), "origin": checkpoint.origin, "entries": checkpoint.size}
        print_json({**told, "root": root, "key": key})
    else:
        typer.echo(f"Wrote {counted(checkpoint.size, 'entry', 'entries')} to {printable(str(tiles))}.")
        typer.echo(f"Give the auditor this key on another way: {key}")
