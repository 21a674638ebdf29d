"""`key list | rotate | retire`: the signing key is exchanged without a gap. It never prints a private part."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, print_rows

if TYPE_CHECKING:
    from approval_rules.log_events import SigningKeyChanged

app = typer.Typer(help="The key that signs the log and the grants.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: foureyes key list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List the public keys, newest first, as C2SP's programs take them."""
    from bot.anchoring import origin
    from bot.audit.signed_note import VerifierKey
    from bot.cli.session import reading, signing_key
    from bot.keys import kid_of

    key = signing_key()
    with reading() as connection:
        name = origin(connection)
    rows: list[dict[str, Any]] = [
        {"kid": kid_of(public), "state": "signs", "verifier": str(VerifierKey(name, public))} for public in key.publics
    ]
    rows += [
        {
            "kid": kid_of(public),
            "state": f"retired, counts for {size} entries",
            "verifier": f"{VerifierKey(name, public)} retired {size}",
        }
        for public, size in key.retired.items()
    ]
    print_rows(rows, as_json=as_json, empty="")


@app.command("rotate", epilog="Example: foureyes key rotate")
def rotate() -> None:
    """Make a new signing key, which signs from now on.

    The one before signs the log's checkpoints beside it.

    A running server takes it up within a second. What was derived from the first key, such as callback secrets, stays.
    """
    from bot.cli.session import os_user, settings, signing_key, write
    from bot.key_rotation import add, record_added

    path = settings().signing_key_file
    key = add(path, signing_key(), _known())
    write(lambda tx: record_added(tx, os_user(), key))
    typer.echo(f"The key {key.kid} signs from now on, and stands in {path}; the one before signs beside it.")
    typer.echo("Back the file up now, and give auditors the new line of `foureyes key list`.", err=True)
    typer.echo("In ten minutes or more: foureyes key retire", err=True)


@app.command("retire", epilog="Example: foureyes key retire")
def retire(
    *,
    now: Annotated[bool, typer.Option("--now", help="At once: grants of the old key that are under way fail.")] = False,
) -> None:
    """End every signing key but the newest.

    What they have signed so far still counts, and nothing after. After a restore that lost a retirement, say it again.
    """
    from bot.cli.checking import anchor_now
    from bot.cli.session import os_user, settings, signing_key, write
    from bot.clock import SteadyClock
    from bot.key_rotation import is_lost, record_retired, require_grants_over, require_two, restate
    from bot.keys import save

    path, key = settings().signing_key_file, signing_key()
    if is_lost(key, _known()):
        save(path, key.with_ends(write(lambda tx: restate(tx, os_user(), key, tx.size))))
        typer.echo("The log had lost which signing keys were retired, and says it again. Back the key's file up now.")
        return
    require_two(path, key)
    if not now:
        require_grants_over(_known(), SteadyClock()())
    size = write(lambda tx: record_retired(tx, os_user(), key))
    save(path, key.with_retired(size))
    if settings().anchor_file.exists():
        anchor_now()  # without the old key's signature: whoever has that key gets nowhere with the old anchor
    typer.echo(f"Only {key.kid} signs now. What the key before has signed counts for the first {size} entries.")
    typer.echo("Back the file up now: derived secrets need the old key for ever.", err=True)


def _known() -> "list[SigningKeyChanged]":
    from bot.cli.session import reading
    from bot.key_rotation import changes
    from bot.store.codec import LOG
    from bot.store.folds import recorded_of

    with reading() as connection:
        return changes(recorded_of(connection, LOG))
