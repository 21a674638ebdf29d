"""A log is held against what others hold of it: agreement covers a range, and every contradiction is found."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.audit.against import Held, hold_against
from bot.audit.merkle import EMPTY_ROOT
from bot.audit.signed_note import Checkpoint
from bot.audit.statements import statements_in
from bot.audit.verify import verify
from bot.grants import LogHead
from bot.keys import generate
from bot.store.engine import open_writer
from tests.bot.audit.signing import KEY, KEYS, checkpoint_of, note_of
from tests.bot.audit.test_statements import grant_of
from tests.bot.store.long_log import ENTRIES_EACH, write_log
from tests.world import empty_database

THEN = 3 * ENTRIES_EACH
NOW = 6 * ENTRIES_EACH


class Logs:
    """A log, and the same one with its newer half rewritten by whoever had the key."""

    def __init__(self, folder: Path) -> None:
        self.true, self.false = folder / "true.db", folder / "false.db"
        self.true.write_bytes(empty_database())
        self._grow(self.true, 3)
        shutil.copy(self.true, self.false)
        self._grow(self.true, 3)
        self._grow(self.false, 5)
        with closing(sqlite3.connect(self.true)) as db:
            self.early, self.late = checkpoint_of(db, THEN), checkpoint_of(db)
            (leaf,) = db.execute("SELECT leaf_hash FROM entries WHERE seq = ?", (NOW - 1,)).fetchone()
        self.log = {"index": NOW - 1, "size": NOW, "head": leaf.hex(), "root": self.late.root.hex()}

    def _grow(self, path: Path, proposals: int) -> None:
        with closing(open_writer(path, checkpoints=True)) as db:
            write_log(db, proposals)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def held(self, path: Path, *texts: str, keys: list[bytes] = KEYS) -> Held:
        """Hold a log against some texts, the first of which is called `0`."""
        with closing(sqlite3.connect(path)) as db:
            assert verify(db, None).broken == []
            return hold_against(db, {str(name): statements_in(text) for name, text in enumerate(texts)}, keys)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Both logs; nobody changes them."""
    return Logs(tmp_path_factory.mktemp("logs"))


def forms(logs: Logs) -> dict[str, str]:
    """Say the same in each form."""
    note = note_of(logs.late)
    earlier = {"index": NOW - 1, "size": NOW, "head": logs.log["head"]}
    return {
        "checkpoint": note,
        "Slack message": json.dumps([{"type": "message", "ts": "17.1", "text": note}]),
        "callback": json.dumps({"type": "proposal.approved", "log": logs.log}),
        "grant": grant_of(LogHead(**logs.log)),
        "callback without a root": json.dumps({"log": earlier}),
    }


@pytest.mark.parametrize("form", ["checkpoint", "Slack message", "callback", "grant", "callback without a root"])
def test_a_whole_rewrite_with_the_key_stolen_is_found_by_each(logs: Logs, form: str) -> None:
    """The true log is covered up to what was said; the rewritten one, which verifies by itself, contradicts."""
    text = forms(logs)[form]
    good = logs.held(logs.true, text)
    assert (good.broken, good.notes, good.entries) == ([], [], NOW)
    (cover,) = good.covers
    assert (cover.source, cover.agree, cover.entries) == ("0", 1, NOW)
    assert form.startswith(cover.kind)
    bad = logs.held(logs.false, text)
    (fault,) = bad.broken
    assert f"of {NOW} entries has another" in fault
    assert "was rewritten" in fault
    assert (bad.covers, bad.entries) == ([], 0)


def test_what_agrees_with_the_older_part_covers_it(logs: Logs) -> None:
    """Each source is told apart; the largest that agrees counts, and one that contradicts does not hide it."""
    held = logs.held(logs.false, note_of(logs.early) + "\n" + note_of(logs.late), json.dumps({"log": logs.log}))
    assert [(cover.source, cover.entries) for cover in held.covers] == [("0", THEN)]
    assert [fault.partition(":")[0] for fault in held.broken] == ["0", "1"]


