"""Starting: one server a database, an honest past, and words that say what to do."""

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.app import running
from bot.audit.anchor import AnchorError
from bot.clock import SteadyClock, TimeOrderedIds
from bot.home import HomeUnknownError
from bot.keys import KeyFileError
from bot.settings import SettingsError
from bot.slack_standin.faults import Refuse
from bot.store import schema
from bot.store.engine import StoreUnavailableError
from tests.world import World


async def test_a_second_server_on_the_same_file_is_refused(world: World) -> None:
    """Two servers on one SQLite file could tear it: the second does not start, and says who has the place."""
    with pytest.raises(StoreUnavailableError, match=r"another foureyes server \(process [0-9]+\)"):
        async with running(world.settings, SteadyClock(), TimeOrderedIds()):
            pytest.fail("two servers on one file")
    assert (await world.post_proposal(42)).status_code == 201


async def test_a_restart_remembers_everything(world: World) -> None:
    """Nothing pending, frozen, approved or half approved is lost by a restart; buttons posted before it work."""
    asked, approved = await world.propose(180), await world.propose(42)
    packet = await world.packet_of(asked)
    await world.click("U0MAYACHEN1", packet)
    await world.settled()
    await world.say("U0SAMOKAFO1", "pause tool payments.refund")
    await world.restart()
    assert (await world.claim(approved)).status_code == 423
    await world.say("U0JONASWEB1", "resume tool payments.refund")
    assert (await world.claim(approved)).status_code == 200
    assert "last one needed" in await world.click("U0JONASWEB1", packet, force=True)


async def test_an_older_database_is_refused(world: World) -> None:
    """An older copy put back is found at the start: approvals of yesterday cannot be used again."""
    await world.stop()
    shutil.copy(world.database, world.folder / "older.db")
    await world.start()
    await world.propose(42)
    await world.stop()
    shutil.copy(world.database, world.folder / "newer.db")
    shutil.copy(world.folder / "older.db", world.database)
    with pytest.raises(AnchorError, match="older copy was put back"):
        await world.start()
    shutil.copy(world.folder / "newer.db", world.database)
    await world.start()


async def test_a_lost_key_is_not_replaced(world: World) -> None:
    """A new key would make every anchor and permission before it a forgery: the start says what to restore."""
    await world.stop()
    key = world.settings.signing_key_file
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(KeyFileError, match="restore the key from its backup"):
        await world.start()
    assert not key.exists()
    key.touch(mode=0o600)
    key.write_bytes(kept)
    await world.start()


def test_a_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    """What customers wrote is not readable by every account of the machine."""
    path = tmp_path / "new.db"
    schema.upgrade(path)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["missing", "forged", "rewritten"])
async def test_a_past_that_cannot_be_trusted_is_refused(tmp_path: Path, damage: str) -> None:
    """No anchor, a forged one, or a history that differs from it: the server does not start."""
    async with World(tmp_path) as world:
        await world.propose(42)
        await world.stop()
        anchor = world.settings.anchor_file
        if damage == "missing":
            anchor.unlink()
        elif damage == "forged":
            anchor.write_text(re.sub(r"\n\d+\n", "\n4\n", anchor.read_text("utf-8"), count=1), "utf-8")
        else:
            rewrite_the_last_entry(world.database)
        with pytest.raises(AnchorError):
            await world.start()


def rewrite_the_last_entry(database: Path) -> None:
    """Do what an administrator of the database can do."""
    with closing(sqlite3.connect(database)) as db:
        db.execute("DROP TRIGGER entries_never_change")
        db.execute("UPDATE entries SET leaf_hash = zeroblob(32) WHERE seq = (SELECT max(seq) FROM entries)")
        db.commit()


async def test_a_crash_in_the_first_second_is_no_evidence(tmp_path: Path) -> None:
    """A server that is killed before its first tick starts again: a new log's anchor comes before its first entry."""
    world = World(tmp_path)
    await world.slack.start()
    try:
        await world.start()
        early = world.settings.anchor_file.read_bytes()
        await world.stop()
        world.settings.anchor_file.write_bytes(early)  # as if the process had died right after its first commit
        await world.start()
        world.verify_log()
        await world.stop()
    finally:
        await world.slack.stop()


async def test_a_token_that_slack_refuses_is_said_at_once(tmp_path: Path) -> None:
    """The first start needs Slack to know the workspace; a bad token is said with what to do."""
    world = World(tmp_path)
    await world.slack.start()
    world.slack.fail("auth.test", Refuse("invalid_auth"), times=5)
    try:
        with pytest.raises(HomeUnknownError, match="SLACK_BOT_TOKEN"):
            await world.start()
    finally:
        await world.slack.stop()


async def test_a_token_of_another_workspace_is_refused(world: World) -> None:
    """A database belongs to one workspace; a token of another does not start on it."""
    await world.stop()
    world.workspace.id = "T0ELSEWHERE"
    with pytest.raises(HomeUnknownError, match="belongs to workspace"):
        await world.start()
    world.workspace.id = "T0FOUREYES"
    await world.start()


async def test_missing_secrets_are_named(world: World) -> None:
    """Without its Slack secrets the server does not start."""
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
        async with running(replace(world.settings, slack_signing_secret=""), SteadyClock(), TimeOrderedIds()):
            pytest.fail("started without a secret")


async def test_stopping_under_load_loses_nothing(world: World) -> None:
    """Every 201 that an agent heard before or while the server stopped is there after the restart."""
    through = httpx.ASGITransport(world.running.app)
    headers = {"Authorization": f"Bearer {world.agent.key}"}
    async with httpx.AsyncClient(transport=through, base_url="http://world", headers=headers) as client:
        tasks = [asyncio.create_task(world.post_proposal(42, client=client)) for _ in range(40)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await world.stop()
        answers = await asyncio.gather(*tasks)
    await world.start()
    assert {answer.status_code for answer in answers} <= {201, 503}
    accepted = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert accepted
    assert accepted <= set(world.ledger().proposals)
