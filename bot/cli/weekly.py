"""`audit review`: the report on a week, made by hand. It signs nothing and keeps nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, print_json, printable

if TYPE_CHECKING:
    from bot.review.showing import Paper

AsCsv = Annotated[bool, typer.Option("--csv", help="Print one line for each item.")]
AsHtml = Annotated[Path | None, typer.Option("--html", help="Write one page into this file, and a CSV beside it.")]
OfWeek = Annotated[str | None, typer.Option("--week", help="Which week, such as 2026-W47; without it the last one.")]
OfRole = Annotated[str | None, typer.Option("--role", help="Of one role only.")]


def review(
    week: OfWeek = None,
    role: OfRole = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_html: AsHtml = None,
) -> None:
    """Show what of a week somebody should look at.

    The server makes the same report for each role every Monday, and asks people in Slack to sign it off.
    """
    if sum((as_json, as_csv, as_html is not None)) > 1:
        raise typer.BadParameter("give one of --json, --csv, --html")
    paper = _made(week, role)
    from bot.review.showing import csv_of, html_of, lines_of

    if as_json:
        print_json({"report": paper.kept.digest, **paper.report})
    elif as_csv:
        typer.echo(csv_of(paper), nl=False)
    elif as_html is not None:
        table = as_html.with_suffix(".csv")
        as_html.write_text(html_of(paper, table.name), encoding="utf-8")
        table.write_text(csv_of(paper), encoding="utf-8")
        typer.echo(f"{printable(str(as_html))} and {printable(str(table))} have report {paper.kept.digest}.")
    else:
        for line in lines_of(paper):
            typer.echo(line)


def _made(name: str | None, role: str | None) -> "Paper":
    """Make the report, with what people did to it where it is one that the server made."""
    from zoneinfo import ZoneInfo

    from approval_rules.people import RoleName
    from bot.cli.session import reading, settings
    from bot.clock import SteadyClock
    from bot.review.making import report_on
    from bot.review.records import paper_of
    from bot.review.week import last_over, week_named
    from bot.store.past import one_view
    from bot.store.reports import named

    zone = ZoneInfo(settings().time_zone)
    try:
        week = week_named(name, zone) if name else last_over(SteadyClock()(), zone)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with reading() as connection, one_view(connection):
        report = report_on(connection, week, None if role is None else RoleName(role))
        return paper_of(connection, named(report))
