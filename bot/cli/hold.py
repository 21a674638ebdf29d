"""`hold`: what must not be erased at the end of its term, because somebody may have to answer for it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, AsJson, print_rows, printable

if TYPE_CHECKING:
    from approval_rules.erasure_events import Hold, HoldLifted, HoldSet
    from bot.store.transaction import Transaction

app = typer.Typer(help="Keep values beyond their term.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="PROPOSAL|AGENT", help="A proposal's id, or an agent's name.")]
Reason = Annotated[str, typer.Option(help="Why, for the log.")]


@app.command("set", epilog='Example: foureyes hold set prop_01jd3k --reason "case 17"')
def hold(named: Named, reason: Reason) -> None:
    """Keep everything of one proposal or agent until the hold is lifted."""
    from approval_rules.erasure_events import HoldSet

    _change(HoldSet, named, reason)
    typer.echo(f"On hold: {printable(named)}. Nothing of it is erased until `foureyes hold lift`.")


@app.command(epilog='Example: foureyes hold lift prop_01jd3k --reason "case 17 is closed"')
def lift(named: Named, reason: Reason) -> None:
    """End a hold: what is over its term is erased within a minute."""
    from approval_rules.erasure_events import HoldLifted

    _change(HoldLifted, named, reason)
    typer.echo(f"No longer on hold: {printable(named)}.")


@app.command("list", epilog="Example: foureyes hold list --json")
def listed(*, as_json: AsJson = False) -> None:
    """List what is on hold."""
    from bot.cli.session import reading
    from bot.store.codec import RETENTION
    from bot.store.folds import recorded_of
    from bot.store.holds import folded

    with reading() as connection:
        found = sorted(folded(recorded_of(connection, RETENTION)))
    print_rows([{"what": what.value, "id": name} for what, name in found], as_json=as_json, empty="Nothing is on hold.")


def _change(kind: "type[HoldSet | HoldLifted]", named: str, reason: str) -> None:
    from approval_rules.erasure_events import HoldSet
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.store.codec import RETENTION
    from bot.store.holds import folded

    if not reason.strip():
        raise typer.BadParameter("say why: --reason TEXT stands in the log")

    def unit(tx: "Transaction") -> str | None:
        found = _found(tx, named)
        if found is None:
            return "no proposal has this id, and no agent this name"
        if (found in folded(tx.history(RETENTION))) == (kind is HoldSet):
            return "that is so already"
        tx.record(kind(tx.at, who_typed(tx, os_user()), *found, AgentText(reason)))
        return None

    if wrong := write(unit):
        typer.echo(f"Nothing was changed: {wrong}.", err=True)
        raise typer.Exit(FAILED)


def _found(tx: "Transaction", named: str) -> "Hold | None":
    from approval_rules.erasure_events import Held

    if tx.rows("SELECT 1 FROM proposals WHERE id = :id", {"id": named}):
        return Held.PROPOSAL, named
    agents = tx.rows("SELECT id FROM agents WHERE name = :name OR id = :name", {"name": named})
    return (Held.AGENT, agents[0][0]) if agents else None
