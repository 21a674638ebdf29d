"""Reads until when somebody says to be away: `until friday`, `until 2026-12-01 09:00`, `for 3 days`. Reads no clock."""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from approval_rules.on_call import moment_of

MOST_AWAY: Final = timedelta(days=366)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FOR: Final = re.compile(r"for\s+(?:(\d{1,3})|an?)\s*(m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNTIL: Final = re.compile(
    r"(?:until|till|til|to)\s+(?:(?P<day>[a-z]+|\d{4}-\d{2}-\d{2})(?:\s+at)?)?\s*(?P<clock>\d{1,2}:\d{2})?"
)
_SHORTEST_NAME: Final = 3


def until_when(words: str, now: datetime, zone: tzinfo) -> datetime | None:
    """Give the moment, as a clock on the wall of this zone means it; None where it cannot be told, is over, or too far.

    A day without a time begins it: who is away until Friday is there on Friday. `today` is until it ends.
    """
    said = " ".join(words.casefold().split())
    lasts, until = _FOR.fullmatch(said), _UNTIL.fullmatch(said)
    moment = None
    if lasts:
        moment = now + int(lasts[1] or 1) * _UNITS[lasts[2][0]]
    elif until and (until["day"] or until["clock"]):
        moment = _moment(until["day"], until["clock"], now, zone)
    return moment if moment is not None and now < moment <= now + MOST_AWAY else None


def _moment(day: str | None, clock: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    today, at = now.astimezone(zone).date(), _clock(clock or "0:00")
    if at is None:
        return None
    if day is None:
        later = moment_of(today, at, zone)
        return later if later > now else moment_of(today + timedelta(days=1), at, zone)
    if day == "today" and clock is None:
        return moment_of(today + timedelta(days=1), time(), zone)
    found = _day(day, today)
    if found is None:
        return None
    moment = moment_of(found, at, zone)
    # On a Friday, "until friday 17:00" is still today at noon, and next week in the evening.
    return (
        moment if moment > now or found != today or day == "today" else moment_of(today + timedelta(days=7), at, zone)
    )


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    for number, name in enumerate(_DAYS):
        if len(word) >= _SHORTEST_NAME and name.startswith(word):
            return today + timedelta(days=(number - today.weekday()) % 7)
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    hour, _, minute = text.partition(":")
    try:
        return time(int(hour), int(minute))
    except ValueError:
        return None
