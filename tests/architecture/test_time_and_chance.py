"""Time, ids and chance come from one place, so that replay and tests need nothing else."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import PRODUCT, Source, dotted, place, planted, python_files

ALLOWED = {
    "bot/clock.py": "the one source of time, ids and chance",
    "bot/slack_standin/clock.py": "the stand-in is another program: Slack's own clock and ids",
}
MODULES = frozenset({"random", "secrets"})
NAMES = frozenset({"uuid1", "uuid4", "uuid6", "uuid7", "utcnow", "time_ns", "urandom"})
CALLS = frozenset({"datetime.now", "datetime.today", "date.today", "time.time", "time.gmtime", "time.localtime"})


def uses(source: Source) -> Iterator[str]:
    """Every place that takes time or chance from the machine."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import():
                found = any(alias.name.partition(".")[0] in MODULES for alias in node.names)
            case ast.ImportFrom():
                names = {alias.name for alias in node.names}
                found = node.module in MODULES or bool(names & NAMES) or (node.module == "time" and "time" in names)
            case ast.Attribute():
                name = dotted(node)
                found = node.attr in NAMES or ".".join(name.split(".")[-2:]) in CALLS
            case _:
                found = False
        if found:
            yield place(source, node)


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "import secrets as s",
        "from secrets import token_hex",
        "from time import time",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid4()",
        "from datetime import datetime\ndatetime.now(tz)",
        "import datetime\ndatetime.datetime.utcnow()",
        "import time\ntime.time()",
        "default_factory = datetime.now",
    ],
)
def test_the_check_finds_a_planted_clock(code: str) -> None:
    """Each way to read a clock or to throw dice is found."""
    assert list(uses(planted(code)))


def test_harmless_time_is_not_found() -> None:
    """Intervals, parsing and given clocks are fine."""
    code = (
        "import time\ntime.monotonic()\nclock.now()\nself._clock()\ndatetime.fromisoformat(text)\ntime.perf_counter()"
    )
    assert not list(uses(planted(code)))


def test_time_and_chance_have_one_source() -> None:
    """Nothing in the product but the named clock modules reads a clock or throws dice."""
    found = [where for source in python_files(*PRODUCT) if source.path not in ALLOWED for where in uses(source)]
    assert found == []


def test_the_exceptions_are_real() -> None:
    """Each exception stands for a file that needs it."""
    needy = {source.path for source in python_files(*PRODUCT) if list(uses(source))}
    assert set(ALLOWED) <= needy
