"""`pytest -p tests.planted.plugin --plant NAME ...`: runs any tests with one bug in the product."""

import os

import pytest
from hypothesis import Phase, settings

from tests.planted.bugs import plant_named
from tests.planted.planting import VARIABLE


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the bug's name."""
    parser.addoption("--plant", default="", help="a name of tests.planted.bugs")


def pytest_configure(config: pytest.Config) -> None:
    """Plant it before any test is imported; processes that the tests start plant it too.

    Failures are neither kept for later runs nor shrunk: that there is one is all that matters.
    """
    name = config.getoption("--plant")
    os.environ[VARIABLE] = name
    quick = (Phase.explicit, Phase.generate)
    settings.register_profile("planted", settings.get_profile("default"), database=None, phases=quick)
    settings.load_profile("planted")
    plant_named(name)
