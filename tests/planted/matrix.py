"""Runs tests with bugs planted, and tells which found them: `python -m tests.planted.matrix [--layers] [NAME...]`.

Everything is imported once; each run is a fork of that process, because a planted bug cannot be taken out again.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from tempfile import mkstemp

import pytest

from tests.planted.bugs import BUGS, BY_NAME

ROOT = Path(__file__).parents[2]
LAYERS: Mapping[str, Sequence[str]] = {
    "rules": [
        f"tests/rules/test_{name}.py" for name in ("votes", "quorum", "duties", "claims", "deadlines", "switch", "dial")
    ],
    "models": ["tests/rules/test_machine.py", "tests/bot/desk/test_engine_model.py"],
    "parts": [
        "tests/handlers/slack/test_slack_packet.py",
        "tests/handlers/slack/test_slack_edge.py",
        "tests/bot/delivery",
        "tests/bot/test_directory.py",
        "tests/bot/store/test_writer.py",
    ],
    "scenarios": ["tests/scenarios"],
    "invariants": ["tests/invariants"],
    "kills": ["tests/crash/test_engine_kills.py", "tests/crash/test_server_kills.py"],
    "syscalls": ["tests/crash/test_order_of_syscalls.py"],
    "faults": ["tests/faults"],
}
AT_ONCE = 2
FOUND = pytest.ExitCode.TESTS_FAILED
_FIRST = ("bot.app", "bot.demo", "hypothesis", "tests.world", "tests.crash.lives", "standardwebhooks")

_QUIETLY = ("-x", "-q", "-W", "ignore:Module already imported")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of some tests with one bug (or none): pytest's exit code, how long it took, and what it said."""

    bug: str
    layer: str
    code: int
    seconds: float
    said: str

    @property
    def found(self) -> bool:
        """Tell whether a test failed; any other end is no finding."""
        return self.code == FOUND


def runs(wanted: Sequence[tuple[str, str, Sequence[str]]]) -> Iterator[Run]:
    """Run each (bug, layer, tests), a few at once, and give them as they end."""
    for name in _FIRST:
        import_module(name)
    left = list(reversed(wanted))
    under_way: dict[int, tuple[str, str, float, int]] = {}
    while left or under_way:
        while left and len(under_way) < AT_ONCE:
            bug, layer, tests = left.pop()
            said, name = mkstemp()
            Path(name).unlink()
            under_way[_forked(bug, tests, said)] = (bug, layer, time.monotonic(), said)
        pid, status = os.wait()
        bug, layer, begun, said = under_way.pop(pid)
        os.lseek(said, 0, os.SEEK_SET)
        with os.fdopen(said, "rb") as file:
            text = file.read().decode(errors="replace")
        yield Run(bug, layer, os.waitstatus_to_exitcode(status), round(time.monotonic() - begun, 1), text[-2000:])


def _forked(bug: str, tests: Sequence[str], said: int) -> int:
    pid = os.fork()
    if pid == 0:
        os.dup2(said, 1)
        os.dup2(said, 2)
        code = 99
        try:
            code = pytest.main([*_QUIETLY, "-p", "tests.planted.plugin", "--plant", bug, *tests])
        except BaseException:  # noqa: BLE001 - a child must never return into the loop above
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


def quick(names: Sequence[str]) -> list[tuple[str, str, Sequence[str]]]:
    """Choose for each bug the test that finds it soonest."""
    return [(name, "finder", [BY_NAME[name].finder]) for name in names]


def control() -> list[tuple[str, str, Sequence[str]]]:
    """Choose every finder without any bug: a test that always fails finds nothing."""
    return [("", "control", sorted({bug.finder for bug in BUGS}))]


def thorough(names: Sequence[str]) -> list[tuple[str, str, Sequence[str]]]:
    """Choose for each bug every layer."""
    return [(name, layer, tests) for name in names for layer, tests in LAYERS.items()]


def table(found: Sequence[Run]) -> str:
    """Write the matrix as Markdown."""
    lines = [f"| bug | {' | '.join(LAYERS)} |", f"| --- | {'--- | ' * len(LAYERS)}"]
    for bug in BUGS:
        marks = {run.layer: "found" if run.found else "" for run in found if run.bug == bug.name}
        if marks:
            lines.append(f"| {bug.what} | {' | '.join(marks.get(layer, '?') for layer in LAYERS)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Print a line of JSON for each run; with `--layers` a control run comes first and the matrix last."""
    os.chdir(ROOT)
    names = [name for name in arguments if not name.startswith("--")] or list(BY_NAME)
    layers = "--layers" in arguments
    done = []
    for run in runs([*control(), *thorough(names)] if layers else quick(names)):
        done.append(run)
        print(json.dumps(asdict(run) | {"found": run.found}), flush=True)  # noqa: T201 - this is a command
    if layers:
        print(table(done))  # noqa: T201 - this is a command


if __name__ == "__main__":
    main(sys.argv[1:])
