"""One decision for `audit prove` and `audit replay`, after the whole log was verified. It changes nothing."""

import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from bot.cli.checking import check
from bot.cli.session import database, settings, signing_key
from bot.evidence.gathering import Decision, Place, gathered

T = TypeVar("T")
Make = Callable[[Decision, Place, tuple[str, ...]], T]
# What reading and folding raise for entries that nobody of ours wrote.
_UNREADABLE: Final = (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError)


def made_of(unverified_id: str, make: Make[T]) -> tuple[T | None, tuple[str, ...]]:
    """Verify the whole log, and make something of one decision in it; give with it what is wrong with the log.

    None where the log has none of this id, or is so broken that it cannot be read. Raises KeyFileError.
    """
    place = Place(database(), settings().anchor_file, signing_key())
    faults = check(refold=False)["broken"]
    wrong = tuple(
        [fault["what"] if fault["seq"] is None else f"entry {fault['seq']}: {fault['what']}" for fault in faults]
    )
    try:
        decision = gathered(place, unverified_id)
        return None if decision is None else make(decision, place, wrong), wrong
    except _UNREADABLE:
        if not wrong:
            raise
        return None, (*wrong, "what is recorded about it cannot be read any more")
