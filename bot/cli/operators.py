"""`operator add | list | revoke`: keys for the HTTP endpoints of the kill switch. A key is printed once, never kept."""

import re

import typer

from bot.cli.output import AsJson, print_json, print_rows, printable

app = typer.Typer(help="Keys for pausing over HTTP while Slack is down.", no_args_is_help=True, rich_markup_mode=None)


@app.command("add", epilog="Example: foureyes operator add ana.sousa")
def add(name: str, *, as_json: AsJson = False) -> None:
    """Give a person a key. It can pause, and do one half of a resume of everything; it can never approve."""
    from bot.cli.session import os_user, write
    from bot.clock import new_token
    from bot.operators import AddOperator

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
        raise typer.BadParameter("a name is 1 to 63 of a-z, 0-9, dot, dash and underscore; use the person's own")
    new = write(AddOperator(name, os_user(), new_token))
    if as_json:
        print_json({"name": new.name, "key": new.key})
        return
    typer.echo(f"Operator  {new.name}")
    typer.echo(f"Key       {new.key}")
    typer.echo("It is shown this once. One key a person: two keys count as two people.", err=True)


@app.command("list", epilog="Example: foureyes operator list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List the operators' keys, the revoked ones too."""
    from bot.cli.session import reading
    from bot.operators import LISTED

    with reading() as connection:
        found = connection.execute(LISTED).fetchall()
    listed = [dict(zip(("name", "key_id", "created_at", "revoked_at"), row, strict=True)) for row in found]
    print_rows(listed, as_json=as_json, empty="No operator has a key. Add one: foureyes operator add --help")


@app.command("revoke", epilog="Example: foureyes operator revoke ana.sousa")
def revoke(name: str) -> None:
    """Take a person's key away, at once and for ever."""
    from bot.cli.session import os_user, write
    from bot.operators import RevokeOperator

    write(RevokeOperator(name, os_user()))
    typer.echo(f"Revoked the key of {printable(name)}.")
