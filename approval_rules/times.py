"""One moment, one form: RFC 3339 in UTC, so that times compare as text. Reads no clock."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@lru_cache(maxsize=1024)  # the moment of a unit of work is written into four or five rows and an answer
def format_time(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with exactly six digits and `Z`; raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no place here")
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


def parse_time(text: str) -> datetime:
    """Read what `format_time` wrote, and nothing else; raises ValueError."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError("not a time of the form 2026-01-31T12:00:00.000000Z")
    return datetime.fromisoformat(text)
