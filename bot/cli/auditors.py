"""`auditor add | list | revoke`: keys for reading the audit log over HTTP. A key is printed once, never kept."""

import re
from typing import Annotated

import typer

from bot.cli.output import AsJson, print_json, print_rows, printable

_SHOWS = ("pseudonyms", "values")
app = typer.Typer(help="Keys for reading the audit log over HTTP.", no_args_is_help=True, rich_markup_mode=None)


@app.command("add", epilog="Example: foureyes auditor add maria.lang --values")
def add(
    name: str,
    *,
    values: Annotated[
        bool, typer.Option("--values", help="It shows amounts, words and names too; each look is recorded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give an auditor a key. It can search and follow the log; it can never propose, approve, claim or pause."""
    from bot.auditors import AddAuditor
    from bot.cli.session import os_user, write
    from bot.clock import new_token

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
        raise typer.BadParameter("a name is 1 to 63 of a-z, 0-9, dot, dash and underscore; use the person's own")
    new = write(AddAuditor(name, values, os_user(), new_token))
    if as_json:
        print_json({"name": new.name, "key": new.key})
        return
    typer.echo(f"Auditor   {new.name}")
    typer.echo(f"Key       {new.key}")
    typer.echo("It is shown this once.", err=True)


@app.command("list", epilog="Example: foureyes auditor list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List the auditors' keys, the revoked ones too."""
    from bot.auditors import LISTED
    from bot.cli.session import reading

    with reading() as connection:
        found = connection.execute(LISTED).fetchall()
    listed = [
        {"name": name, "key_id": key_id, "shows": _SHOWS[values], "created_at": made, "revoked_at": revoked}
        for name, key_id, values, made, revoked in found
    ]
    print_rows(listed, as_json=as_json, empty="No auditor has a key. Add one: foureyes auditor add --help")


@app.command("revoke", epilog="Example: foureyes auditor revoke maria.lang")
def revoke(name: str) -> None:
    """Take an auditor's key away, at once and for ever."""
    from bot.auditors import RevokeAuditor
    from bot.cli.session import os_user, write

    write(RevokeAuditor(name, os_user()))
    typer.echo(f"Revoked the key of {printable(name)}.")
