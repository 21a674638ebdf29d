"""Writes a table as CSV for spreadsheets, in which no cell is a formula. The cells are escaped before they get here."""

import csv
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

# What a spreadsheet may take for a formula at the start of a cell, the wide forms among them.
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def table_of(columns: Sequence[str], lines: Iterable[Iterable[str]]) -> str:
    """Write the columns' names and one line for each row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow(map(_cell, line))
    return out.getvalue()


@lru_cache(maxsize=4096)  # the same few names and conditions stand in very many lines
def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
