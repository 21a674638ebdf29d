"""`people`: who is one person, on the database itself, with the server and Slack up or down.

Two accounts of this machine join or part two Slack accounts, as two admins do in Slack.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, AsJson, print_json, printable

if TYPE_CHECKING:
    from approval_rules.people_events import PersonsChange, PersonsEvent
    from bot.store.transaction import Transaction
    from handlers.desk import Face

app = typer.Typer(help="Who is one person, though Slack has several accounts.", no_args_is_help=True)
_USER = r"[UW][A-Z0-9]{2,30}"

First = Annotated[str, typer.Argument(metavar="USER", help="A Slack user id, for example U0123456789.")]
Second = Annotated[str, typer.Argument(metavar="OTHER", help="Another one.")]


@app.command(epilog="Example: foureyes people join U0MAYACHEN1 U0MAYATWICE")
def join(one: First, other: Second) -> None:
    """Say that two accounts are one person, with one vote. Two people of this machine must say so."""
    _change("join", one, other)


@app.command(epilog="Example: foureyes people apart U0MAYACHEN1 U0MAYATWICE")
def apart(one: First, other: Second) -> None:
    """Say that two accounts are two persons, whatever address both have. Two people of this machine must say so."""
    _change("part", one, other)


@app.command("list", epilog="Example: foureyes people list --json")
def show(*, as_json: AsJson = False) -> None:
    """Show who is one person, who was parted, and what waits."""
    from bot.cli.session import write
    from bot.desk.persons_changed import known_persons

    known = write(known_persons)
    if as_json:
        print_json(
            {
                "persons": [[_row(face) for face in group] for group in known.groups],
                "apart": [[_row(face) for face in pair] for pair in known.apart],
                "asked": [
                    {"change": change, "accounts": [_row(one), _row(other)]} for change, one, other in known.asked
                ],
            }
        )
        return
    for group in known.groups:
        typer.echo(f"One person: {' and '.join(map(_face, group))}")
    for pair in known.apart:
        typer.echo(f"Two persons: {' and '.join(map(_face, pair))}")
    for change, one, other in known.asked:
        word = "join" if change == "join" else "apart"
        typer.echo(f"Waits for a second person: {word} {_face(one)} and {_face(other)}")
    if not (known.groups or known.apart or known.asked):
        typer.echo("Nobody has several accounts, as far as Foureyes knows.")


def _change(change: "PersonsChange", one: str, other: str) -> None:
    import re

    from approval_rules.events import Refusal
    from approval_rules.people import Account
    from approval_rules.people_events import PersonsAsked, PersonsRefused
    from approval_rules.persons import ChangePersons, decide_persons
    from bot.agents import home_team, who_typed
    from bot.cli.session import os_user, write
    from bot.desk.persons import change_persons
    from bot.desk.persons_changed import pseudonym_of
    from bot.store.persons import persons_in

    for user in (one, other):
        if not re.fullmatch(_USER, user):
            raise typer.BadParameter(f"{user!r} is no Slack user id; it looks like U0123456789")

    def unit(tx: "Transaction") -> "PersonsEvent":
        pair = [pseudonym_of(tx, Account(home_team(tx), user)) for user in (one, other)]
        by = who_typed(tx, os_user())
        event = decide_persons(
            persons_in(tx), ChangePersons(tx.at, by, change, pair[0], pair[1], standing=None, may=True)
        )
        change_persons(tx, event)
        return event

    event = write(unit)
    if isinstance(event, PersonsRefused):
        told = {
            Refusal.NOTHING_CHANGED: "Nothing to do: that is so already. `foureyes people list` shows it.",
            Refusal.SECOND_ADMIN_NEEDED: "You asked already. A second person of this machine has to say the same.",
        }
        typer.echo(told.get(event.code, f"Refused: {event.code.value}."), err=True)
        raise typer.Exit(FAILED)
    if isinstance(event, PersonsAsked):
        typer.echo("Asked. Nothing changes until a second person of this machine says the same, within a day.")
        return
    typer.echo("They are one person from now on." if change == "join" else "They are two persons from now on.")


def _row(face: "Face") -> dict[str, str]:
    return {"user": face.user_id, "name": face.name}


def _face(face: "Face") -> str:
    return f"{printable(face.name)} ({face.user_id})" if face.name else face.user_id
