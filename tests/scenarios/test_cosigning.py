"""A tlog-witness cosigns the running server's log, and refuses what does not continue what it has signed."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from bot.anchoring import Anchoring
from bot.audit.cosignature import cosigned_at
from bot.audit.signed_note import checkpoint_in
from bot.cosigning import ASK_EVERY
from bot.keys import load
from bot.settings import SettingsError
from tests.tlog_witness import StandInWitness
from tests.world import World


@pytest.fixture
async def witness(world: World) -> AsyncIterator[StandInWitness]:
    """A witness of this world's log, which the server knows."""
    async with StandInWitness(load(world.settings.signing_key_file).public_bytes()) as made:
        await world.stop()
        world.tlog_witness = made.setting
        await world.start()
        yield made
        await world.stop()


async def ask(world: World) -> str:
    """Let a minute pass, ask, and give what /readyz says of it."""
    world.clock.move(ASK_EVERY)
    await world.running.witnesses.ask()
    checks = (await world.http.get("/readyz")).json()["checks"]
    return str(next(check["detail"] for check in checks if check["name"] == "tlog-witness"))


def kept(world: World) -> list[tuple[int, str]]:
    """The cosigned notes in the database."""
    with world.db() as db:
        return [tuple(row) for row in db.execute("SELECT size, note FROM cosignatures ORDER BY size")]


async def test_each_minute_in_which_the_log_grew(world: World, witness: StandInWitness) -> None:
    """The note with both signatures is kept, each continues the one before, and a quiet log asks nobody."""
    assert "cosigned by witness.example/1" in await ask(world)
    for amount in (42, 43):
        await world.propose(amount)
        await ask(world)
    size, note = kept(world)[-1]
    assert checkpoint_in(note, [load(world.settings.signing_key_file).public_bytes()]).size == size == witness.size
    assert cosigned_at(note, witness.key) == datetime.fromtimestamp(witness.at, UTC)
    asked = len(witness.asked)
    await world.running.witnesses.ask()
    await ask(world)
    assert len(witness.asked) == asked
    await world.restart()
    await world.propose(44)
    await ask(world)
    assert witness.asked[-1].startswith(f"old {size}\n")
    assert 'foureyes_witness_ok{witness="witness.example/1"} 1.0' in (await world.http.get("/metrics")).text


async def test_a_witness_that_knows_another_size_is_asked_again(world: World, witness: StandInWitness) -> None:
    """One whose answer was lost says where it stands, and gets the proof from there."""
    await ask(world)
    await world.propose(42)
    await ask(world)
    await world.stop()
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("DELETE FROM cosignatures")
        db.commit()
    await world.start()
    await world.propose(43)
    assert "cosigned by" in await ask(world)
    assert kept(world)[-1][0] == witness.size
    assert witness.asked[-2].startswith("old 0\n")


@pytest.mark.usefixtures("witness")
async def test_an_older_copy_put_back_is_seen_by_the_witness(world: World) -> None:
    """With key and anchor in a thief's hands the server starts; the witness does not sign, and says so to everybody."""
    await ask(world)
    await world.stop()
    older = shutil.copy(world.database, world.folder / "older.db")
    await world.start()
    for amount in (42, 43):
        await world.propose(amount)
    await world.settled()
    await ask(world)
    await world.stop()
    shutil.copy(older, world.database)
    world.settings.anchor_file.unlink()
    await anchored(world)
    assert "THE WITNESS HAS SEEN" in await ask(world)
    signed = len(kept(world))
    for amount in range(50, 60):
        await world.propose(amount)
    assert "DOES NOT CONTINUE WHAT IT SIGNED BEFORE" in await ask(world)
    assert len(kept(world)) == signed
    assert 'foureyes_witness_ok{witness="witness.example/1"} 0.0' in (await world.http.get("/metrics")).text
    assert (await world.http.get("/readyz")).status_code == 200


async def anchored(world: World) -> None:
    """Start a server on a log whose anchor a thief has signed anew."""
    key = load(world.settings.signing_key_file)
    Anchoring(world.database, world.settings.anchor_file, key, world.clock).close()
    await world.start()


async def test_what_it_answers_is_said(world: World, witness: StandInWitness) -> None:
    """Out of order, an unknown log, a signature over something else: each is said, and decisions go on."""
    witness.down = True
    assert "the witness answered 503" in await ask(world)
    witness.down, witness.knows_log = False, False
    assert "does not know this log" in await ask(world)
    witness.knows_log, witness.signs_wrong = True, True
    assert "has not signed this checkpoint" in await ask(world)
    assert kept(world) == []
    await witness.server.stop()
    assert "cannot be reached: connection-failed" in await ask(world)
    assert (await world.post_proposal(42)).status_code == 201
    await witness.server.start()


async def test_a_setting_that_names_no_witness(world: World) -> None:
    """It is said at the start, with how it is written."""
    await world.stop()
    for text in ("https://witness.example", "no-url name+id+key", "https://w.example a+00000000+BAAA"):
        world.tlog_witness = text
        with pytest.raises(SettingsError, match="write URL KEY"):
            await world.start()
    world.tlog_witness = ""
    await world.start()
