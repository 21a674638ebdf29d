"""What every command shares: exit codes, tables for people, JSON for programs, and the errors that are no bugs."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

DONE = 0
FAILED = 1
USAGE = 2
NOT_READY = 3
DENIED = 4
EXPIRED = 5
PAUSED = 6
AUDIT_BROKEN = 7

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def expected_errors() -> tuple[type[Exception], ...]:
    """Name the errors that say what to do; anything else is a bug and shows its traceback."""
    import sqlite3

    known: list[type[Exception]] = [sqlite3.Error]
    # Only a module that is imported can have raised; importing the others here would cost more than the command.
    for module, name in (
        ("bot.audit.anchor", "AnchorError"),
        ("bot.audit.log_format", "EntryError"),
        ("bot.settings", "SettingsError"),
        ("bot.store.engine", "StoreUnavailableError"),
        ("bot.keys", "KeyFileError"),
        ("bot.agents", "AgentError"),
        ("bot.home", "HomeUnknownError"),
        ("bot.policy_files", "PolicyFolderError"),
        ("bot.serving", "CannotListenError"),
        ("bot.access.making", "NoReportError"),
        ("bot.review.making", "NoWeekError"),
    ):
        if module in sys.modules:
            known.append(getattr(sys.modules[module], name))
    return tuple(known)


def print_json(value: object) -> None:
    """Print one JSON document."""
    typer.echo(json_text(value, indent=2))


def json_text(value: object, indent: int | None = None) -> str:
    """Write JSON that a terminal can show: letters as they are, everything invisible escaped as JSON does."""
    return json_printable(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


def json_printable(text: str) -> str:
    """Escape what is invisible in JSON, which says the same afterwards."""
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def printable(text: str) -> str:
    """Make text that somebody else wrote safe for a terminal: no control sequence, nothing invisible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print a listing: JSON when asked, a table on a terminal, tab-separated lines in a pipe."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        typer.echo(empty, err=True)
    elif sys.stdout.isatty():
        _table(rows)
    else:
        for row in rows:
            typer.echo("\t".join(_cell(value) for value in row.values()))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value)) or "-"
    return printable(str(value))


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    heading = "  ".join(name.upper().ljust(width) for name, width in zip(names, widths, strict=True))
    typer.echo(heading.rstrip() if os.environ.get("NO_COLOR") else typer.style(heading.rstrip(), bold=True))
    for line in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
