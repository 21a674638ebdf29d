"""How the last drill is told: its age in words, and when somebody must look."""

from datetime import UTC, datetime, timedelta

import pytest

from approval_rules.drill import DRILL
from approval_rules.stop_events import DrillHeld
from handlers.drill_words import drill_in_message, drill_standing

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def held(ago: timedelta, fault: str | None = None) -> DrillHeld:
    """Give a drill that was held so long ago."""
    took = None if fault else 1840
    return DrillHeld(NOW - ago, DRILL, "drill_1", fault is None, "box:1", took, fault)


@pytest.mark.parametrize(
    ("ago", "told", "warn"),
    [
        (timedelta(seconds=5), "proved 0 minutes ago: a claim was refused 1.8 ms after a pause", False),
        (timedelta(minutes=119), "proved 119 minutes ago: a claim was refused 1.8 ms after a pause", False),
        (timedelta(hours=47), "proved 47 hours ago: a claim was refused 1.8 ms after a pause", False),
        (timedelta(days=8), "proved 8 days ago: a claim was refused 1.8 ms after a pause", False),
        (
            timedelta(days=9),
            "proved 9 days ago: a claim was refused 1.8 ms after a pause; that is too long ago, hold a drill",
            True,
        ),
    ],
)
def test_a_proof_is_told_with_its_age(ago: timedelta, told: str, *, warn: bool) -> None:
    """Minutes, hours, days; older than eight days somebody must look."""
    standing = drill_standing(held(ago), NOW)
    assert (standing.told, standing.warn, standing.failed) == (told, warn, False)


def test_a_failure_is_told_whatever_its_age() -> None:
    """It stays one until the next drill."""
    standing = drill_standing(held(timedelta(days=3), "the claim was given"), NOW)
    assert (standing.told, standing.failed) == ("the last drill of the kill switch failed, 3 days ago", True)


def test_a_message_that_stays_has_the_date() -> None:
    """Its age would be wrong an hour later."""
    assert drill_in_message(held(timedelta(hours=3)), NOW) == (
        "Kill switch: proved on 2026-11-22 00:00 UTC: a claim was refused 1.8 ms after a pause."
    )
    failed = drill_in_message(held(timedelta(days=3), "the claim was given"), NOW)
    assert failed == "⚠ Kill switch: the last drill of the kill switch failed, on 2026-11-19 03:00 UTC."
    assert drill_in_message(None, NOW) == "Kill switch: no drill of the kill switch was held yet."


def test_none_yet_is_no_failure() -> None:
    """A server that was just installed is ready."""
    assert drill_standing(None, NOW).failed is False
