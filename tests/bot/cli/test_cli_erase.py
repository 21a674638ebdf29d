"""`erase`: nothing of one person or one subject is left, in no file and no backup, and the log verifies."""

import io
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM, User
from bot.store import erasing
from bot.store.engine import open_reader
from tests.bot.cli.living import Living
from tests.world import World

WORD = "Mustermann"
LEFT = "U0ERIKAMARK"
ABOUT = {
    "summary": f"The parcel of Erika {WORD} arrived broken.",
    "arguments": {"amount_usd": 180, "order_id": f"ORD-{WORD}", "customer_id": "C-17"},
    "context": {
        "facts": {"customer_tier": "standard", "mail": f"erika@{WORD}.example"},
        "history": [{"at": "2026-01-01", "text": f"{WORD} wrote"}],
        "steps_attempted": [f"asked {WORD}"],
        "evidence": [{"title": f"letter of {WORD}", "excerpt": WORD}],
        "if_declined": f"{WORD} waits",
        "rollback": f"ask {WORD}",
    },
}


def holding(folder: Path, word: str) -> list[str]:
    """Name the files that have a word in them."""
    return sorted(file.name for file in folder.rglob("*") if file.is_file() and word.encode() in file.read_bytes())


def backup_of(world: World) -> Path:
    """Copy the database as the documentation says."""
    path = world.folder / "backup.db"
    with closing(sqlite3.connect(world.database)) as db, closing(sqlite3.connect(path)) as into:
        db.backup(into)
    return path


async def closed(world: World, **more: object) -> str:
    """Let a proposal be denied with a reason."""
    proposal = await world.propose(**{**ABOUT, **more})  # type: ignore[arg-type]  # JSON
    await world.deny(MAYA, await world.packet_of(proposal), f"{WORD} had a refund already")
    await world.settled()
    return str(proposal["id"])


async def test_nothing_of_a_subject_is_left(living: Living) -> None:
    """Whatever an agent or a person wrote about it is gone from every file, and from the backup; the others live."""
    world = living.world
    gone = await closed(world)
    other = await world.propose(181)
    backup = backup_of(world)
    ended = await living("erase", "--subject", "customer_id=C-17", "--dry-run")
    assert ended.code == 0
    assert "of 1 proposal would go." in ended.out
    assert (await living("erase", "--subject", "customer_id=C-17")).code == 2
    ended = await living("erase", "--subject", "customer_id=C-17", "--reason", "request 42", "--yes")
    assert ended.code == 0, ended.err
    assert "Nothing opens them any more" in ended.out
    ended = await living("audit", "verify")
    assert ended.code == 0, ended.out
    assert "one subject's, kept for 30 days, on request" in ended.out
    assert "one subject's, kept for 365 days, on request" in ended.out
    assert (await world.read({"id": gone}))["state"] == "denied"
    await world.running.retention.look()
    assert (await living("audit", "verify")).code == 0
    assert other["id"] in (await living("pending", "--json")).out
    assert (await world.read(other))["arguments"]["amount_usd"] == 181
    await world.stop()
    assert backup.exists()
    assert holding(world.folder, WORD) == []


async def test_a_backup_from_before_opens_no_longer(living: Living) -> None:
    """What was erased cannot be read in it, and what was not can, with keys that did not exist when it was made."""
    world = living.world
    await closed(world)
    await world.settled()
    backup = backup_of(world)
    await living("erase", "--subject", "customer_id=C-17", "--reason", "request 42", "--yes")
    with closing(open_reader(backup, world.vault())) as db:
        assert db.execute("SELECT count(*) FROM detached WHERE value IS NOT NULL").fetchone() == (0,)


