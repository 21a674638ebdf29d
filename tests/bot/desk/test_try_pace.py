"""How fast one person may try codes."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.desk import try_pace
from bot.desk.try_pace import TryPace

AT = datetime(2026, 1, 1, tzinfo=UTC)


def second(number: float) -> datetime:
    """Give a moment."""
    return AT + timedelta(seconds=number)


def test_one_a_second_and_five_a_minute() -> None:
    """A try that comes too fast is not counted, so waiting always helps; others are not held up."""
    pace = TryPace()
    assert pace.allows("maya", AT)
    assert not pace.allows("maya", second(0.9))
    assert pace.allows("jonas", second(0.9))
    assert [pace.allows("maya", second(at)) for at in (1, 2, 3, 4)] == [True] * 4
    assert not pace.allows("maya", second(59))
    assert pace.allows("maya", second(60))


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tried longest ago is forgotten first."""
    monkeypatch.setattr(try_pace, "_MOST", 2)
    pace = TryPace()
    for who in ("one", "two", "three"):
        assert pace.allows(who, AT)
    assert not pace.allows("three", second(0.5))
    assert pace.allows("one", second(0.5))
