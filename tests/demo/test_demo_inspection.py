"""What the demo says of its log is true: whole, or broken and where."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.demo.administrator import Administrator
from bot.demo.stage import Stage
from bot.store.engine import open_writer


def run_sql(folder: Path, *statements: str) -> None:
    """Change the database as somebody with its password."""
    with closing(open_writer(folder / "foureyes.db", checkpoints=False)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
async def played(stage: Stage) -> Stage:
    """A demo in which one refund ran."""
    answer = await stage.agent.propose(stage.agent._cases[0])
    await stage.agent.follow(stage.agent._cases[0], answer.body)
    return stage


async def test_a_forged_entry_is_named_and_the_guard_is_back(played: Stage, tmp_path: Path) -> None:
    """The verification names the very entry; the trigger that forbids changes stands again; restoring is exact."""
    before = played.inspection.ledger.entries()
    administrator = Administrator(tmp_path / "foureyes.db")
    forged = administrator.tamper()
    assert forged is not None
    verdict = await played.inspection.verify()
    assert verdict.seq == forged.seq
    assert verdict.text.startswith(f"Entry {forged.seq}: the stored hash is not the hash of the entry")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        run_sql(tmp_path, "UPDATE entries SET body = x'00' WHERE seq = 1")
    assert administrator.restore() == forged
    assert administrator.restore() is None
    assert played.inspection.ledger.entries() == before
    assert (await played.inspection.verify()).status == "ok"


async def test_an_index_that_differs_is_found(played: Stage, tmp_path: Path) -> None:
    """A row of the index that says something else than the log is told, although the log itself is whole."""
    run_sql(tmp_path, "UPDATE proposals SET state = 'denied'")
    verdict = await played.inspection.verify()
    assert verdict.status == "broken"
    assert verdict.seq is None
    assert "the index differs" in verdict.text


async def test_nonsense_in_a_row_is_shown_not_hidden(played: Stage, tmp_path: Path) -> None:
    """An entry that cannot be read is shown as unreadable, and the verification says so."""
    run_sql(tmp_path, "DROP TRIGGER entries_never_change", "UPDATE entries SET body = x'00' WHERE seq = 2")
    assert played.inspection.ledger.entries()[2].actor == "unreadable"
    verdict = await played.inspection.verify()
    assert verdict.seq == 2
    assert "more faults follow" in verdict.text


async def test_a_forged_anchor_is_found(played: Stage, tmp_path: Path) -> None:
    """An anchor file that the key did not sign is no anchor."""
    anchor = tmp_path / "foureyes.head"
    signed = anchor.read_bytes()
    anchor.write_text("{}", encoding="ascii")
    assert (await played.inspection.verify()).text.endswith("`foureyes audit checkpoint` makes a new one")
    anchor.write_bytes(signed)
