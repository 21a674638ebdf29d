"""`operator` and `auditor`, each with `add | list | revoke`. A key is printed once, never kept."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, print_json, print_rows, printable

if TYPE_CHECKING:
    from bot.held_keys import KeyKind, Listed

_SHOWS = ("pseudonyms", "values")
operators = typer.Typer(
    help="Keys for pausing over HTTP while Slack is down.", no_args_is_help=True, rich_markup_mode=None
)
auditors = typer.Typer(help="Keys for reading the audit log over HTTP.", no_args_is_help=True, rich_markup_mode=None)


@operators.command("add", epilog="Example: foureyes operator add ana.sousa")
def add_operator(name: str, *, as_json: AsJson = False) -> None:
    """Give a person a key. It can pause, and do one half of a resume of everything; it can never approve."""
    from bot.held_keys import OPERATOR

    _give(OPERATOR, name, as_json=as_json)
    if not as_json:
        typer.echo("It is shown this once. One key a person: two keys count as two people.", err=True)


@auditors.command("add", epilog="Example: foureyes auditor add maria.lang --values")
def add_auditor(
    name: str,
    *,
    values: Annotated[
        bool, typer.Option("--values", help="It shows amounts, words and names too; each look is recorded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give an auditor a key. It can search and follow the log; it can never propose, approve, claim or pause."""
    from bot.held_keys import AUDITOR

    _give(AUDITOR, name, values, as_json=as_json)
    if not as_json:
        typer.echo("It is shown this once.", err=True)


@operators.command("list", epilog="Example: foureyes operator list --json")
def list_operators(*, as_json: AsJson = False) -> None:
    """List the operators' keys, the revoked ones too."""
    from bot.held_keys import OPERATOR

    _print(OPERATOR, as_json=as_json)


@auditors.command("list", epilog="Example: foureyes auditor list --json")
def list_auditors(*, as_json: AsJson = False) -> None:
    """List the auditors' keys, the revoked ones too."""
    from bot.held_keys import AUDITOR

    _print(AUDITOR, as_json=as_json)


@operators.command("revoke", epilog="Example: foureyes operator revoke ana.sousa")
def revoke_operator(name: str) -> None:
    """Take a person's key away, at once and for ever."""
    from bot.held_keys import OPERATOR

    _take(OPERATOR, name)


@auditors.command("revoke", epilog="Example: foureyes auditor revoke maria.lang")
def revoke_auditor(name: str) -> None:
    """Take an auditor's key away, at once and for ever."""
    from bot.held_keys import AUDITOR

    _take(AUDITOR, name)


def _give(kind: "KeyKind", name: str, *flags: bool, as_json: bool) -> None:
    from bot.cli.session import os_user, write
    from bot.clock import new_token
    from bot.held_keys import GiveKey

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
        raise typer.BadParameter("a name is 1 to 63 of a-z, 0-9, dot, dash and underscore; use the person's own")
    new = write(GiveKey(kind, name, os_user(), new_token, flags))
    if as_json:
        print_json({"name": new.name, "key": new.key})
        return
    typer.echo(f"{kind.command.title():9} {new.name}")
    typer.echo(f"Key       {new.key}")


def _print(kind: "KeyKind", *, as_json: bool) -> None:
    from bot.cli.session import reading
    from bot.held_keys import listed

    with reading() as connection:
        rows = [_row(key) for key in listed(connection, kind)]
    empty = f"No {kind.command} has a key. Add one: foureyes {kind.command} add --help"
    print_rows(rows, as_json=as_json, empty=empty)


def _row(key: "Listed") -> dict[str, Any]:
    shows = {"shows": _SHOWS[key.flags[0]]} if key.flags else {}
    dates = {"created_at": key.created_at, "revoked_at": key.revoked_at}
    return {"name": key.name, "key_id": key.key_id, **shows, **dates}


def _take(kind: "KeyKind", name: str) -> None:
    from bot.cli.session import os_user, write
    from bot.held_keys import TakeKey

    write(TakeKey(kind, name, os_user()))
    typer.echo(f"Revoked the key of {printable(name)}.")
