"""Says how the last drill of the kill switch went, for people and for health checks. Decides nothing."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from approval_rules.drill import STALE_AFTER
from approval_rules.stop_events import DrillHeld
from handlers.counting import counted

_MILLISECOND: Final = 1000


class DrillStanding(NamedTuple):
    """How the kill switch stands: whether the last drill failed, and a public sentence about it."""

    failed: bool
    told: str
    warn: bool


def drill_standing(held: DrillHeld | None, now: datetime) -> DrillStanding:
    """Say when the kill switch was last proved, and whether somebody must look."""
    return _standing(held, now, "" if held is None else f"{_age(now - held.at)} ago")


def drill_in_message(held: DrillHeld | None, now: datetime) -> str:
    """Say the same in a message that stays: with the date, which is true for as long as somebody reads it."""
    found = _standing(held, now, "" if held is None else f"on {held.at:%Y-%m-%d %H:%M} UTC")
    return f"{'⚠ ' if found.warn else ''}Kill switch: {found.told}."


def _standing(held: DrillHeld | None, now: datetime, when: str) -> DrillStanding:
    if held is None:
        return DrillStanding(failed=False, told="no drill of the kill switch was held yet", warn=False)
    if not held.ok:
        return DrillStanding(failed=True, told=f"the last drill of the kill switch failed, {when}", warn=True)
    took = f"{(held.refused_after_us or 0) / _MILLISECOND:.1f} ms"
    told = f"proved {when}: a claim was refused {took} after a pause"
    if now - held.at > STALE_AFTER:
        return DrillStanding(failed=False, told=f"{told}; that is too long ago, hold a drill", warn=True)
    return DrillStanding(failed=False, told=told, warn=False)


def _age(span: timedelta) -> str:
    if span >= timedelta(days=2):
        return counted(span.days, "day")
    if span >= timedelta(hours=2):
        return counted(span // timedelta(hours=1), "hour")
    return counted(max(span // timedelta(minutes=1), 0), "minute")
