"""The running server leaves its log's signed state in Slack and in a file; what each of them holds fits the log."""

import json
import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.audit.against import Held, hold_against
from bot.audit.statements import Kind
from bot.audit.witness_files import read_witness
from bot.keys import load
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import AGENT_OPS, SAM, Channel
from bot.store.engine import open_reader
from bot.witnessing import SAID_EVERY
from tests.world import World

AUDIT = "C0AUDITLOG1"


@pytest.fixture
async def witnessed(world: World) -> World:
    """A server with an audit channel and a file."""
    await world.stop()
    people = set(world.workspace.channels[AGENT_OPS].members)
    world.workspace.channels[AUDIT] = Channel(AUDIT, "audit-log", people)
    world.channels["audit"] = AUDIT
    world.write_roles({"users": ["U0MAYACHEN1", "U0JONASWEB1"]})
    world.witness_file = world.folder / "elsewhere.txt"
    await world.start()
    return world


async def said(world: World) -> list[Message]:
    """Give the messages of the audit channel, once all are told."""
    await world.running.witnesses.look()
    await world.settled()
    return world.slack.messages(AUDIT)


def export(world: World) -> Path:
    """Write the audit channel down as Slack exports it."""
    folder = world.folder / "export" / "audit-log"
    folder.mkdir(parents=True, exist_ok=True)
    found = [{"type": "message", "ts": each.ts, "text": each.text, "blocks": each.blocks} for each in told(world)]
    (folder / "2026-11-22.json").write_text(json.dumps(found), "utf-8")
    return folder.parent


def told(world: World) -> list[Message]:
    """Give what stands in the audit channel."""
    return world.slack.messages(AUDIT)


def held(world: World, path: Path) -> Held:
    """Hold the log against what a witness has."""
    keys = [load(world.settings.signing_key_file).public_bytes()]
    with closing(open_reader(world.database)) as connection:
        return hold_against(connection, {path.name: read_witness(path)}, keys)


def size_of(world: World) -> int:
    """Count the log's entries."""
    with world.db() as db:
        return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])


async def test_slack_hears_each_hour_and_at_each_pause(witnessed: World) -> None:
    """At once, then when an hour is over and the log grew, then with a pause; never because it looked."""
    assert len(await said(witnessed)) == 1
    await witnessed.propose(42)
    assert len(await said(witnessed)) == 1
    await witnessed.move(seconds=SAID_EVERY.total_seconds())
    assert len(await said(witnessed)) == 2
    await witnessed.move(seconds=SAID_EVERY.total_seconds())
    before = len(await said(witnessed))
    await witnessed.say(SAM, "pause all it loops")
    messages = await said(witnessed)
    assert len(messages) == before + 1
    size = size_of(witnessed)
    assert messages[-1].text == f"The audit log has {size} entries."
    assert messages[-1].pings == []
    await witnessed.restart()
    assert len(await said(witnessed)) == before + 1
    found = held(witnessed, export(witnessed))
    assert (found.broken, found.entries) == ([], size)
    assert {cover.kind for cover in found.covers} == {Kind.SLACK}


async def test_a_message_that_slack_did_not_take_comes_later(witnessed: World) -> None:
    """It waits in the outbox as any other; the state that was signed is said, however late, and perhaps twice."""
    first = {message.text for message in await said(witnessed)}
    witnessed.slack.fail("chat.postMessage", ServerError(), times=1)
    await witnessed.say(SAM, "pause tool payments.refund it loops")
    await witnessed.running.witnesses.look()
    await witnessed.restart()
    new = {message.text for message in await said(witnessed)} - first
    assert len(new) == 1


async def test_the_file_gets_every_checkpoint_once(witnessed: World) -> None:
    """With the start the newest, then each that is kept, and the last when the server ends; others can only append."""
    path = witnessed.witness_file
    assert path is not None
    for _ in range(2):
        await witnessed.propose(42)
        await witnessed.restart()
    await witnessed.stop()
    found = held(witnessed, path)
    assert (found.broken, found.notes) == ([], [])
    assert found.entries == size_of(witnessed)
    assert [cover.kind for cover in found.covers] == [Kind.CHECKPOINT]
    sizes = [statement.size for statement in read_witness(path).statements]
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 1
    await witnessed.start()


async def test_a_file_that_cannot_be_written_stops_nothing(witnessed: World) -> None:
    """Decisions go on; /readyz says it and stays ready, the metric is 0; when it can be written again, it goes on."""
    path = witnessed.witness_file
    assert path is not None
    await witnessed.stop()
    path.unlink(missing_ok=True)
    path.mkdir()
    await witnessed.start()
    await witnessed.running.witnesses.look()
    assert (await witnessed.post_proposal(42)).status_code == 201
    ready = await witnessed.http.get("/readyz")
    assert ready.status_code == 200
    assert f"{path} cannot be written: Is a directory" in ready.text
    assert 'foureyes_witness_ok{witness="file"} 0.0' in (await witnessed.http.get("/metrics")).text
    path.rmdir()
    await witnessed.running.witnesses.look()
    ready = await witnessed.http.get("/readyz")
    assert "signed in" in ready.text
    assert held(witnessed, path).broken == []


async def test_half_a_note_of_a_stopped_machine_hides_nothing(witnessed: World) -> None:
    """What is appended after a torn line is found whole."""
    path = witnessed.witness_file
    assert path is not None
    await witnessed.stop()
    with path.open("ab") as file:
        file.write(b"\nfoureyes/0f0f\n12")
        os.fsync(file.fileno())
    await witnessed.start()
    await witnessed.propose(42)
    await witnessed.stop()
    found = held(witnessed, path)
    assert found.broken == []
    assert found.entries == size_of(witnessed)
    await witnessed.start()


async def test_no_channel_no_message(world: World) -> None:
    """Who names no audit channel gets no message in another."""
    await world.running.witnesses.look()
    await world.settled()
    assert world.slack.messages(AGENT_OPS) == []


async def test_a_channel_that_is_gone_from_the_policy(witnessed: World) -> None:
    """What was planned for it is a dead letter with its reason, and is not posted elsewhere."""
    before = len(await said(witnessed))
    witnessed.slack.fail("chat.postMessage", ServerError(), times=100)
    await witnessed.say(SAM, "pause tool payments.refund it loops")
    await witnessed.running.witnesses.look()
    del witnessed.channels["audit"]
    witnessed.write_roles({"users": ["U0MAYACHEN1", "U0JONASWEB1"]})
    await witnessed.running.watch.look()

    async def buried() -> bool:
        witnessed.clock.move(timedelta(minutes=1))
        witnessed.running.worker.wake()
        with witnessed.db() as db:
            found = db.execute("SELECT state, last_error FROM outbox WHERE kind = 'witness' ORDER BY id").fetchall()
        return tuple(found[-1]) == ("dead", "roles.yml names no channel `audit` any more")

    await witnessed.until(buried, "a dead letter")
    assert len(told(witnessed)) == before
