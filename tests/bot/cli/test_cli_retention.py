"""`retention`, and what `audit verify` and `doctor` say of keys and of what is erased."""

import json

import pytest

from bot.clock import new_token
from bot.data_keys import DataKeys
from tests.bot.cli.shell import Shell


@pytest.fixture
def kept(ready: Shell) -> Shell:
    """A log with a reason that a person wrote."""
    assert ready("pause", "--tool", "a.b", "it is Maya's").code == 0
    return ready


def detail(shell: Shell) -> tuple[str, str]:
    """Give what the doctor says of the data keys."""
    (row,) = [row for row in shell("doctor", "--json").json() if row["check"] == "data keys"]
    return row["state"], row["detail"]


def test_the_terms_and_what_goes_next_are_listed(kept: Shell) -> None:
    """One row a term; programs get JSON."""
    (row,) = kept("retention", "--json").json()
    assert (row["kept_for_days"], row["days"], row["overdue"]) == (365, 1, 0)
    assert row["next_goes"] > row["oldest"]
    assert kept("retention").out.startswith("365\t")


def test_before_the_first_entry_nothing_is_kept(ready: Shell) -> None:
    """There is no file then, and that is no fault."""
    ended = ready("retention")
    assert ended.code == 1
    assert "no data keys here" in ended.err
    assert detail(ready) == ("ok", "foureyes.data-keys is made with the first entry")


def test_what_people_wrote_is_sealed_from_the_command_line_too(kept: Shell) -> None:
    """Nothing of it stands in the file."""
    files = [path for path in kept.folder.iterdir() if path.name.startswith("foureyes.db")]
    assert files
    assert not [path for path in files if b"it is Maya" in path.read_bytes()]
    assert "it is Maya" in kept("audit", "show").out


def test_lost_keys_are_damage_until_somebody_answers_for_it(kept: Shell) -> None:
    """The log says who went on without them, and why; then it verifies, and says what is lost."""
    file = kept.folder / "foureyes.data-keys"
    file.unlink()
    ended = kept("audit", "verify")
    assert ended.code == 7
    assert "BROKEN foureyes.data-keys is missing, and 1 value is sealed with its keys" in ended.out
    assert kept("audit", "show").code == 0
    state, told = detail(kept)
    assert (state, "restore it from its backup" in told) == ("FAIL", True)
    assert kept("retention", "--keys-lost").code == 2
    ended = kept("retention", "--keys-lost", "--reason", "the disk died")
    assert (ended.code, ended.out) == (0, "Recorded as lost: 1. The log goes on to verify, and says so.\n")
    ended = kept("audit", "verify")
    assert ended.code == 0
    assert "erased: 1 value, their keys were lost, kept for 365 days" in ended.out
    assert kept("audit", "verify", "--json").json()["erased"] == [{"why": "lost", "days": 365, "values": 1}]
    assert "the disk died" in kept("audit", "show").out
    assert kept("retention", "--keys-lost", "--reason", "again").out.startswith("Recorded as lost: 0.")


def test_keys_that_others_can_reach_open_nothing(kept: Shell) -> None:
    """A command that must work goes on without them; what it wrote waits for the server."""
    file = kept.folder / "foureyes.data-keys"
    file.chmod(0o644)
    assert kept("pause", "--tool", "a.c", "quick").code == 0
    assert kept("retention", "--keys-lost", "--reason", "x").code == 1
    ended = kept("audit", "verify")
    assert ended.code == 0
    assert "1 value is sealed, and foureyes.data-keys cannot be read here" in ended.err
    state, told = detail(kept)
    assert (state, "chmod 600" in told) == ("FAIL", True)


def test_overdue_days_are_seen(kept: Shell) -> None:
    """The doctor says so where no server has erased them for a day."""
    file = kept.folder / "foureyes.data-keys"
    DataKeys(file, new_token).make("2026-01-31", 30)
    assert [row["overdue"] for row in kept("retention", "--json").json()] == [1, 0]
    state, told = detail(kept)
    assert (state, told.startswith("1 day is overdue")) == ("WARN", True)
    read = json.loads(file.read_bytes())
    read["keys"] = {}
    file.write_text(json.dumps(read), "ascii")
    assert kept("audit", "verify").code == 7
