"""`audit reveal`: the original of what people are not shown, after the look is on record."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, AsJson, print_json, printable
from handlers.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store.transaction import Transaction
    from handlers.reveal_desk import Uncovered


def reveal(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    field: Annotated[str, typer.Option(help="What is hidden; without it, the names are listed.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for the log. Name nobody in it.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Show the original of what people are not shown.

    Who looked, at what and why stands in the log before anything is printed. It needs the data keys at hand.
    """
    from bot.cli.session import reading
    from bot.reveal.looking import looked
    from bot.reveal.originals import covered_in

    with reading() as connection:
        covered = covered_in(connection, proposal)
    if covered is None:
        typer.echo(f"The log has no proposal {printable(proposal)}.", err=True)
        raise typer.Exit(FAILED)
    from handlers.reveal_desk import MOST_REASON, Choice

    look = looked(covered, field)
    if isinstance(look, Choice):
        there = ", ".join(map(printable, look.fields)) or "nothing, or it has been erased"
        typer.echo(f"Nothing was shown. Hidden in it: {there}.", err=bool(field))
        raise typer.Exit(FAILED if field else 0)
    if not reason.strip() or len(reason) > MOST_REASON:
        raise typer.BadParameter(f"say why, in at most {MOST_REASON} characters: it stands in the log")
    record([look], reason)
    _print(look, as_json=as_json)


def record(looks: "Sequence[Uncovered]", reason: str) -> None:
    """Record looks at originals, all or none."""
    from approval_rules.text import AgentText
    from bot.agents import who_typed
    from bot.cli.session import os_user, write
    from bot.reveal.looking import record_look

    def unit(tx: "Transaction") -> None:
        by = who_typed(tx, os_user())
        for look in looks:
            record_look(tx, by, "command-line", look, AgentText(reason))

    write(unit)


def _print(look: "Uncovered", *, as_json: bool) -> None:
    from approval_rules.text import unwrap_text

    found = [
        {"seq": each.seq, "where": unwrap_text(each.where), "text": unwrap_text(each.text)} for each in look.originals
    ]
    if as_json:
        print_json({"proposal": look.proposal, "field": look.field, "originals": found})
        return
    typer.echo(f"{counted(len(found), 'original')}. This look is on record.", err=True)
    for each in found:
        typer.echo(f"entry {each['seq']}  {printable(str(each['where']))}: {printable(str(each['text']))}")
