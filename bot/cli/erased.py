"""Says what is erased, and what cannot be opened, after a verification. Erases nothing."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from handlers.counting import counted

if TYPE_CHECKING:
    import sqlite3

    from bot.audit.report import Report

_WORDS: Final = {
    "term": "their term of {days} days was over",
    "person": "one person's, kept for {days} days, on request",
    "subject": "one subject's, kept for {days} days, on request",
    "lost": "their keys were lost, kept for {days} days",
}


def erased(report: "Report") -> list[dict[str, Any]]:
    """List how many values were recorded as erased, by why and by term."""
    return [
        {"why": why, "days": days, "values": count} for (why, days), count in sorted(report.erased.items()) if count
    ]


def erased_lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Say it for people."""
    for row in found:
        why = _WORDS.get(row["why"], "for a reason that this program does not know").format(days=row["days"])
        yield f"erased: {counted(row['values'], 'value')}, {why}"


def sealed_for_ever(report: "Report") -> tuple[list[str], list[str]]:
    """Give what is broken and what is to be noted where sealed values could not be opened at all."""
    from bot.cli.session import settings

    if not report.unopened:
        return [], []
    file, values = settings().data_keys_file, counted(report.unopened, "value is", "values are")
    if settings().signing_key_file.exists() and not file.exists():
        return [f"{file} is missing, and {values} sealed with its keys; restore it from its backup"], []
    return [], [f"{values} sealed, and {file} cannot be read here: it was only checked that they are there"]


def people_notes(connection: "sqlite3.Connection") -> Iterator[str]:
    """Say of how many people it was not looked at, or is nowhere borne out, whose account the pseudonym is."""
    from bot.store.bindings import unbound

    earlier, closed = unbound(connection)
    if earlier:
        people = counted(earlier, "pseudonym is", "pseudonyms are")
        yield f"{people} from before pseudonyms were bound to accounts: nothing bears out whose they are"
    if closed:
        people = counted(closed, "person is", "people are")
        yield f"{people} sealed, and the data keys cannot be read here: whose pseudonyms they are was not checked"