def test_a_cut_tail_and_another_log(logs: Logs) -> None:
    """A statement of more entries than there are, and a checkpoint of another name, are faults with their reasons."""
    longer = Checkpoint(logs.late.origin, NOW + 1, logs.late.root)
    other = Checkpoint("foureyes/other", THEN, logs.early.root)
    held = logs.held(logs.true, note_of(longer) + "\n" + note_of(other))
    assert held.broken == [
        (
            f"0: the checkpoint of {NOW + 1} entries has seen {NOW + 1} entries, and the log has {NOW}: the last ones"
            " are missing"
        ),
        (
            f"0: the checkpoint of {THEN} entries is of another log, foureyes/other: it is not of this installation,"
            " or this log was rewritten from its first entry"
        ),
    ]


def test_before_the_first_entry(logs: Logs) -> None:
    """The checkpoint of an empty log agrees with every log, and covers nothing."""
    held = logs.held(logs.true, note_of(Checkpoint("foureyes/empty", 0, EMPTY_ROOT)))
    assert ([(cover.agree, cover.entries) for cover in held.covers], held.broken) == ([(1, 0)], [])


def test_a_key_that_is_not_known(logs: Logs) -> None:
    """What a stranger signed covers nothing; where it contradicts it counts: the key may have been replaced."""
    stranger = [generate().public_bytes()]
    good = logs.held(logs.true, note_of(logs.late), keys=stranger)
    assert (good.covers, good.broken) == ([], [])
    assert good.notes == [f"0: the checkpoint of {NOW} entries agrees, but no key that is known here has signed it"]
    bad = logs.held(logs.false, note_of(logs.late), keys=stranger)
    assert bad.broken[0].endswith("(and no key that is known here has signed it)")
    forged = note_of(logs.late).replace(f"\n{NOW}\n", f"\n{THEN}\n")
    assert logs.held(logs.true, forged).broken[0].endswith("(and no key that is known here has signed it)")


def test_unread_lines_are_a_note(logs: Logs) -> None:
    """The half of a checkpoint that a stopped machine left is said, and is no fault of the log."""
    held = logs.held(logs.true, note_of(logs.early) + "\nfoureyes/\n12")
    assert held.notes == ["0: 2 of its lines are none of this, such as half a checkpoint"]
    assert held.broken == []


def test_a_restore_that_was_accepted_is_named_and_excuses_nothing(logs: Logs) -> None:
    """What was said of entries that a restore gave up is still a contradiction; of other entries nothing is added."""
    text = "\n".join(json.dumps({"log": {"size": size, "root": "00" * 32}}) for size in (THEN, THEN + 1))
    with closing(sqlite3.connect(logs.true)) as db:
        held = hold_against(db, {"0": statements_in(text)}, KEYS, lost=[range(THEN, THEN + 4)])
    assert [f"entry {THEN} says that a restore gave up" in fault for fault in held.broken] == [False, True]


def test_many_contradictions_are_counted(logs: Logs) -> None:
    """Fifty lines are enough for a person; how many more there are is said."""
    text = "\n".join(json.dumps({"log": {"size": size, "root": "00" * 32}}) for size in range(1, 61))
    broken = logs.held(logs.true, text).broken
    assert len(broken) == 51
    assert broken[-1] == "and 10 more of this kind"


def test_nothing_was_asked(logs: Logs) -> None:
    """Without a statement nothing is covered, also of an empty log; a body that is text by now is no obstacle."""
    assert logs.held(logs.true) == Held()
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE entries (seq INTEGER, body)")
        assert hold_against(db, {"a": statements_in(note_of(logs.early))}, [KEY.public_bytes()]).broken
        db.execute("INSERT INTO entries VALUES (0, 'text')")
        assert hold_against(db, {"a": statements_in(note_of(logs.early))}, KEYS).broken
