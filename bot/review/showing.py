"""Shows a report: as lines for a terminal, as CSV for a spreadsheet, as one HTML page. Each escapes what people wrote.

Behind pseudonyms and ids it puts what is known of them now: what was erased since is said to be gone. The page lists
the first of each kind only and stays small enough for a phone; the CSV lists everything.
"""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby, islice
from typing import Any, Final

from approval_rules.review_events import WeekReview
from approval_rules.state import Proposal
from bot.review.paper import PAPER
from bot.store.reports import Kept
from handlers.counting import counted
from handlers.desk import Face
from handlers.review_words import QUIET, TITLES, what_words
from handlers.slack.escape import Safe, visible
from handlers.slack.sentence import sentence_of
from handlers.slack.text import person, words
from handlers.spreadsheet import table_of
from handlers.weekly_desk import TABLE

SHOWN: Final = 300
"""So many of each kind stand on the page."""
COLUMNS: Final = (
    *("number", "kind", "at", "what", "who", "action", "tool", "agent", "rule", "proposal"),
    *("count", "milliseconds"),
)
_ERASED: Final = Safe("(erased)")


@lru_cache(maxsize=4096)  # the same few names stand in very many lines
def _person(name: str, user_id: str) -> Safe:
    return person(name, user_id)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What stands behind the pseudonyms and ids of a report, as far as it has not been erased."""

    faces: Mapping[str, Face] = field(default_factory=dict)
    proposals: Mapping[str, Proposal] = field(default_factory=dict)


class Paper:
    """A report with what it means now, and what people have done to it (None where nobody was asked to review it)."""

    def __init__(self, kept: Kept, meaning: Meaning, review: WeekReview | None = None) -> None:
        self.kept = kept
        self.report = kept.report
        self._meaning = meaning
        self.review = review

    def who(self, ref: str) -> Safe:
        """Name a person."""
        face = self._meaning.faces.get(ref)
        return _ERASED if face is None else _person(face.name, face.user_id)

    def action(self, item: Mapping[str, Any]) -> Safe:
        """Say what was asked for, as far as it is still known."""
        proposal = self._meaning.proposals.get(item.get("proposal", ""))
        if proposal is None:
            return Safe("")
        return sentence_of(proposal).headline if proposal.digest else _ERASED

    def what(self, item: Mapping[str, Any]) -> Safe:
        """Say what happened."""
        said = visible(what_words(item["what"]))
        if "ms" in item:
            return Safe(f"{said} after {item['ms'] / 1000:.1f} s")
        if "count" in item:
            return Safe(f"{said}, {counted(item['count'], 'time')}")
        return said

    def people(self, item: Mapping[str, Any]) -> Safe:
        """Name everybody of an item."""
        return Safe(", ".join(self.who(ref) for ref in item.get("people", ())))

    @property
    def heading(self) -> Safe:
        """What it is a report on."""
        role = self.report["role"]
        return Safe(f"Weekly review: {visible(role)}" if role else "Weekly review: every role")

    @property
    def span(self) -> Safe:
        """Of which week."""
        report = self.report
        begins, ends = _minute(report["from"]), _minute(report["until"])
        return Safe(f"Week {report['week']} ({visible(report['zone'])}): {begins} to {ends}")

    def standing(self) -> Iterator[Safe]:
        """Say who has signed it off or flagged something."""
        review = self.review
        if review is None:
            return
        for one in review.signed:
            took = f"took part in {one.decided} of {counted(one.decisions, 'decision')}"
            yield Safe(f"Signed off by {self.who(one.by.ref)} at {_minute(one.at.isoformat())}, who {took}.")
        for flag in review.flagged:
            items = ", ".join(map(str, flag.items))
            yield Safe(f"Flagged by {self.who(flag.by.ref)}: {items}. {words(flag.note)}")
        if review.superseded and not review.complete:
            yield Safe("It was not signed off before the next one.")
        elif review.signed and not review.complete:
            yield Safe("One more person must sign it off: whoever has signed took part in every decision.")
        elif not review.complete:
            yield Safe("Not signed off yet.")

    def by_kind(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Give the items of each kind, what alarms most first."""
        for kind, items in groupby(self.report["items"], key=lambda item: str(item["kind"])):
            yield kind, list(items)


