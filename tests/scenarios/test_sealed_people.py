"""Who stands behind a pseudonym is sealed, found again, and bound: in plain nowhere, and in no row to be turned."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

import pytest

from approval_rules.people import Account, PersonId, system
from approval_rules.text import AgentText
from bot.keys import KeyFileError
from bot.slack_standin.workspace import TEAM, User
from bot.store import erasing, people
from bot.store.bindings import Named, faults, note, unbound
from bot.store.commit import run_now
from bot.store.engine import open_reader, open_writer
from bot.store.people import Known
from bot.store.sealed import use_vault
from bot.store.transaction import Sources, Transaction
from tests.world import World

WHO, NAME = "U0ERIKAMARK", "Erika Mustermann"
OTHER = "U0BERNDMARK"


async def met(world: World, user: str = WHO, name: str = NAME) -> PersonId:
    """Let somebody be met by a click that does not count; gives the pseudonym."""
    world.workspace.add_user(User(user, name.split(maxsplit=1)[0].lower(), name), "C0REFUNDS01")
    await world.click(user, await world.packet_of(await world.propose(180)))
    await world.settled()
    return PersonId(world.person_of(user))


def holding(world: World, *words: str) -> list[str]:
    """Name the files that have one of the words in them."""
    files = [file for file in world.folder.rglob("*") if file.is_file()]
    return [file.name for file in files if any(word.encode() in file.read_bytes() for word in words)]


def found(world: World) -> list[str]:
    """Give what does not fit the log."""
    named: Named = {}
    with world.db() as db:
        for seq, body in db.execute("SELECT seq, body FROM entries"):
            note(named, seq, body)
        return list(faults(db, named))


def tamper(world: World, *statements: str, **values: object) -> None:
    """Change the file as somebody with rights on it can."""
    with closing(sqlite3.connect(world.database, isolation_level=None, timeout=10)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            db.execute(statement, values)


async def test_nobody_stands_in_any_file_in_plain(world: World) -> None:
    """Neither name nor id of whoever clicked; with the keys both are there, and a new name is taken up sealed."""
    person = await met(world)
    assert holding(world, WHO, "Mustermann") == []
    row = "SELECT team_id, user_id, name FROM people WHERE ref = ?"
    with world.db() as db:
        assert db.execute(row, (person,)).fetchone() == (TEAM, WHO, NAME)
    again = await world.running.wiring.writer.run(lambda tx: tx.person(Account(TEAM, WHO), "Erika Muster"))
    assert again == person
    with world.db() as db:
        assert db.execute(row, (person,)).fetchone() == (TEAM, WHO, "Erika Muster")
    assert holding(world, "Erika") == []
    assert found(world) == []


async def test_a_program_without_our_functions_reads_the_file(world: World) -> None:
    """A backup tool or the sqlite3 command sees every row of the table, with boxes instead of people."""
    person = await met(world)
    with closing(sqlite3.connect(world.database)) as db:
        assert db.execute("SELECT user_id, name FROM people WHERE ref = ?", (person,)).fetchone() == (None, None)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert WHO not in "\n".join(db.iterdump())


async def test_lost_keys_make_nobody_another_person(world: World) -> None:
    """The account is found by its mark: the same pseudonym, and the name is learnt anew. Somebody answers for it."""
    person = await met(world)
    vault = world.running.retention._vault
    vault.shred([str(key) for key in vault.names() if key.kind == "person-"])
    assert any(f"{person}: nobody can tell any more" in line for line in found(world))
    account = Account(TEAM, WHO)
    assert await world.running.wiring.writer.run(lambda tx: tx.person(account, NAME)) == person
    assert any(f"{person}: it was made for another account" in line for line in found(world))
    with world.db() as db:
        assert db.execute("SELECT name FROM people WHERE ref = ?", (person,)).fetchone() == (NAME,)
    living = {str(key) for key in vault.names()}
    writer, reason = world.running.wiring.writer, AgentText("the disk died")
    await writer.run(lambda tx: erasing.lose(tx, living, system("test"), reason))
    assert found(world) == []


async def test_without_the_keys_nobody_of_slack_is_met_anew(world: World) -> None:
    """A second pseudonym would be a second person: refused, but for accounts of the machine, which need no key."""
    await met(world)
    await world.stop()
    sources = Sources(
        world.clock, world.running.wiring.writer._sources.new_id, world.running.wiring.writer._sources.salts
    )
    use_vault(world.database, None)
    with closing(open_writer(world.database, checkpoints=False)) as db:
        with pytest.raises(KeyFileError, match="nobody can tell whether this person is known"):
            run_now(db, sources, lambda tx: tx.person(Account(TEAM, WHO), NAME))
        assert run_now(db, sources, people.seal_some) is False
        first = run_now(db, sources, lambda tx: tx.person(Account("os", "jane"), "jane"))
        assert run_now(db, sources, lambda tx: tx.person(Account("os", "jane"), "jane")) == first
    with closing(open_reader(world.database)) as db:
        assert list(faults(db, {})) == []
        earlier, closed = unbound(db)
    assert (earlier, closed > 1) == (0, True)
    await world.start()
    await world.running.retention.look()
    with world.db() as db:
        assert db.execute("SELECT user_id, key FROM main.people WHERE ref = ?", (first,)).fetchone() == ("jane", None)
    assert found(world) == []


async def test_plain_people_of_an_earlier_version_are_sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first sweep, a stretch at a time; who they are stays the same, and no page keeps the plain rows."""
    monkeypatch.setattr(people, "AT_ONCE", 2)
    person = await met(world)
    earlier = f"pers_{'0' * 26}"
    with world.db() as db:
        rows = db.execute("SELECT team_id, user_id, name, salt, ref FROM people").fetchall()
    await world.stop()
    with closing(sqlite3.connect(world.database, isolation_level=None)) as db:
        db.executemany(
            "UPDATE people SET team_id = ?, user_id = ?, name = ?, salt = ?, key = NULL, box = NULL, mark = NULL"
            " WHERE ref = ?",
            rows,
        )
        db.execute("INSERT INTO people (ref, team_id, user_id, name) VALUES (?, ?, ?, '')", (earlier, TEAM, OTHER))
    assert holding(world, WHO) != []
    await world.start()
    await world.running.retention.look()
    assert (world.person_of(WHO), world.person_of(OTHER)) == (person, earlier)
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM main.people WHERE key IS NULL AND team_id <> 'os'").fetchone() == (0,)
        assert unbound(db) == (1, 0)
    assert found(world) == []
    await world.stop()
    assert holding(world, WHO, OTHER, "Mustermann") == []
    await world.start()


