"""The days that the invariants are held against: played once per run, read by every file here."""

import asyncio

import pytest

from tests.invariants.story import Story, played


@pytest.fixture(scope="session", params=[1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Play one of the days, and ten more for a release. Tests MUST only look at it."""
    folder = tmp_path_factory.mktemp("day")
    with asyncio.Runner() as runner:
        return runner.run(played(folder, request.param))
