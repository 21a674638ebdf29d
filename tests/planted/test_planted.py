"""The tests test something: bugs that somebody could write are found by them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.planted.bugs import BUGS, BY_NAME, Bug
from tests.planted.matrix import LAYERS, ROOT, Run, table
from tests.planted.planting import Change, NotPlantedError, changed

# One of each kind, and the quick ones; `-m long` takes all.
AT_EVERY_CHANGE = (
    "clicks-are-counted",
    "second-account-votes",
    "factor-forgotten-at-the-claim",
    "owner-votes",
    "denial-ignored",
    "digest-not-compared",
    "claim-in-a-pause",
    "pause-read-too-early",
    "deadline-included",
    "one-person-resumes",
    "key-without-body",
    "unknown-is-eligible",
    "ack-before-commit",
    "posted-again",
    "index-left-behind",
    "redaction-skipped",
    "dial-in-doubt",
    "limit-passed-together",
)


def planted(*arguments: str) -> list[dict[str, Any]]:
    """Run the matrix in a process of its own and give what it printed of each run."""
    command = [sys.executable, "-m", "tests.planted.matrix", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def missed(found: Sequence[dict[str, Any]]) -> list[str]:
    """Name the bugs that no run found, with what was said."""
    caught = {run["bug"] for run in found if run["found"]}
    return [
        f"{run['bug']} (pytest ended with {run['code']}): {run['said']}" for run in found if run["bug"] not in caught
    ]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_bug_fits_the_product(bug: Bug) -> None:
    """Each bug changes what it means to change; where the product has moved on, the bug must be moved too."""
    for change in bug.changes:
        assert changed(change)


@pytest.mark.parametrize("old", ["this stands nowhere", "return"])
def test_a_change_that_does_not_fit_is_refused(old: str) -> None:
    """Text that is not there, or there twice, is an error and not a bug that nobody can find."""
    with pytest.raises(NotPlantedError, match="not once"):
        changed(Change("approval_rules.duties:why_not", old, "pass"))


def test_the_matrix_shows_what_was_found() -> None:
    """The table has a row for each bug and says `found` only where a test failed: a crash of the run finds nothing."""
    bug = BUGS[0]
    codes = [1, 0, 3, 99, 5, *[0] * (len(LAYERS) - 6), 1]
    runs = [Run(bug.name, layer, code, 1.0, "") for layer, code in zip(LAYERS, codes, strict=True)]
    (row,) = table(runs).splitlines()[2:]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["found", *[""] * (len(LAYERS) - 2), "found"]


def test_planted_bugs_are_found() -> None:
    """A bug of each kind, planted for one run, makes the named test fail."""
    assert set(AT_EVERY_CHANGE) <= set(BY_NAME)
    assert missed(planted(*AT_EVERY_CHANGE)) == []


@pytest.mark.long
def test_every_planted_bug_is_found() -> None:
    """All bugs, each against every layer: at least one layer finds each, and without a bug none finds anything."""
    found = planted("--layers")
    assert [run["code"] for run in found if run["layer"] == "control"] == [0]
    assert missed([run for run in found if run["bug"]]) == []