async def test_whoever_was_noted_before_the_workspace_was_known_stays_bound(world: World) -> None:
    """The owner of an agent that was added before the first start: found by the workspace's id, and borne out."""
    writer = world.running.wiring.writer
    person = await writer.run(lambda tx: tx.person(Account("", WHO), ""))
    await writer.run(lambda tx: people.adopt(tx, TEAM))
    assert await writer.run(lambda tx: tx.person(Account(TEAM, WHO), NAME)) == person
    assert found(world) == []


async def test_many_people_cost_one_write_of_the_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that is met at once must not hold up the writer for each of its people."""
    vault = world.running.retention._vault
    changes: list[object] = []
    change = vault._change

    def counted(how: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]) -> None:
        changes.append(how)
        change(how)

    monkeypatch.setattr(vault, "_change", counted)
    accounts = [Account(TEAM, f"U0NUMBER{number:03}") for number in range(100)]

    def unit(tx: Transaction) -> list[PersonId]:
        return [tx.person(account, "") for account in accounts]

    made = await world.running.wiring.writer.run(unit)
    assert (len(set(made)), len(changes)) == (100, 1)
    assert [world.running.wiring.reads.person(account) for account in accounts] == made


IN_PLAIN = "UPDATE people SET team_id = 'T0', user_id = 'U0X', name = '', key = NULL, box = NULL, mark = NULL"
TAMPERED = {
    "another mark": (("UPDATE people SET mark = zeroblob(16) WHERE ref = :one",), "found again was changed"),
    "no mark": (("UPDATE people SET mark = NULL WHERE ref = :one",), "found again was changed"),
    "another box": (("UPDATE people SET box = zeroblob(40) WHERE ref = :one",), "sealed of the account was changed"),
    "a box that is none": (("UPDATE people SET box = NULL WHERE ref = :one",), "sealed of the account was changed"),
    "the box of another": (
        ("UPDATE people SET (key, box) = (SELECT key, box FROM people WHERE ref = :other) WHERE ref = :one",),
        "sealed of the account was changed",
    ),
    "another key": (("UPDATE people SET key = key || 'x' WHERE ref = :one",), "nobody can tell any more who that is"),
    "two swapped": (
        (
            "UPDATE people SET ref = 'aside' WHERE ref = :one",
            "UPDATE people SET ref = :one WHERE ref = :other",
            "UPDATE people SET ref = :other WHERE ref = 'aside'",
        ),
        "sealed of the account was changed",
    ),
    "a row deleted": (("DELETE FROM people WHERE ref = :one",), "was deleted, and no erasure was recorded"),
    "in plain, as somebody else": (
        (f"{IN_PLAIN}, salt = 's' WHERE ref = :one",),
        "was made for another account",
    ),
    "in plain, without a salt": (
        (f"{IN_PLAIN} WHERE ref = :one",),
        "was made for another account",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_whoever_changes_a_row_is_found(world: World, how: str) -> None:
    """Whose vote it was cannot be changed afterwards: the log bears the account out, and says which person it is."""
    one, other = await met(world), await met(world, OTHER, "Bernd Beispiel")
    with world.db() as db:
        before = db.execute("SELECT * FROM main.people WHERE ref IN (?, ?)", (one, other)).fetchall()
    assert found(world) == []
    statements, told = TAMPERED[how]
    tamper(world, *statements, one=one, other=other)
    lines = found(world)
    assert any(line.startswith(f"person {one}") and told in line for line in lines), lines
    tamper(world, "DELETE FROM people WHERE ref IN (:one, :other, 'aside')", one=one, other=other)
    with closing(sqlite3.connect(world.database, isolation_level=None, timeout=10)) as db:
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?)", before)
    assert found(world) == []


async def test_whoever_has_the_keys_too_cannot_turn_a_row(world: World) -> None:
    """Sealed rightly, with a mark that is right, for another account: the pseudonym itself says no."""
    one = await met(world)
    vault = world.vault()
    with closing(open_writer(world.database, checkpoints=False, vault=vault)) as db:
        kept = db.execute("SELECT * FROM main.people WHERE ref = ?", (one,)).fetchone()
        account = Account(TEAM, OTHER)
        known = Known(one, NAME, "c2FsdHNhbHRzYWx0c2FsdA", None, changed=True)
        people.write(db, vault, "2026-11-22", [(account, known)])
        assert any(f"{one}: it was made for another account" in line for line in found(world))
        second = people.met("c2FsdHNhbHRzYWx0c2FsdA", account, NAME)
        people.write(db, None, "2026-11-22", [(account, second)])
        assert any("it is the account of" in line for line in found(world))
        db.execute("DELETE FROM main.people WHERE ref = ?", (second.person,))
        db.execute("DELETE FROM main.people WHERE ref = ?", (one,))
        db.execute("INSERT INTO main.people VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)
    assert found(world) == []
