"""Somebody drops the triggers that keep the log append-only: everybody is told, and the next start puts them back."""

import sqlite3
from contextlib import closing

import pytest

from tests.world import World


async def schema(world: World) -> str | None:
    """What /readyz says of the tables; None where there is nothing to say."""
    answer = await world.http.get("/readyz")
    assert answer.status_code == 200
    return next((check["detail"] for check in answer.json()["checks"] if check["name"] == "schema"), None)


async def test_a_dropped_trigger_comes_back_with_an_entry(world: World) -> None:
    """It is said while the server runs; the start records which, and from then on nothing can be deleted again."""
    assert await schema(world) is None
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("DROP TRIGGER entries_never_go")
        db.execute("DROP TRIGGER tree_never_changes")
        db.execute("CREATE TRIGGER theirs AFTER INSERT ON facts BEGIN SELECT 1; END")
        db.commit()
    told = await schema(world)
    assert told is not None
    assert "the trigger entries_never_go is gone: somebody dropped it" in told
    assert "there is a trigger theirs on facts that this program did not make" in told
    assert (await world.post_proposal(42)).status_code == 201
    await world.restart()
    with world.db() as db:
        (entry,) = db.execute("SELECT body FROM entries WHERE type = 'log.guards_put_back'").fetchall()
    assert b'"names":["entries_never_go","tree_never_changes"]' in entry[0]
    told = await schema(world)
    assert told is not None
    assert "entries_never_go" not in told
    with closing(sqlite3.connect(world.database)) as db:
        with pytest.raises(sqlite3.IntegrityError, match="the log is append-only"):
            db.execute("DELETE FROM entries")
        db.execute("DROP TRIGGER theirs")
        db.commit()
    await world.restart()
    assert await schema(world) is None
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM entries WHERE type = 'log.guards_put_back'").fetchone() == (1,)
