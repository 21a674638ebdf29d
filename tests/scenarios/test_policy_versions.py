"""Policy versions over restarts: what was active decides, whatever has become of the folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from approval_rules.events import PolicyActivated, PolicyLoaded
from bot.store.policies import PolicyStoreError
from tests.scenarios.test_policy_reload import STRICTER, alarmed, reloaded
from tests.world import TOOL, World


async def test_a_restart_with_the_same_folder_is_no_news(world: World) -> None:
    """Two starts in a row record one version once, quietly."""
    await world.restart()
    await world.restart()
    assert [event.why for event in world.ledger().events(PolicyActivated)] == ["first"]


async def test_a_change_while_the_server_was_down_is_found_at_the_start(world: World) -> None:
    """The folder at the start is compared with the active version."""
    before = (await world.propose(42))["policy"]["version"]
    await world.stop()
    (world.policy / f"{TOOL}.yml").write_text(STRICTER, "utf-8")
    await world.start()
    assert (await world.propose(42))["state"] == "pending"
    activated = world.ledger().events(PolicyActivated)
    assert [event.why for event in activated] == ["first", "changed"]
    assert activated[1].previous == before


async def test_a_broken_folder_does_not_keep_the_server_down(world: World) -> None:
    """A restart at three in the morning serves the active version from the database, and says so until it is mended."""
    await reloaded(world, STRICTER)
    version = (await world.propose(42))["policy"]["version"]
    await world.stop()
    (world.policy / f"{TOOL}.yml").write_text("policy: [", "utf-8")
    await world.start()
    assert await alarmed(world)
    asked = await world.propose(42)
    assert (asked["state"], asked["policy"]["version"]) == ("pending", version)
    assert [(event.version, event.change) for event in world.ledger().events(PolicyLoaded)] == [(version, "refused")]
    await reloaded(world, STRICTER)
    assert not await alarmed(world)
    world.verify_log()


async def test_a_tampered_version_store_is_refused(tmp_path: Path) -> None:
    """A server does not start on a version whose bytes were changed in the database, and says what to do."""
    async with World(tmp_path) as world:
        await world.stop()
        with closing(sqlite3.connect(world.database)) as db:
            db.execute("DROP TRIGGER policy_content_never_changes")
            db.execute(
                "UPDATE policy_content SET content = CAST(replace(CAST(content AS TEXT), '<= 50', '<= 5000') AS BLOB)"
            )
            db.commit()
        with pytest.raises(PolicyStoreError, match=rf"{TOOL}.yml was changed.*Restore the database"):
            await world.start()