def _minute(at: str) -> str:
    return f"{at[:10]} {at[11:16]} UTC"


def on_page(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the items that stand on the page: the first of each kind."""
    for _, items in groupby(report["items"], key=lambda item: str(item["kind"])):
        yield from islice(items, SHOWN)


# --- for a spreadsheet


def csv_of(paper: Paper) -> str:
    """Write every item as one line; no cell begins as a formula does."""
    return table_of(COLUMNS, map(partial(_line, paper), paper.report["items"]))


def _line(paper: Paper, item: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(item["n"]), item["kind"], item["at"], paper.what(item), paper.people(item), paper.action(item))
    yield from (visible(item[name]) if item.get(name) else "" for name in ("tool", "agent", "rule"))
    yield from (str(item.get(name, "")) for name in ("proposal", "count", "ms"))


# --- for a browser


def html_of(paper: Paper, table: str = TABLE) -> str:
    """Write one page that loads nothing and runs nothing; `table` names the file beside it that lists everything."""
    kinds = "".join(_kind(paper, kind, items) for kind, items in paper.by_kind())
    link = f'<a href="{_h(table)}">{_h(table)}</a>'
    body = [
        f"<h1>{_h(paper.heading)}</h1><p>{_h(paper.span)}</p>",
        *(f'<p class="standing">{_h(line)}</p>' for line in paper.standing()),
        "<h2>The week in figures</h2>",
        _table(("what", "this week", "week before"), _figures(paper), "figures"),
        kinds or "<p>Nothing to report.</p>",
        f"<footer><p>All of it as a table: {link}</p><p>Report <code>{_h(paper.kept.digest)}</code></p></footer>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_h(paper.heading)}</title><style>{PAPER}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _kind(paper: Paper, kind: str, items: Sequence[Mapping[str, Any]]) -> str:
    mark = "" if kind in QUIET else ' class="alarm"'
    rows = (
        (str(item["n"]), _minute(item["at"]), paper.what(item), paper.people(item), _about(paper, item))
        for item in items[:SHOWN]
    )
    more = len(items) - SHOWN
    rest = f"<p>And {more} more: every one stands in the table beside this page.</p>" if more > 0 else ""
    head = f"<h2{mark}>{_h(TITLES[kind])} ({len(items)})</h2>"
    return f"<section>{head}{_table(('no.', 'when', 'what', 'who', 'which'), rows, 'items')}{rest}</section>"


def _about(paper: Paper, item: Mapping[str, Any]) -> str:
    """Say which action, with which tool, of which agent."""
    parts = [
        paper.action(item),
        *(visible(item[name]) for name in ("tool", "agent", "rule", "proposal") if name in item),
    ]
    return " · ".join(filter(None, parts))


def _figures(paper: Paper) -> Iterator[Sequence[str]]:
    for one in paper.report["counts"]:
        yield TITLES[one["what"]], str(one["now"]), "none" if one["before"] is None else str(one["before"])


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> str:
    heads = "".join(f"<th>{name}</th>" for name in names)
    lines = "".join(f"<tr>{''.join(map(_cell_of, names, row))}</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _cell_of(name: str, text: str) -> str:
    return f'<td data-of="{name}">{_h(text)}</td>'


def _h(text: str) -> str:
    return html.escape(text)


# --- for a terminal


def lines_of(paper: Paper) -> Iterator[str]:
    """Tell it on lines; nothing in them can reach a terminal raw."""
    yield paper.heading
    yield paper.span
    yield from paper.standing()
    yield ""
    for title, now, before in _figures(paper):
        yield f"  {now:>6}  (week before: {before})  {title}"
    yield ""
    if not paper.report["items"]:
        yield "Nothing to report."
    for kind, items in paper.by_kind():
        yield TITLES[kind].upper()
        for item in items[:SHOWN]:
            parts = [_minute(item["at"]), paper.what(item), paper.people(item), _about(paper, item)]
            yield f"  {item['n']}. {' · '.join(filter(None, parts))}"
        if len(items) > SHOWN:
            yield f"  And {len(items) - SHOWN} more: --csv lists all."
        yield ""
    yield f"Report {paper.kept.digest}"
