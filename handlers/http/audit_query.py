"""Reads what an auditor asks for: each parameter at most once, bounded, of a closed set."""

import re
from typing import Final, NamedTuple

from starlette.requests import Request

from handlers.audit_desk import Sought
from handlers.exports.forms import JSON_LINES
from handlers.http.query import DEFAULT_PAGE, MAX_PAGE, number, parameters, refuse
from handlers.seeking import NAMES, sought_in

MOST_ENTRIES: Final = 1000
MAX_WAIT_S: Final = 30
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEQ: Final = re.compile(r"-1|[0-9]{1,15}")


def search_of(request: Request) -> tuple[Sought, int, str | None]:
    """Read a search, `limit` and `after`. Raises ProblemError and SoughtError."""
    given = dict(parameters(request, (*NAMES, "limit", "after")))
    limit = number(given, "limit", 1, MAX_PAGE, DEFAULT_PAGE)
    after = given.get("after")
    if after is not None and _CURSOR.fullmatch(after) is None:
        refuse("after", "must be the `after` of the page before")
    return sought_in({name: value for name, value in given.items() if name in NAMES}), limit, after


class Asked(NamedTuple):
    """What is asked of the stream."""

    after: int
    limit: int
    wait_s: int
    values: bool
    form: str


def stream_of(request: Request) -> Asked:
    """Read what is asked of the stream. Raises ProblemError."""
    given = parameters(request, ("after", "limit", "wait", "values", "format"))
    after, values, form = given.get("after", "-1"), given.get("values", "false"), given.get("format", "ndjson")
    if form not in JSON_LINES:
        refuse("format", f"must be one of {', '.join(JSON_LINES)}")
    if _SEQ.fullmatch(after) is None:
        refuse("after", "must be the `seq` of the last entry that you have; -1 for none")
    if values not in ("true", "false"):
        refuse("values", "must be true or false")
    limit = number(given, "limit", 1, MOST_ENTRIES, DEFAULT_PAGE)
    return Asked(int(after), limit, number(given, "wait", 0, MAX_WAIT_S, 0), values == "true", form)
