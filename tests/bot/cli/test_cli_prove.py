"""`foureyes audit prove`: a pack on disk, its votes checked by the documented openssl commands alone."""

import asyncio
import json
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bot.cli import showing
from bot.slack_standin.workspace import MAYA
from tests.authenticator import Algorithm, Passkey
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.bot.evidence.packed import decision_of
from tests.passkey_world import PasskeyWorld

PAGE = Path(__file__).parents[3] / "docs" / "passkeys.md"
ED25519 = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.bin -sigfile signature.bin"


def documented(algorithm: Algorithm) -> str:
    """Give the commands of the page as an auditor would type them."""
    text = PAGE.read_text(encoding="utf-8")
    commands = next(block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "signed.bin" in block)
    if algorithm == "EdDSA":
        assert f"`{ED25519}`" in text
        commands = re.sub(r"openssl dgst -sha256 -verify .*", ED25519, commands)
    return f"set -eu\n{commands}"


def checked(folder: Path, algorithm: Algorithm, host: str = "localhost") -> subprocess.CompletedProcess[str]:
    """Run the documented commands in a folder."""
    return subprocess.run(  # noqa: S603 - the documentation's own commands
        ["/bin/sh", "-c", documented(algorithm)],
        cwd=folder,
        env={"HOST": host, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_an_auditor_checks_every_vote_with_openssl_alone(
    tmp_path: Path, ready: Shell, algorithm: Algorithm
) -> None:
    """Whatever the key is; and each changed file, and another host, is found by the same commands."""
    async with PasskeyWorld(tmp_path / "world") as world:
        key = Passkey(algorithm)
        await world.enrol(MAYA, key)
        await world.confirm(MAYA)
        proposal = await world.propose()
        shown = await world.page_for(MAYA, await world.packet_of(proposal))
        assert (await world.post(shown, key.answer(shown.challenge, world.lie()))).status_code == 200
        ready.set(FOUREYES_DATABASE_URL=f"sqlite+aiosqlite:///{world.database}")
        ready.set(FOUREYES_SIGNING_KEY_FILE=world.settings.signing_key_file)
        ended = ready("audit", "prove", proposal["id"], "--to", str(tmp_path / "evidence"))
        log = [*showing.entries(proposal["id"], 0, 99)]
    assert ended.code == 0, ended.err
    (folder,) = (tmp_path / "evidence" / "votes").iterdir()
    told = checked(folder, algorithm)
    assert told.returncode == 0, told.stdout + told.stderr
    voted = next(entry for entry in log if entry["type"] == "vote.counted")
    assert voted["data"]["proof"]["intent"].removeprefix("sha256:") in told.stdout
    assert proposal["digest"] in told.stdout
    assert checked(folder, algorithm, host="evil.example").returncode != 0
    for file, change in CHANGES.items():
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(change(before))
        assert checked(folder, algorithm).returncode != 0, file
        (folder / file).write_bytes(before)
    assert checked(folder, algorithm).returncode == 0


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "intent.json": lambda text: text.replace(b'"decision":"approve"', b'"decision":"deny"'),
    "client-data.json": lambda text: text.replace(b"webauthn.get", b"webauthn.got"),
    "authenticator-data.bin": lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
    "signature.bin": lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
}


async def test_a_zip_a_folder_and_what_is_there_already(living: Living) -> None:
    """Where nothing is named it is a folder of the id's name; what is there is never written over."""
    proposal = await living.world.propose()
    await living.world.settled()
    decision_of(living.world, proposal["id"])  # anchors what there is: between two ticks of the server more is proved
    ended = await living("audit", "prove", proposal["id"], "--to", "refund.zip")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("Wrote ")
    assert "Not final: something is still open" in ended.out
    found = (await living("audit", "prove", proposal["id"], "--json")).json()
    folder = living.shell.folder / found["to"]
    assert folder.name == f"evidence-{proposal['id']}"
    assert (found["broken"], found["final"], found["files"]) == (
        [],
        False,
        sum(path.is_file() for path in all_in(folder)),
    )
    checked = await asyncio.create_subprocess_exec("sha256sum", "--strict", "--status", "-c", "SHA256SUMS", cwd=folder)
    assert await checked.wait() == 0
    with zipfile.ZipFile(living.shell.folder / "refund.zip") as archive:
        assert set(archive.namelist()) == {str(path.relative_to(folder)) for path in all_in(folder) if path.is_file()}
    for target in ("refund.zip", found["to"]):
        again = await living("audit", "prove", proposal["id"], "--to", target)
        assert (again.code, "is there already; name a new one" in again.err) == (1, True)


async def test_an_id_that_nobody_has(living: Living) -> None:
    """It says so, with nothing invisible of what was typed, and writes nothing."""
    ended = await living("audit", "prove", "prop_\x1b[2Jnone", "--to", "none.zip")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "The log has no proposal prop_\\x1b[2Jnone that can be read.\n"
    assert not (living.shell.folder / "none.zip").exists()


async def test_a_pack_over_a_broken_log_says_so_and_the_command_exits_with_7(living: Living) -> None:
    """Damage anywhere in the log: the pack is made, called broken by everything in it, and by the exit code."""
    proposal = await living.world.propose()
    await living.world.settled()
    hurt(living.world.database, "UPDATE entries SET at = '2020' WHERE seq = 1")
    ended = await living("audit", "prove", proposal["id"], "--to", "broken.zip")
    assert ended.code == 7
    assert "BROKEN entry 1: " in ended.out
    assert "The log is BROKEN. Keep the database as it is" in ended.err
    with zipfile.ZipFile(living.shell.folder / "broken.zip") as archive:
        assert json.loads(archive.read("manifest.json"))["broken"] != []
        assert b"BROKEN: this log cannot be trusted" in archive.read("index.html")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET body = CAST('{}' AS BLOB)",
        "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'yellow', 'mellow') AS BLOB)",
        "DROP TABLE detached",
    ],
)
async def test_what_cannot_be_read_any_more_gives_no_pack_and_7(living: Living, damage: str) -> None:
    """It says what is wrong instead of a traceback, and writes nothing that could be taken for evidence."""
    proposal = await living.world.propose()
    await living.world.settled()
    hurt(living.world.database, damage)
    ended = await living("audit", "prove", proposal["id"], "--to", "none.zip")
    assert ended.code == 7
    assert "BROKEN " in ended.out
    assert not (living.shell.folder / "none.zip").exists()


def all_in(folder: Path) -> list[Path]:
    """Everything in a folder."""
    return [*folder.rglob("*")]


def hurt(database: Path, damage: str) -> None:
    """Change the database behind the product's back, and put the triggers back."""
    with closing(sqlite3.connect(database)) as db:
        triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        db.execute(damage)
        for _, sql in triggers:
            with suppress(sqlite3.OperationalError):  # a table that is gone has none
                db.execute(sql)
        db.commit()
