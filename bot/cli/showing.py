"""Entries of the log as `audit show` prints them: what people are not shown is covered. It only looks."""

import json
from typing import Any

from bot.cli.session import reading
from bot.search.following import shown_values
from bot.store.past import one_view


def entries(subject: str | None, since: int, limit: int) -> list[dict[str, Any]]:
    """Give entries with those of their detached values that live, covered."""
    where = "seq >= :since" if subject is None else "seq >= :since AND subject = :subject"
    with reading() as connection, one_view(connection):
        found = connection.execute(
            f"SELECT seq, body, subject FROM entries WHERE {where} ORDER BY seq LIMIT :limit",  # noqa: S608 - constants
            {"since": since, "subject": subject, "limit": limit},
        ).fetchall()
        shown = shown_values(connection, found)
    return [
        {**json.loads(body), "detached": {name: json.loads(value) for name, value in shown.get(seq, {}).items()}}
        for seq, body, _ in found
    ]
