"""Who is away, as a row: always the newest event of a person, found again by the check and made by the upgrade."""

from pathlib import Path

from bot.slack_standin.workspace import JONAS, MAYA
from bot.store import check, schema
from bot.store.engine import open_writer
from tests.bot.store.earlier import go_back
from tests.world import World


async def test_the_row_is_the_fold_of_the_log(tmp_path: Path) -> None:
    """Away, away again and back leave one row; a changed one, a missing one and one too many are found."""
    async with World(tmp_path) as world:
        await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
        await world.say(JONAS, "away for 3 days")
        await world.say(MAYA, "back")
        await world.stop()
        with open_writer(world.database, checkpoints=True, vault=world.vault()) as db:
            # What bears pseudonyms out is of a later version, and is lost on the way back.
            assert [line for line in check.differences(db) if "was made for another account" not in line] == []
            assert db.execute("SELECT count(*), count(delegate) FROM absences").fetchone() == (2, 0)
            for change in (
                "UPDATE absences SET until = '2999-01-01T00:00:00.000000Z'",
                "DELETE FROM absences WHERE seq = (SELECT max(seq) FROM absences)",
            ):
                db.execute("SAVEPOINT a")
                db.execute(change)
                found = [*check._differences(db)]
                assert found
                assert all("is away" in line for line in found)
                db.execute("ROLLBACK TO a")
                db.execute("RELEASE a")


async def test_the_upgrade_reminds_again_of_what_is_open(tmp_path: Path) -> None:
    """What was reminded once, paused or not, is due again after four fifths of its time, as a new one would be."""
    async with World(tmp_path) as world:
        await world.propose(180)
        paused = await world.propose(181)
        await world.packet_of(paused)
        await world.move(minutes=30)
        await world.say(MAYA, "pause agent refund-bot")
        await world.move(minutes=20)
        await world.say(MAYA, "resume agent refund-bot")
        await world.move(hours=2)
        await world.propose(182)
        await world.stop()
        with open_writer(world.database, checkpoints=True, vault=world.vault()) as db:
            before = db.execute("SELECT id, next_at, deadline FROM proposals ORDER BY id").fetchall()
            assert sum(next_at < deadline for _, next_at, deadline in before) == 3
            db.execute(
                "UPDATE proposals SET next_at = deadline WHERE EXISTS"
                " (SELECT 1 FROM entries WHERE subject = id AND type = 'proposal.reminded')"
            )
            assert db.execute("SELECT id, next_at, deadline FROM proposals ORDER BY id").fetchall() != before
            go_back(db, "0004")
        schema.upgrade(world.database)
        with open_writer(world.database, checkpoints=True, vault=world.vault()) as db:
            assert db.execute("SELECT id, next_at, deadline FROM proposals ORDER BY id").fetchall() == before
            # What bears pseudonyms out is of a later version, and is lost on the way back.
            assert [line for line in check.differences(db) if "was made for another account" not in line] == []
        await world.start()
