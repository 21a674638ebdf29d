"""Reads query parameters: a closed set for each call, each at most once, bounded."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Never

from starlette.requests import Request

from approval_rules.state import Status
from handlers.desk import Fault
from handlers.http.problems import ProblemError

MAX_WAIT_S = 60
MAX_PAGE = 200
DEFAULT_PAGE = 50
_STATES = tuple(status.value for status in Status)
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def refuse_query(request: Request) -> None:
    """Refuse every parameter, for a call that takes none. Raises ProblemError `invalid-query`."""
    parameters(request, ())


def wait_of(request: Request) -> timedelta:
    """Read `wait`, in whole seconds. Raises ProblemError `invalid-query`."""
    return timedelta(seconds=number(parameters(request, ("wait",)), "wait", 0, MAX_WAIT_S, 0))


def page_of(request: Request) -> tuple[Status | None, int, str | None]:
    """Read `state`, `limit` and `after`. Raises ProblemError `invalid-query`."""
    given = parameters(request, ("state", "limit", "after"))
    state = given.get("state")
    if state is not None and state not in _STATES:
        refuse("state", f"must be one of {', '.join(_STATES)}")
    after = given.get("after")
    if after is not None and _ID.fullmatch(after) is None:
        refuse("after", "must be the id of a proposal: the last one of the page before")
    return None if state is None else Status(state), number(given, "limit", 1, MAX_PAGE, DEFAULT_PAGE), after


def choice(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """Read the one parameter of a call, of a few values; raises ProblemError `invalid-query`."""
    given = parameters(request, (name,)).get(name)
    if given is not None and given not in choices:
        refuse(name, f"must be one of {', '.join(choices)}")
    return given


def parameters(request: Request, known: tuple[str, ...]) -> Mapping[str, str]:
    """Give the parameters by name; raises ProblemError for an unknown one and for one given twice."""
    if not request.scope["query_string"]:
        return {}
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            refuse(name, f"unknown parameter; this call knows {', '.join(known) or 'none'}")
        if name in given:
            refuse(name, "given twice; send it once")
        given[name] = value
    return given


def number(given: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """Read a whole number within bounds. Raises ProblemError."""
    text = given.get(name)
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,4}", text) is None or not least <= int(text) <= most:
        refuse(name, f"must be a whole number from {least} to {most}")
    return int(text)


def refuse(name: str, detail: str) -> Never:
    """Refuse a parameter; the pointer of a query parameter is its name behind a question mark."""
    raise ProblemError("invalid-query", "A query parameter is not valid.", [Fault(f"?{name[:100]}", detail)])
