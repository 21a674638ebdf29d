"""Writes what each vote's second factor was verified by into files that `openssl` reads. It verifies nothing itself."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import FAILED, printable
from handlers.counting import counted

_VOTE = "vote.counted"
_FILES = (
    ("authenticator_data", "authenticator-data.bin"),
    ("client_data", "client-data.json"),
    ("signature", "signature.bin"),
)
_MOST = 100_000


def evidence(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    to: Annotated[Path, typer.Option(help="The folder to make, one folder in it for each vote.")],
) -> None:
    """Write by what each second factor was verified.

    docs/passkeys.md says how `openssl` checks them. It needs no running server and changes nothing.
    """
    from bot.cli.checking import entries

    votes = [entry for entry in entries(proposal, 0, _MOST) if entry["type"] == _VOTE]
    proved = [entry for entry in votes if entry["detached"].get("evidence")]
    if not proved:
        why = "its votes had no second factor, or what they were verified by is no longer kept" if votes else "no votes"
        typer.echo(f"Nothing written: {printable(proposal)} has {why}.", err=True)
        raise typer.Exit(FAILED)
    try:
        for entry in proved:
            folder = to / f"vote-{entry['seq']}"
            folder.mkdir(parents=True)
            _write(folder, entry["detached"]["evidence"])
            proof = entry["data"]["proof"]
            typer.echo(f"{folder}: {entry['at']}, {proof['factor']}, code {proof['code']}")
    except OSError as error:
        typer.echo(f"Not written: {error.filename}: {error.strerror}. Name a folder that is new.", err=True)
        raise typer.Exit(FAILED) from None
    typer.echo(f"Wrote {counted(len(proved), 'vote')}. Check them as docs/passkeys.md says.")


def _write(folder: Path, kept: dict[str, Any]) -> None:
    """Write one vote's files; a code of an authenticator app leaves nothing that can be verified again."""
    (folder / "intent.json").write_text(kept["intent"], encoding="utf-8")
    if "public_key" in kept:
        (folder / "key.pem").write_text(kept["public_key"], encoding="ascii")
        for name, file in _FILES:
            text = kept[name]
            (folder / file).write_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
