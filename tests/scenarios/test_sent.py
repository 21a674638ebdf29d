"""What was sent is sealed in the outbox, is sent as it was planned, and goes with its term and with an erasure."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.slack_standin.workspace import MAYA
from bot.store import unsaying
from bot.store.engine import open_reader
from bot.store.transaction import Transaction
from tests.bot.delivery.receiver import Receiver
from tests.world import World

WORD = "Mustermann"
OPENED = "SELECT sent_payload(name, payload) FROM outbox WHERE kind = 'callback'"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen for callbacks on loopback."""
    async with Receiver() as made:
        yield made


async def told(world: World, receiver: Receiver, **more: str) -> str:
    """Let a proposal be denied, and its agent hear of it; gives its id."""
    words = {"summary": f"The parcel of Erika {WORD} arrived broken.", **more}
    proposal = await world.propose(180, callback_url=receiver.url(), **words)
    await world.deny(MAYA, await world.packet_of(proposal), f"{WORD} had a refund already")
    await world.settled()
    return str(proposal["id"])


def backup_of(world: World) -> Path:
    """Copy the database as the documentation says."""
    path = world.folder / "backup.db"
    with closing(sqlite3.connect(world.database)) as db, closing(sqlite3.connect(path)) as into:
        db.backup(into)
    return path


def holding(world: World) -> list[str]:
    """Name the files that have the word in them."""
    files = [file for file in world.folder.rglob("*") if file.is_file()]
    return [file.name for file in files if WORD.encode() in file.read_bytes()]


def opened(path: Path, world: World) -> list[str | None]:
    """Give what the callbacks in a database say, with the keys that there are."""
    with closing(open_reader(path, world.vault())) as db:
        return [row[0] for row in db.execute(OPENED)]


async def test_what_was_sent_stands_nowhere_in_plain(world: World, receiver: Receiver) -> None:
    """The agent gets the words; no file has them, and only the keys open them."""
    await told(world, receiver)
    assert WORD.encode() in receiver.requests[0].body
    assert holding(world) == []
    (text,) = opened(world.database, world)
    assert text is not None
    assert WORD in text
    with closing(open_reader(world.database)) as db:
        assert (db.execute("SELECT count(*) FROM outbox WHERE instr(payload, ?)", (WORD,))).fetchone() == (0,)


async def test_it_goes_with_its_term_in_every_copy(world: World, receiver: Receiver) -> None:
    """After 30 days the row is gone and its key is, so that a backup from before opens no longer."""
    await told(world, receiver)
    backup = backup_of(world)
    assert opened(backup, world) != [None]
    await world.move(days=29)
    await world.running.retention.look()
    assert len(opened(world.database, world)) == 1
    await world.move(days=1)
    await world.running.retention.look()
    assert opened(world.database, world) == []
    assert opened(backup, world) == [None]


async def test_a_shorter_term_of_the_policy_holds_for_it_too(world: World, receiver: Receiver) -> None:
    """`retain_days: 7` is for everything of a proposal, also for what its agent was told."""
    file = world.policy / "payments.refund.yml"
    file.write_text(file.read_text("utf-8").replace("retain_days: 365", "retain_days: 7"), "utf-8")
    await world.running.watch.look()
    await told(world, receiver)
    await world.move(days=7)
    await world.running.retention.look()
    assert opened(world.database, world) == []


async def test_a_row_whose_key_is_lost_is_dropped_and_never_sent(world: World, receiver: Receiver) -> None:
    """It stops nobody: what comes after it is sent."""
    receiver.answers[:] = [b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"]
    proposal = await world.propose(180, callback_url=receiver.url())
    await world.deny(MAYA, await world.packet_of(proposal), "no")

    async def tried() -> bool:
        return bool(receiver.requests)

    await world.until(tried, "the first try")
    vault = world.running.retention._vault
    vault.shred([str(key) for key in vault.names() if key.kind == "sent-"])
    await world.move(minutes=10)
    await world.propose(181)
    assert len(receiver.requests) == 1
    await world.move(days=31)
    await world.running.retention.look()
    assert opened(world.database, world) == []


async def test_plain_rows_of_an_earlier_version_are_sealed(world: World, receiver: Receiver) -> None:
    """At the first sweep after a start, a stretch at a time, and what is still to be sent is sent."""
    await told(world, receiver)
    (text,) = opened(world.database, world)
    await world.stop()
    with closing(sqlite3.connect(world.database, isolation_level=None)) as db:
        db.execute("UPDATE outbox SET payload = ? WHERE kind = 'callback'", (text,))
    assert holding(world) != []
    await world.start()
    await world.running.retention.look()
    assert opened(world.database, world) == [text]
    await world.stop()
    assert holding(world) == []


async def test_one_row_changed_for_another_is_not_sent(world: World, receiver: Receiver) -> None:
    """A payload opens under the name of its own row alone; a changed one opens nowhere."""
    await told(world, receiver)
    with world.db() as db:
        name, payload = db.execute("SELECT name, payload FROM outbox WHERE kind = 'callback'").fetchone()
        for other, box in (
            (f"{name}x", payload),
            (name, payload.replace('"box":"', '"box":"AAAA')),
            (name, '{"box":1}'),
        ):
            assert db.execute("SELECT sent_payload(?, ?)", (other, box)).fetchone() == (None,)
        for plain in ("{}", '{"note":"box"}', '{"note":"\\"box\\""}'):
            assert db.execute("SELECT sent_payload(?, ?)", (name, plain)).fetchone() == (plain,)


async def test_an_erasure_moves_what_stays_under_another_key(world: World, receiver: Receiver) -> None:
    """Of a day's rows one goes; the others can be read afterwards, in the database and in no backup."""
    gone = await told(world, receiver)
    kept = await told(world, receiver, summary="Nothing to see.")
    backup = backup_of(world)
    vault = world.vault()
    assert vault is not None

    def unit(tx: Transaction) -> None:
        unsaying.unsay(tx, vault, [gone], [])

    await world.running.wiring.writer.run(unit)
    await world.running.retention.look()
    first, second = opened(world.database, world)
    assert (first, kept in str(second)) == ("{}", True)
    assert opened(backup, world) == [None, None]
    await world.running.wiring.writer.run(lambda tx: unsaying.unsay(tx, vault, [], ["Nothing to see"]))
    await world.running.retention.look()
    assert opened(world.database, world) == ["{}", "{}"]
