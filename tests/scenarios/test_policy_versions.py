"""Policy versions over restarts: what was active decides, whatever has become of the folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from approval_rules.policy_events import PolicyActivated
from bot.policy_files import PolicyFolderError
from bot.store.policies import PolicyStoreError
from tests.scenarios.test_policy_at_claim import activated_elsewhere
from tests.scenarios.test_policy_reload import STRICTER, alarmed
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


@pytest.mark.parametrize("harm", ["broken", "missing"])
async def test_a_broken_or_missing_folder_is_refused_at_the_start(tmp_path: Path, harm: str) -> None:
    """A server does not start on a folder that it cannot read, says what is wrong, and starts once it is mended."""
    async with World(tmp_path) as world:
        await world.stop()
        file = world.policy / f"{TOOL}.yml"
        good = file.read_text("utf-8")
        if harm == "broken":
            file.write_text("policy: [", "utf-8")
        else:
            world.policy.rename(world.policy.with_name("elsewhere"))
        with pytest.raises(PolicyFolderError, match=rf"{TOOL}.yml:1:" if harm == "broken" else "cannot be read"):
            await world.start()
        if harm == "missing":
            world.policy.with_name("elsewhere").rename(world.policy)
        file.write_text(good, "utf-8")
        await world.start()
        assert (await world.propose(42))["state"] == "approved"


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


async def test_a_version_tampered_with_beside_the_server_alarms(tmp_path: Path) -> None:
    """A version that came into force beside the server and is not what its name says: readiness says so, not a log."""
    async with World(tmp_path) as world:
        before = (await world.propose(42))["policy"]["version"]
        with closing(sqlite3.connect(world.database)) as db:
            db.execute("DROP TRIGGER policy_content_never_changes")
            db.commit()
        await activated_elsewhere(world, STRICTER)
        with closing(sqlite3.connect(world.database)) as db:
            db.execute("UPDATE policy_content SET content = CAST(replace(CAST(content AS TEXT), '> 0', '> 9') AS BLOB)")
            db.commit()
        await world.running.watch.look()
        assert await alarmed(world)
        ready = (await world.http.get("/readyz")).json()
        assert "active version in the database cannot be used" in str(ready["checks"])
        assert (await world.propose(42))["policy"]["version"] == before
        assert (await world.claim(await world.propose(43))).status_code == 503
        await world.stop()
        with pytest.raises(PolicyStoreError, match="was changed"):
            await world.start()
