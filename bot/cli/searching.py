"""`audit search`: finds proposals in the log from the command line, as an auditor's key does over HTTP."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.output import AsJson, print_json, print_rows, printable
from handlers.counting import counted

if TYPE_CHECKING:
    from bot.search.words import Marker
    from handlers.audit_desk import Hit, SearchPage, Sought

_Text = str | None
_EXAMPLE = "Example: foureyes audit search --agent refund-bot --currency usd --min 200 --state denied"
_COLUMNS = ("at", "proposal", "state", "amount", "tool", "agent", "decided by")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search", epilog=_EXAMPLE)(search)


def search(
    since: Annotated[_Text, typer.Option("--from", help="Proposed on or after this day or time (UTC).")] = None,
    until: Annotated[_Text, typer.Option("--to", help="Proposed on or before this day, or before this time.")] = None,
    person: Annotated[_Text, typer.Option(help="Voted, started, changed: id, name, e-mail, pseudonym.")] = None,
    agent: Annotated[_Text, typer.Option(help="The agent's name or id.")] = None,
    tool: Annotated[_Text, typer.Option(help="The tool.")] = None,
    state: Annotated[_Text, typer.Option(help="Where it stands now, such as denied or succeeded.")] = None,
    rule: Annotated[_Text, typer.Option(help="The rule that judged it, such as payments.refund#3.")] = None,
    currency: Annotated[_Text, typer.Option(help="An amount is in this currency.")] = None,
    least: Annotated[_Text, typer.Option("--min", help="That amount is at least this.")] = None,
    most: Annotated[_Text, typer.Option("--max", help="That amount is at most this.")] = None,
    text: Annotated[_Text, typer.Option(help="All of these words stand in what was written.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at the most.")] = 50,
    after: Annotated[_Text, typer.Option(help="The cursor that the page before gave.")] = None,
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
) -> None:
    """Find proposals, newest first.

    All that is given must be so. It needs no running server. The look is recorded, not what was asked.
    """
    from bot.cli.looking import record_look
    from bot.store.engine import StoreUnavailableError
    from handlers.audit_desk import SoughtError
    from handlers.http.audit_render import page_fields
    from handlers.seeking import NAMES, sought_in

    texts = (since, until, person, agent, tool, state, rule, currency, least, most, text)
    given = {name: value for name, value in zip(NAMES, texts, strict=True) if value is not None}
    try:
        sought = sought_in(given)
        page = _page(sought, limit, after)
    except SoughtError as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.name}") from None
    try:
        record_look("search", len(page.hits), sought.filters)
    except (StoreUnavailableError, sqlite3.OperationalError):
        if sought.reads_values:
            raise  # a yes or no would tell of values, off the record
        page = _page(sought, limit, after, values=False)
        typer.echo("Note: the look cannot be recorded, so amounts, words and names are left out.", err=True)
    if as_json:
        print_json(page_fields(page))
        return
    if as_csv:
        _print_csv(page)
    else:
        print_rows([_row(hit) for hit in page.hits], as_json=False, empty=_nothing(given, page))
    _print_notes(page)


def _page(sought: "Sought", limit: int, after: str | None, *, values: bool = True) -> "SearchPage":
    from bot.cli.session import reading, signing_key
    from bot.person_marks import marking
    from bot.search.finding import Finder
    from bot.search.words import marker

    key = signing_key()
    mark = marker(key)
    _take_in(mark)
    with reading() as connection:
        return Finder(connection, mark, marking(key)).page(sought, limit, after, values=values)


def _take_in(mark: "Marker") -> None:
    """Take what is new into the index where no server does it; whoever may only read searches what is there.

    Without the data keys nothing is taken in: what cannot be read would be left out for ever.
    """
    from bot.cli.session import database, reading, vault, write
    from bot.search.index import next_batch
    from bot.store.engine import StoreUnavailableError, server_runs

    while vault() is not None and not server_runs(database()):
        with reading() as connection:
            batch = next_batch(connection, mark)
        if batch is None:
            return
        try:
            write(batch)
        except (StoreUnavailableError, sqlite3.OperationalError):
            return


def _row(hit: "Hit") -> dict[str, Any]:
    cells = (
        f"{hit.at:%Y-%m-%d %H:%M:%SZ}",
        hit.proposal,
        hit.told,
        "erased" if hit.erased else ", ".join(f"{amount} {currency.upper()}" for currency, amount in hit.amounts or ()),
        hit.tool,
        hit.agent,
        [f"{each.name or each.person}: {'yes' if each.decision == 'approve' else 'no'}" for each in hit.decided_by],
    )
    return dict(zip(_COLUMNS, cells, strict=True))


def _print_csv(page: "SearchPage") -> None:
    from bot.cli.csv_lines import BYTE_ORDER_MARK, csv_line

    def lines() -> Iterator[str]:
        yield csv_line(_COLUMNS)
        for hit in page.hits:
            yield csv_line([", ".join(cell) if isinstance(cell, list) else cell for cell in _row(hit).values()])

    typer.echo(BYTE_ORDER_MARK + "".join(lines()), nl=False)


def _nothing(given: Mapping[str, str], page: "SearchPage") -> str:
    by = ", ".join(f"{name} {printable(value)}" for name, value in given.items()) or "nothing in particular"
    return f"Nothing found by {by}, in {counted(page.indexed, 'entry', 'entries')} of the log."


def _print_notes(page: "SearchPage") -> None:
    if page.after is not None:
        typer.echo(f"There may be more: the same again with --after {page.after}", err=True)
    if page.indexed < page.size:
        newer = counted(page.size - page.indexed, "newer entry is", "newer entries are")
        typer.echo(f"Note: {newer} not searched yet; a running server takes them in.", err=True)
