"""`audit export --tiles`: the log as files that an auditor verifies with his own tools. It changes no log."""

import base64
import shlex
from pathlib import Path

import typer

from bot.cli.output import AUDIT_BROKEN, FAILED, print_json, printable
from handlers.counting import counted


def write_tiles(tiles: Path, *, with_values: bool, as_json: bool) -> None:
    """Write the log for an auditor, after verifying it; where it is broken, nothing is written."""
    from bot.audit.tile_export import ExportError
    from bot.cli.checking import check, export_tiles
    from bot.cli.looking import record_look

    found = check(refold=False)
    if found["broken"]:
        typer.echo("Not exported: the log is BROKEN. `foureyes audit verify` shows what is wrong.", err=True)
        raise typer.Exit(AUDIT_BROKEN)
    if with_values:
        record_look("export", found["entries"], ("tiles",))
    try:
        checkpoint, keys = export_tiles(tiles, with_values=with_values)
    except (ExportError, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        typer.echo(f"Not exported. {printable(why)}", err=True)
        raise typer.Exit(FAILED) from None
    if as_json:
        root = base64.b64encode(checkpoint.root).decode()
        told = {"folder": str(tiles), "origin": checkpoint.origin, "entries": checkpoint.size}
        print_json({**told, "root": root, "keys": keys})
    else:
        typer.echo(f"Wrote {counted(checkpoint.size, 'entry', 'entries')} to {printable(str(tiles))}.")
        typer.echo("Give the auditor on another way:")
        for key in keys:
            typer.echo(f"  --key {shlex.quote(key)}")
