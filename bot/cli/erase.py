"""`erase`: takes away what is kept about one person or one subject, after showing what that is. It asks first."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, AsJson, print_json, printable
from handlers.counting import counted

if TYPE_CHECKING:
    import sqlite3

    from bot.store.forgetting import Found


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase", epilog='Example: foureyes erase --subject customer_id=C-17 --reason "request 42" --dry-run')(
        erase
    )


def erase(
    *,
    subject: Annotated[str | None, typer.Option(help="FIELD=VALUE, as agents send it: whose proposals go.")] = None,
    person: Annotated[str | None, typer.Option(help="A Slack id, name, e-mail or pseudonym: who has left.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the log. Name nobody in it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what is kept about one subject, or one person.

    A subject's proposals lose their values; of a person goes what he wrote, and who that was. They are gone from the
    database and from every backup; the log says how many, and verifies. What goes on stays.
    """
    from bot.cli.session import reading

    if (subject is None) == (person is None):
        raise typer.BadParameter("give either --subject FIELD=VALUE or --person WHO")
    whom = subject or person or ""
    with reading() as connection:
        found = _about_subject(connection, whom) if person is None else _about_person(connection, whom)
    told = {
        "values": len(found.values),
        "proposals": list(found.proposals),
        "still_open": list(found.still_open),
        "reports": list(found.reports),
    }
    if not as_json:
        _tell(found)
    erased = 0
    if not dry_run and (found.values or found.people):
        if not reason.strip():
            raise typer.BadParameter("say why: --reason TEXT stands in the log")
        if not yes and typer.prompt(f"This cannot be undone. Type {printable(whom)!r} to erase it") != whom:
            typer.echo("Nothing was erased.", err=True)
            raise typer.Exit(FAILED)
        erased = _erase(found, reason)
    if as_json:
        print_json({**told, "erased": erased})
    elif erased or (found.people and not dry_run):
        typer.echo(f"Erased: {counted(erased, 'value')}. Nothing opens them any more, in no backup either.")


def _about_subject(connection: "sqlite3.Connection", named: str) -> "Found":
    from bot.store.forgetting import about_subject

    field, sign, value = named.partition("=")
    if not (field and sign and value):
        raise typer.BadParameter("write it as FIELD=VALUE, for example customer_id=C-17")
    return about_subject(connection, field, value)


def _about_person(connection: "sqlite3.Connection", who: str) -> "Found":
    from bot.cli.session import signing_key
    from bot.person_marks import marking
    from bot.search.people import pseudonyms_of
    from bot.store.forgetting import about_person, keeps

    people = pseudonyms_of(connection, who, marking(signing_key()))
    found = about_person(connection, people)
    if not found.words:
        typer.echo("Nobody of this name or id is known here.", err=True)
        raise typer.Exit(FAILED)
    for why in (reasons := keeps(connection, people)):
        typer.echo(f"Not erased: this person {why}.", err=True)
    if reasons:
        raise typer.Exit(FAILED)
    return found


def _tell(found: "Found") -> None:
    about = f" of {counted(len(found.proposals), 'proposal')}" if found.proposals else ""
    typer.echo(f"{counted(len(found.values), 'value')}{about} would go.")
    for word in found.words:
        typer.echo(f"With them goes who this is: {printable(word)}")
    for proposal in found.still_open:
        typer.echo(f"Stays, because it is still going on, or on hold: {proposal}")
    for report in found.reports:
        typer.echo(f"Stays, because a signed report is kept, and goes within 30 days where nobody signs it: {report}")


def _erase(found: "Found", reason: str) -> int:
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, reading, vault, write
    from bot.store import erasing
    from bot.store.forgetting import forget

    keys = vault()
    if keys is None:
        typer.echo("Nothing was erased: the data keys cannot be read. `foureyes doctor` says why.", err=True)
        raise typer.Exit(FAILED)
    erased = write(lambda tx: forget(tx, keys, found, who_typed(tx, os_user()), AgentText(reason)))
    while write(lambda tx: erasing.move_some(tx, keys)):
        pass
    with reading() as connection:
        ended = erasing.ended(connection.execute(erasing.KEYS).fetchall())
    keys.shred(ended)
    return erased
