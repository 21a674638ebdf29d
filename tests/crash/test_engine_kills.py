"""kill -9 of the engine, at random moments and at the named points, again and again on the same files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.lives import POINTS, ForkServer, many_lives

KILLS = 60
LONG = 10_000


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Start one fork server for all tests of this file."""
    with ForkServer() as started:
        yield started


def test_whatever_was_answered_survives_a_kill(server: ForkServer, tmp_path: Path) -> None:
    """After each kill: every answer is in the log, the log and the index are whole, nothing is told twice or lost."""
    deaths = many_lives(server, tmp_path, range(KILLS), 10)
    assert sum(deaths.values()) == KILLS + KILLS // 10
    assert set(deaths) >= {"any moment", *POINTS}, "each kind of death was died"


@pytest.mark.long
def test_whatever_was_answered_survives_thousands_of_kills(server: ForkServer, tmp_path: Path) -> None:
    """The same for a release: 10,000 kills."""
    assert sum(many_lives(server, tmp_path, range(100_000, 100_000 + LONG), 10).values()) > LONG