async def test_what_stays_moves_in_stretches(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """No unit holds the writer for long; whatever was not meant can be read afterwards as before."""
    monkeypatch.setattr(erasing, "AT_ONCE", 2)
    world = living.world
    await closed(world)
    other = await closed(world, arguments={"amount_usd": 180, "order_id": "ORD-2", "customer_id": "C-2"})
    await living("erase", "--subject", "customer_id=C-17", "--reason", "x", "--yes")
    with world.db() as db:
        sql = "SELECT count(*), count(d.value) FROM detached d JOIN entries e ON e.seq = d.seq WHERE e.subject = ?"
        there, readable = db.execute(sql, (other,)).fetchone()
    assert there == readable > 5
    assert (await living("audit", "verify")).code == 0


async def test_what_was_turned_away_is_erased_too(living: Living) -> None:
    """It is no proposal, and holds what its agent said of the run."""
    world = living.world
    refused = await world.http.post(
        "/v1/proposals",
        headers={"Idempotency-Key": "k"},
        json={"tool": "no.tool", "arguments": {}, "summary": "x", "run": {"id": f"r-{WORD}"}},
    )
    assert refused.status_code == 403
    ended = await living("erase", "--subject", f"id=r-{WORD}", "--reason", "x", "--yes")
    assert ended.code == 0
    assert "erased: " in (await living("audit", "verify")).out
    with world.db() as db:
        assert db.execute("SELECT count(*) FROM detached WHERE name = 'run' AND value IS NOT NULL").fetchone() == (0,)


async def test_the_name_is_typed_before_anything_goes(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another answer erases nothing."""
    await closed(living.world)
    asked = ("erase", "--subject", "customer_id=C-17", "--reason", "x")
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    ended = await living(*asked)
    assert (ended.code, ended.err) == (1, "Nothing was erased.\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO("customer_id=C-17\n"))
    ended = await living(*asked)
    assert ended.code == 0
    assert "Type 'customer_id=C-17' to erase it" in ended.out


async def test_what_is_going_on_stays(living: Living) -> None:
    """People must not decide about nothing."""
    proposal = await living.world.propose(**ABOUT)  # type: ignore[arg-type]  # JSON
    ended = await living("erase", "--subject", "customer_id=C-17", "--reason", "x", "--yes")
    assert ended.code == 0
    assert f"Stays, because it is still going on, or on hold: {proposal['id']}" in ended.out
    found = (await living("erase", "--subject", "customer_id=C-17", "--reason", "x", "--yes", "--json")).json()
    assert (found["values"], found["still_open"], found["erased"]) == (0, [proposal["id"]], 0)


async def test_a_person_who_has_left_is_forgotten(living: Living) -> None:
    """Name, account and words go; the pseudonym and what was decided stay."""
    world = living.world
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(JONAS, packet)
    ended = await living("erase", "--person", JONAS, "--reason", "x", "--yes")
    assert ended.code == 1
    assert "takes part in a proposal that is still going on" in ended.err
    await world.deny(PRIYA, packet, "I know better")
    await world.settled()
    ended = await living("erase", "--person", SAM, "--reason", "x", "--yes")
    assert "owns an agent: revoke it first" in ended.err
    (name,) = [user.real_name for user in world.workspace.users.values() if user.id == PRIYA]
    ended = await living("erase", "--person", PRIYA, "--reason", "left", "--yes")
    assert ended.code == 0, ended.err
    assert f"With them goes who this is: {name}" in ended.out
    assert (await living("erase", "--person", PRIYA, "--reason", "left", "--yes")).code == 1
    ended = await living("audit", "verify")
    assert ended.code == 0, ended.out
    assert "one person's, kept for 365 days, on request" in ended.out
    await world.running.retention.look()
    await world.stop()
    assert holding(world.folder, "know better") == []
    assert [file for file in holding(world.folder, name) if file.startswith("foureyes.db")] == []
    assert [file for file in holding(world.folder, PRIYA) if file.startswith("foureyes.db")] == []


async def test_reports_that_stay_are_named(living: Living) -> None:
    """A report on access names people, and is kept as it was: whoever asks for an erasure is told."""
    assert "comes to you alone" in await living.world.say(PRIYA, "access")
    await living.world.settled()
    with living.world.db() as db:
        (report,) = db.execute("SELECT digest FROM access_reports").fetchone()
    ended = await living("erase", "--person", JONAS, "--dry-run")
    assert f"goes within 30 days where nobody signs it: {report}" in ended.out
    found = (await living("erase", "--person", JONAS, "--dry-run", "--json")).json()
    assert found["reports"] == [report]


async def test_nobody_is_erased_by_a_slip(living: Living) -> None:
    """Both, neither, half of it, or nobody at all: said, and nothing is done."""
    for arguments in ((), ("--subject", "a=b", "--person", "x"), ("--subject", "C-17")):
        assert (await living("erase", *arguments, "--reason", "x", "--yes")).code == 2
    assert (await living("erase", "--person", "Nobody", "--reason", "x", "--yes")).code == 1
    await living("pause", "--tool", "a.b", "x")
    file = living.world.settings.data_keys_file
    file.chmod(0o644)
    ended = await living("erase", "--person", "root", "--reason", "x", "--yes")
    file.chmod(0o600)
    assert (ended.code, "the data keys cannot be read" in ended.err) == (1, True)


async def test_an_erasure_reaches_every_copy(living: Living) -> None:
    """Name and id of who has left are nowhere: in no file, not to be opened in a copy from before, over a rotation."""
    world = living.world
    world.workspace.add_user(User(LEFT, "erika", f"Erika {WORD}"), "C0REFUNDS01")
    proposal = await world.propose(180)
    await world.click(LEFT, await world.packet_of(proposal))
    await world.settled()
    person = world.person_of(LEFT)
    assert (await living("key", "rotate")).code == 0
    await world.click(LEFT, await world.packet_of(proposal))
    assert (await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")).status_code == 200
    await world.settled()
    assert world.person_of(LEFT) == person
    backup = backup_of(world)
    with closing(open_reader(backup, world.vault())) as db:
        assert db.execute("SELECT name FROM people WHERE ref = ?", (person,)).fetchone() == (f"Erika {WORD}",)
    assert (await living("audit", "verify")).code == 0
    ended = await living("erase", "--person", LEFT, "--reason", "has left", "--yes")
    assert ended.code == 0, ended.err
    with closing(open_reader(backup, world.vault())) as db:
        assert db.execute("SELECT count(*) FROM people WHERE ref = ?", (person,)).fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM people").fetchone() != (0,)
    ended = await living("audit", "verify")
    assert (ended.code, "pseudonym" in ended.err) == (0, False), ended.out
    world.settings.data_keys_file.chmod(0o644)
    ended = await living("audit", "verify")
    assert (ended.code, "whose pseudonyms they are was not checked" in ended.err) == (0, True), ended.out
    world.settings.data_keys_file.chmod(0o600)
    with world.db() as db:
        body = db.execute("SELECT body FROM entries WHERE type = 'values.erased' ORDER BY seq DESC").fetchone()[0]
    assert json.loads(body)["data"]["people"] == [person]
    await world.stop()
    assert holding(world.folder, LEFT) == holding(world.folder, WORD) == []
