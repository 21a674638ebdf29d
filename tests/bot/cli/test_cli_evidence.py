"""`foureyes audit evidence`: what it writes is checked by the openssl commands of the documentation alone."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import checking
from bot.slack_standin.workspace import JONAS, MAYA
from tests.authenticator import Algorithm, Passkey
from tests.bot.cli.shell import Shell
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
        ended = ready("audit", "evidence", proposal["id"], "--to", str(tmp_path / "evidence"))
        log = [*checking.entries(proposal["id"], 0, 99)]
    assert ended.code == 0, ended.err
    assert "passkey, code" in ended.out
    (folder,) = (tmp_path / "evidence").iterdir()
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


async def test_votes_without_a_factor_have_nothing_to_write(tmp_path: Path, ready: Shell) -> None:
    """It says so, for a proposal without votes too, and never writes over what is there."""
    async with PasskeyWorld(tmp_path / "world") as world:
        keys = await world.holding(MAYA, JONAS)
        ready.set(FOUREYES_DATABASE_URL=f"sqlite+aiosqlite:///{world.database}")
        proposal = await world.propose()
        packet = await world.packet_of(proposal)
        none = ready("audit", "evidence", proposal["id"], "--to", "none")
        assert (none.code, "has no votes" in none.err) == (1, True)
        for user, key in zip((MAYA, JONAS), keys, strict=True):
            shown = await world.page_for(user, packet)
            await world.post(shown, key.answer(shown.challenge, world.lie()))
        assert "Wrote 2 votes" in ready("audit", "evidence", proposal["id"], "--to", "both").out
        again = ready("audit", "evidence", proposal["id"], "--to", "both")
        assert (again.code, "Name a folder that is new" in again.err) == (1, True)
        denied = await world.propose()
        await world.deny(MAYA, await world.packet_of(denied), "No.")
        assert "no second factor" in ready("audit", "evidence", denied["id"], "--to", "denied").err
