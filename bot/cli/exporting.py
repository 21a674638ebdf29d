"""`audit export`: the log for somebody else: as tiles for an auditor, or in a form that other tools read.

It changes nothing in the log. A file appears under its name only when it is whole.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import FAILED, AsJson, printable
from bot.cli.tiles import write_tiles
from handlers.counting import counted

if TYPE_CHECKING:
    from handlers.audit_desk import Entry, Followed

_AT_ONCE = 1000


class Form(StrEnum):
    """What each entry is written as."""

    NDJSON = "ndjson"
    CLOUDEVENTS = "cloudevents"
    OCSF = "ocsf"
    SYSLOG = "syslog"
    CSV = "csv"


def export(
    tiles: Annotated[
        Path | None, typer.Option(help="The folder to make: C2SP tlog-tiles, with a checkpoint signed now.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Write entries as lines for other tools instead.")
    ] = None,
    after: Annotated[int, typer.Option(min=-1, help="With --format: only what follows this `seq`.")] = -1,
    to: Annotated[
        Path | None, typer.Option(help="With --format: the file to write; without it, the terminal or pipe.")
    ] = None,
    *,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Add what agents and people wrote, as far as it still lives.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the log for an auditor or for other tools.

    Give `--tiles` or `--format`. docs/verify.md says how tiles are verified with foureyes_verify.py, with Go, and by
    hand; docs/exports.md explains the forms. Entries hold no personal values; `--with-values` adds them. Tiles are
    written of a whole log only: exit code 7 where it is broken.
    """
    if (tiles is None) == (form is None):
        raise typer.BadParameter("give either --tiles FOLDER or --format NAME", param_hint="--tiles")
    if tiles is not None:
        write_tiles(tiles, with_values=with_values, as_json=as_json)
    elif form is not None:
        _write_lines(form, after, to, with_values=with_values)


def _write_lines(form: Form, after: int, to: Path | None, *, with_values: bool) -> None:
    if with_values:
        _record(after)
    lines = _csv(after, values=with_values) if form is Form.CSV else _lines(form, after, values=with_values)
    if to is None:
        _print(lines)
        return
    try:
        number = _write_whole(to, lines)
    except OSError as error:
        typer.echo(f"Not exported. {printable(str(error.filename or to))}: {error.strerror}", err=True)
        raise typer.Exit(FAILED) from None
    typer.echo(f"Wrote {counted(number - (form is Form.CSV), 'entry', 'entries')} to {printable(str(to))}.")


def _record(after: int) -> None:
    """Record the look, with how many of the entries have values that may be written."""
    from bot.cli.looking import record_look
    from bot.cli.session import reading

    with reading() as connection:
        found = connection.execute("SELECT count(DISTINCT seq) FROM main.detached WHERE seq > ?", (after,)).fetchone()
    record_look("export", found[0], (), after)


def _print(lines: Iterable[str]) -> None:
    """Print to a pipe or a terminal, the bytes as they are; a reader that has had enough is no error."""
    try:
        for line in lines:
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_whole(to: Path, lines: Iterable[str]) -> int:
    """Write a file beside its place and put it there when all of it is on the disk; give how many lines it has."""
    part = to.with_name(f"{to.name}.part")
    number = 0
    try:
        with part.open("xb") as file:
            part.chmod(0o600)
            for line in lines:
                file.write(line.encode())
                number += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(to)
    except FileExistsError:
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return number


def _lines(form: Form, after: int, *, values: bool) -> Iterator[str]:
    from handlers.exports.forms import LINES

    write: Callable[[str, Entry], str] = LINES[form.value]
    for followed in _pages(after, values=values):
        for entry in followed.entries:
            yield write(followed.origin, entry) + "\n"


def _csv(after: int, *, values: bool) -> Iterator[str]:
    from bot.cli.csv_lines import BYTE_ORDER_MARK, csv_line
    from handlers.exports.cells import HEADINGS, cells

    yield BYTE_ORDER_MARK + csv_line(HEADINGS)
    for followed in _pages(after, values=values):
        for entry in followed.entries:
            yield csv_line(cells(entry))


def _pages(after: int, *, values: bool) -> "Iterator[Followed]":
    from bot.cli.session import reading
    from bot.search.following import behind

    with reading() as connection:
        while True:
            followed = behind(connection, after, _AT_ONCE, values=values)
            if not followed.entries:
                return
            yield followed
            after = followed.entries[-1].seq
