"""`factor list`, `confirm`, `lock`, `remove`: second factors from the machine, recorded as done by an operator.

Where nobody in Slack may confirm yet, this is how the first one begins. It can never approve, and it sees no secret.
"""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import FAILED, AsJson, print_rows, printable

if TYPE_CHECKING:
    from bot.desk.factor_record import Act

app = typer.Typer(help="People's second factors: list, confirm, lock, remove.", no_args_is_help=True)
_LIST = (
    "SELECT p.user_id, p.name, c.factor, c.state, c.created_at, c.active_since, c.last_used_at, c.id"
    " FROM credentials c JOIN people p ON p.ref = c.person WHERE c.state <> 'removed' ORDER BY p.user_id, c.id"
)
UserArgument = Annotated[str, typer.Argument(metavar="USER", help="The person's Slack user id, which starts with U.")]
OneOption = Annotated[str | None, typer.Option("--id", help="Only this one, where there are several: its id.")]


@app.command("list", epilog="Example: foureyes factor list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List who has which second factor, and since when it counts."""
    from bot.cli.session import reading

    names = ("user", "name", "factor", "state", "enrolled", "counts_since", "last_used", "id")
    with reading() as connection:
        found: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in connection.execute(_LIST)]
    print_rows(found, as_json=as_json, empty="Nobody has a second factor yet: /agent factor add, in Slack.")


@app.command("confirm", epilog="Example: foureyes factor confirm U0MAYACHEN1")
def confirm(user: UserArgument, one: OneOption = None) -> None:
    """Vouch for what waits of a person.

    That is a new factor, one that is locked, or a removal. Speak to the person first.
    """
    from approval_rules import factors

    _do(user, factors.confirm, one)


@app.command("refuse", epilog="Example: foureyes factor refuse U0MAYACHEN1")
def refuse(user: UserArgument, one: OneOption = None) -> None:
    """Say no to what waits of a person.

    A new factor is gone, one that was to be removed stays.
    """
    from approval_rules import factors

    _do(user, factors.refuse, one)


@app.command("lock", epilog="Example: foureyes factor lock U0MAYACHEN1")
def lock(user: UserArgument) -> None:
    """Let nothing of a person's count from now on.

    It counts again once another person has confirmed it.
    """
    from approval_rules import factors

    _do(user, lambda held, wish, _: factors.lock(held, wish), "")


@app.command("remove", epilog="Example: foureyes factor remove U0MAYACHEN1 --id cred_01jd3k")
def remove(user: UserArgument, one: OneOption = None) -> None:
    """Ask for a removal; somebody else must confirm it."""
    from approval_rules import factors
    from approval_rules.factor_events import FactorEvent
    from bot.desk.factor_record import several

    def act(held: factors.Factors, wish: factors.Wish, _: str) -> tuple[FactorEvent, ...]:
        found = [each.id for each in held.values() if each.state != "removed" and each.factor != "recovery"]
        if one is None and len(found) > 1:
            return several(wish, "remove")
        return factors.remove(held, wish, one or (found[0] if found else ""))

    _do(user, act, "")


def _do(user: str, act: "Act", one: str | None) -> None:
    from approval_rules.factors import Wish
    from approval_rules.people import Account
    from bot.agents import home_team, who_typed
    from bot.cli.session import os_user, write
    from bot.desk.factor_record import apply_wish, said
    from bot.store.credentials import factors_of
    from bot.store.transaction import Transaction
    from handlers.desk import Face
    from handlers.factor_desk import FactorSaid

    if not re.fullmatch(r"[UW][A-Z0-9]{2,31}", user):
        raise typer.BadParameter(f"{user!r} is not a Slack user id; it starts with U (profile, More, Copy member ID)")

    def unit(tx: Transaction) -> FactorSaid:
        person = tx.person(Account(home_team(tx), user), "")
        wish = Wish(tx.at, who_typed(tx, os_user()), person, None, may=True)
        return said(apply_wish(tx, wish, act, one), Face(user, ""), factors_of(tx, person))

    done = write(unit)
    if done.refusal is not None:
        typer.echo(f"Refused: {_WHY.get(done.refusal.value, done.refusal.value)}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{printable(user)}: {_DONE[done.done or 'locked']}. The person is told in Slack.")


_WHY = {
    "not-waiting": "there is nothing like that; `foureyes factor list` shows what there is.",
    "several-wait": "there is more than one; name it with --id.",
    "other-admin-needed": "you asked for this yourself, so somebody else must confirm it.",
    "expired": "that enrolment is more than a week old; the person must enrol again.",
}
_DONE = {
    "confirmed": "it counts from now on",
    "removed": "it is removed",
    "refused": "it was refused and is gone",
    "kept": "it stays",
    "locked": "locked; nothing counts until another person confirms it again",
    "removal-asked": "asked; somebody else must confirm it",
}
