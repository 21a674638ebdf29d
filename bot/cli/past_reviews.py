"""Who has signed which report, for the command line's list and for `status`. Reads only."""

import json
import sqlite3
from typing import Any

from approval_rules.access_events import Access, AccessReviewed, is_complete
from approval_rules.text import unwrap_text
from approval_rules.times import format_time
from bot.access.records import access_of
from bot.review.records import reviews_of
from bot.store import rows


def past_reviews(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """List every signature, the newest first."""
    access = access_of(connection)
    return [_signature(connection, access, one) for one in reversed(access.signed)]


def last_review(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Tell which review was completed last, and whether a newer signature waits for a second one."""
    access = access_of(connection)
    last = access.last_complete
    waiting = [one for one in access.signed if not is_complete(access.of(one.report))]
    if last is None and not waiting:
        return None
    return {
        "completed_at": None if last is None else format_time(last.at),
        "report": None if last is None else last.report,
        "waits_for_second": None if not waiting else waiting[-1].report,
    }


def open_weeks(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """List the weekly reviews that nobody, or not enough people, have signed off."""
    return [
        {"role": one.made.role, "week": one.made.week, "report": one.made.report, "made_at": format_time(one.made.at)}
        for one in reviews_of(connection).open
    ]


def _signature(connection: sqlite3.Connection, access: Access, one: AccessReviewed) -> dict[str, Any]:
    found = connection.execute(rows.PEOPLE_BY_REF, {"refs": json.dumps([one.by.ref])}).fetchone()
    return {
        "at": format_time(one.at),
        "report": one.report,
        "by": one.by.ref if found is None else found[3] or found[2],
        "people": one.people,
        "warnings": one.warnings,
        "complete": is_complete(access.of(one.report)),
        "note": None if one.note is None else unwrap_text(one.note),
    }
