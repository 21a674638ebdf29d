"""`audit verify` with a tlog-witness: which entries it covers, and what only looks like its signature."""

import sqlite3
from contextlib import closing

from bot.audit.signed_note import signed_checkpoint
from bot.keys import load
from bot.store.engine import open_reader
from tests.bot.audit.signing import checkpoint_of
from tests.bot.audit.test_cosignature import KEY, line
from tests.bot.cli.shell import Shell
from tests.bot.cli.test_cli_audit import ADD


def keep(shell: Shell, size: int, *, forged: bool = False) -> None:
    """Put a cosigned note into the database, as the server does."""
    found = checkpoint_of(open_reader(shell.folder / "foureyes.db"), size)
    note = signed_checkpoint(found, load(shell.folder / "foureyes.key").signers)
    text = note.partition("\n\n")[0] + "\n"
    with closing(sqlite3.connect(shell.folder / "foureyes.db")) as db:
        whole = f"{note}{line(text + 'x' * forged)}\n"
        db.execute("INSERT INTO cosignatures VALUES ('witness.example', ?, ?, '2026')", (size, whole))
        db.commit()


def test_what_a_witness_signed_is_covered(ready: Shell) -> None:
    """Believed is the key in the settings; what is newer is said, and a signature over another text covers nothing."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    keep(ready, 1)
    assert "witness.example" not in ready("audit", "verify").out
    ready.set(FOUREYES_TLOG_WITNESS=f"https://w.example {KEY}")
    ended = ready("audit", "verify")
    assert (ended.code, ended.err) == (0, "")
    assert "witness.example: 1 cosignature, for entries 0 to 0, the newest of 2023-11-14 22:13:20 UTC." in ended.out
    assert "Not covered by any of these yet: the newest 1 entry." in ended.out
    keep(ready, 2, forged=True)
    ended = ready("audit", "verify")
    assert "witness.example: 1 cosignature, for entries 0 to 0, the newest of 2023-11-14 22:13:20 UTC." in ended.out
    assert "witness.example: 1 of its lines are none of this" in ended.err
    ready.set(FOUREYES_TLOG_WITNESS="https://w.example nokey")
    ended = ready("audit", "verify")
    assert (ended.code, "write URL KEY" in ended.err) == (3, True)


def test_a_log_made_anew_contradicts_its_witness(ready: Shell) -> None:
    """With key and database in one hand: the cosignature that was left in the database says what was there."""
    ready(*ADD)
    ready("pause", "--tool", "payments.refund", "looks odd")
    keep(ready, 2)
    (note,) = ready.rows("SELECT note FROM cosignatures")[0]
    for name in ("foureyes.db", "foureyes.db-wal", "foureyes.db-shm", "foureyes.head"):
        (ready.folder / name).unlink(missing_ok=True)
    ready("db", "upgrade")
    for _ in range(3):
        ready("pause", "--tool", "payments.refund", "all is well")
    with closing(sqlite3.connect(ready.folder / "foureyes.db")) as db:
        db.execute("INSERT INTO cosignatures VALUES ('witness.example', 2, ?, '2026')", (note,))
        db.commit()
    ready.set(FOUREYES_TLOG_WITNESS=f"https://w.example {KEY}")
    ended = ready("audit", "verify")
    assert ended.code == 7
    assert "witness.example: the cosignature of 2023-11-14 22:13:20 UTC of 2 entries is of another log" in ended.out
