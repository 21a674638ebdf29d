"""A machine whose clock is behind its log says so: time stands still, and nobody should have to find out why."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.clock import SteadyClock
from bot.standing_still import stands_still
from tests.bot.cli.shell import Shell
from tests.world import World

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("ahead", [None, timedelta(days=-1), timedelta(), timedelta(seconds=59)])
def test_a_minute_is_nothing_to_tell(ahead: timedelta | None) -> None:
    """Nor is an empty log, or one whose newest entry lies in the past."""
    assert stands_still(NOW, None if ahead is None else NOW + ahead) is None


def test_it_names_both_times() -> None:
    """And what to do."""
    told = stands_still(NOW, NOW + timedelta(days=10))
    assert told is not None
    assert "of 2026-12-02T12:00:00" in told
    assert "says 2026-11-22T12:00:00" in told
    assert "Set the machine's clock right" in told


def test_the_doctor_tells(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that was made with a wrong clock, and a clock that was put right then."""

    def told() -> list[str]:
        return [row["detail"] for row in ready("doctor", "--json").json() if row["check"] == "time"]

    assert told() == []
    with monkeypatch.context() as wrong:
        clock = SteadyClock()
        wrong.setattr("bot.cli.session.SteadyClock", lambda: lambda: clock() + timedelta(days=10))
        assert ready("pause", "--tool", "mail.send", "looks odd").code == 0
    (detail,) = told()
    assert "time stands still until then" in detail
    assert ready("audit", "verify").code == 0


async def test_a_start_says_it(tmp_path: Path) -> None:
    """The server starts, with a line in its log; what it writes is not older than what is there."""
    async with World(tmp_path) as world:
        await world.propose()
        await world.stop()
        world.clock.move(timedelta(days=-3))
        with capture_logs() as logs:
            await world.start()
        assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["time_stands_still"]
        await world.propose()
        world.verify_log()
