"""`audit prove`: writes the evidence pack of one decision. It changes nothing, and never calls a broken log clean."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AUDIT_BROKEN, FAILED, AsJson, print_json, printable
from handlers.counting import counted

if TYPE_CHECKING:
    from bot.evidence.gathering import Decision, Place
    from bot.evidence.pack import Pack


def prove(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    to: Annotated[
        Path | None, typer.Option(help="A new folder, or a file that ends in .zip; evidence-ID where it is left out.")
    ] = None,
    *,
    reveal: Annotated[
        str, typer.Option(metavar="REASON", help="With what people are not shown; the reason stands in the log.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write everything that proves one decision.

    For somebody who need not trust this server. The whole log is verified first. Exit code 7 where anything is broken;
    then the pack says so. docs/evidence.md tells what is in it and how to check it. The look is recorded.
    """
    from bot.cli.looking import record_evidence
    from bot.cli.packing import made_of
    from bot.clock import SteadyClock
    from bot.evidence.making import pack_of

    now = SteadyClock()()
    whole = bool(reveal.strip())

    def make(decision: "Decision", place: "Place", wrong: tuple[str, ...]) -> "Pack":
        return pack_of(decision, place, now, "whole-log", wrong, originals=whole)

    pack, broken = made_of(proposal, make)
    if pack is None:
        raise typer.Exit(nothing_there(proposal, broken))
    if not broken:  # a broken log is left as it is
        record_evidence(pack.proposal, reveal if whole else None)
    target = to or Path(f"evidence-{pack.proposal}")
    try:
        _write(pack, target)
    except OSError as error:
        why = "it is there already; name a new one" if error.errno == errno.EEXIST else error.strerror
        typer.echo(f"Not written: {printable(str(error.filename or target))}: {why}", err=True)
        raise typer.Exit(FAILED) from None
    if as_json:
        print_json(_document(pack, target))
    else:
        _tell(pack, target)
    if pack.broken:
        raise typer.Exit(AUDIT_BROKEN)


def nothing_there(proposal: str, broken: tuple[str, ...]) -> int:
    """Say that there is nothing to be had, and why; give the exit code."""
    tell_broken(broken)
    typer.echo(f"The log has no proposal {printable(proposal)} that can be read.", err=True)
    return AUDIT_BROKEN if broken else FAILED


def tell_broken(broken: tuple[str, ...]) -> None:
    """Say what is wrong with the log."""
    for fault in broken:
        typer.echo(f"BROKEN {printable(fault)}")
    if broken:
        typer.echo("The log is BROKEN. Keep the database as it is, as evidence.", err=True)


def _write(pack: "Pack", target: Path) -> None:
    from bot.evidence.pack import write_folder, zipped

    if target.suffix == ".zip":
        with target.open("xb") as file:
            file.write(zipped(pack))
    else:
        write_folder(pack, target)


def _document(pack: "Pack", target: Path) -> dict[str, Any]:
    told = {"proposal": pack.proposal, "to": str(target), "files": len(pack.files), "final": pack.final}
    return {**told, "sha256sums": pack.digest, "broken": list(pack.broken)}


def _tell(pack: "Pack", target: Path) -> None:
    tell_broken(pack.broken)
    typer.echo(f"Wrote {counted(len(pack.files), 'file')} to {printable(str(target))}. SHA256SUMS is {pack.digest}.")
    if not pack.final:
        typer.echo("Not final: something is still open, so this is what there is so far.")
