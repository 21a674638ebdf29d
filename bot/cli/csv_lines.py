"""CSV for people (RFC 4180): what a spreadsheet opens, and can never run. It decides nothing about what is shown.

A byte order mark comes first, because without one Excel reads letters with accents wrong.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

from bot.cli.output import printable

BYTE_ORDER_MARK: Final = "\ufeff"
# What a spreadsheet takes for the beginning of a formula, in the wide forms that some of them fold too.
_FORMULA: Final = frozenset("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def csv_line(cells: Sequence[object]) -> str:
    """Write one line. What is invisible is escaped, and what would be a formula begins with an apostrophe."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([_cell(each) for each in cells])
    return written.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = printable(str(value))
    begins = text.lstrip()[:1]
    return f"'{text}" if begins in _FORMULA and begins and not _NUMBER.fullmatch(text) else text
