"""What is kept goes when its term is over, wherever a copy of it lies, and the log says so and verifies."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from approval_rules.erasure_events import Erased, Why
from bot.audit.report import Report
from bot.audit.verify import verify
from bot.clock import new_token
from bot.data_keys import DataKeys
from bot.keys import KeyFileError
from bot.slack_standin.workspace import JONAS, MAYA
from bot.store import erasing
from bot.store.engine import open_reader
from bot.store.sealed import look_through
from tests.world import World

WORDS = "The parcel arrived broken, says Erika Mustermann."


def checked(world: World) -> Report:
    """Verify the log with the keys that there are."""
    with world.db() as db:
        return verify(db, None)


def living(world: World, proposal: str) -> set[str]:
    """Name the values of a proposal's first entry that can be read."""
    with world.db() as db:
        return {
            row[0]
            for row in db.execute(
                "SELECT d.name FROM detached d JOIN entries e ON e.seq = d.seq WHERE e.subject = ?"
                " AND e.type = 'proposal.submitted' AND d.value IS NOT NULL",
                (proposal,),
            )
        }


async def decided(world: World) -> str:
    """Let two people approve one proposal, and its agent use it."""
    proposal = await world.propose(180, summary=WORDS)
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.click(JONAS, packet)
    assert (await world.claim(proposal)).status_code == 200
    assert (await world.report(proposal)).status_code == 200
    await world.settled()
    return str(proposal["id"])


async def test_what_is_personal_goes_after_30_days_and_the_record_after_365(world: World) -> None:
    """Each class at its time, recorded once by day and term; what was decided stays readable all along."""
    proposal = await decided(world)
    before = living(world, proposal)
    assert {"summary", "context", "arguments", "digest"} <= before
    await world.move(days=29)
    await world.running.retention.look()
    assert living(world, proposal) == before
    await world.move(days=1)
    await world.running.retention.look()
    assert living(world, proposal) == before - {"summary", "context"}
    assert (await world.read({"id": proposal}))["state"] == "approved"
    report = checked(world)
    assert report.broken == []
    assert set(report.erased) == {("term", 30)}
    await world.move(days=335)
    await world.running.retention.look()
    await world.running.retention.look()
    assert living(world, proposal) == set()
    report = checked(world)
    assert (report.broken, set(report.erased)) == ([], {("term", 30), ("term", 365)})
    erased = world.ledger().events(Erased)
    assert {event.why for event in erased} == {Why.TERM}
    told = [(gone.day, gone.days) for event in erased for gone in event.gone]
    assert len(told) == len(set(told))
    assert (await world.read({"id": proposal}))["state"] == "approved"


async def test_nothing_of_it_is_left_in_any_file(world: World) -> None:
    """Not in the database, its WAL or free pages, and a backup from before opens no longer."""
    proposal = await decided(world)
    backup = world.folder / "backup.db"
    with closing(sqlite3.connect(world.database)) as db, closing(sqlite3.connect(backup)) as into:
        db.backup(into)
    await world.move(days=30)
    await world.running.retention.look()
    await world.stop()
    marker = b"Mustermann"
    assert not [path.name for path in world.folder.iterdir() if path.is_file() and marker in path.read_bytes()]
    with closing(open_reader(backup, world.vault())) as db:
        names = {row[0] for row in db.execute("SELECT name FROM detached WHERE value IS NOT NULL").fetchall()}
    assert "summary" not in names
    assert "arguments" in names
    assert proposal.encode() in world.database.read_bytes()


async def test_plain_values_are_sealed_and_wiped(world: World) -> None:
    """What an earlier version wrote, or a command without the keys, is plain until the next sweep, and then nowhere."""
    proposal = await decided(world)
    await world.stop()
    vault = world.vault()
    with closing(sqlite3.connect(world.database, isolation_level=None)) as db:
        look_through(db, vault)
        for seq, name, salt, value in db.execute("SELECT seq, name, salt, value FROM detached").fetchall():
            sql = "UPDATE main.detached SET key = NULL, box = NULL, mark = NULL, salt = ?, value = ?"
            db.execute(f"{sql} WHERE seq = ? AND name = ?", (salt, value, seq, name))
    assert b"Mustermann" in world.database.read_bytes()
    await world.start()
    await world.running.retention.look()
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM main.detached WHERE key IS NULL").fetchone() == (0,)
    assert "summary" in living(world, proposal)
    assert checked(world).broken == []
    assert b"Mustermann" not in world.database.read_bytes()
    assert b"Mustermann" not in Path(f"{world.database}-wal").read_bytes()  # noqa: ASYNC240 - a small file


async def test_a_crash_before_the_shredding_loses_nothing_and_repeats_nothing(world: World) -> None:
    """What was recorded is still readable then; the next sweep shreds it, and records nothing twice."""
    await decided(world)
    await world.move(days=30)
    await world.running.retention.look()
    with world.db() as db:
        keys = [row[0] for row in db.execute("SELECT key FROM sealed_with") if row[0].split(".")[1] == "365"]
    await world.move(days=335)
    await world.running.wiring.writer.run(lambda tx: erasing.end(tx, keys, world.ledger().events(Erased)[0].by))
    recorded = len(world.ledger().events(Erased))
    assert checked(world).broken == []
    await world.restart()
    await world.running.retention.look()
    assert not set(keys) & {str(key) for key in DataKeys(world.settings.data_keys_file, new_token).names()}
    days = {gone.day for event in world.ledger().events(Erased)[recorded:] for gone in event.gone}
    assert not days & {key.split(".")[0] for key in keys}
    assert checked(world).broken == []


async def test_one_more_gone_than_was_recorded_is_found(world: World) -> None:
    """An erasure is no cover: neither for a row that somebody deletes, nor for a key that somebody throws away."""
    await decided(world)
    await world.move(days=30)
    await world.running.retention.look()
    await world.stop()
    shutil.copy(world.database, world.folder / "copy.db")
    with closing(sqlite3.connect(world.folder / "copy.db", isolation_level=None)) as db:
        look_through(db, world.vault())
        assert verify(db, None).broken == []
        db.execute("DELETE FROM main.detached WHERE name = 'arguments'")
        (fault,) = verify(db, None).broken
        assert "and the erasure of" in fault.what
    file = world.settings.data_keys_file
    before = file.read_bytes()
    kept = json.loads(before)
    kept["keys"] = {name: key for name, key in kept["keys"].items() if name.split(".")[1] != "365"}
    file.write_text(json.dumps(kept), "ascii")
    assert checked(world).broken != []
    file.write_bytes(before)


async def test_a_server_does_not_start_without_the_keys(world: World) -> None:
    """Nobody could read what people wrote, and nobody would notice."""
    await decided(world)
    await world.stop()
    file = world.settings.data_keys_file
    before = file.read_bytes()
    file.unlink()
    with pytest.raises(KeyFileError, match="restore it from its backup"):
        await world.start()
    file.write_bytes(before)
    file.chmod(0o600)


async def test_a_large_erasure_is_dropped_in_stretches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sweep holds the writer for long, and none leaves boxes behind that nobody can open."""
    monkeypatch.setattr(erasing, "AT_ONCE", 3)
    await decided(world)
    await world.move(days=366)
    await world.running.retention.look()
    with world.db() as db:
        names = [row[0] for row in db.execute("SELECT DISTINCT key FROM main.detached").fetchall()]
    assert all(name.startswith("2027") for name in names)
    assert checked(world).broken == []
