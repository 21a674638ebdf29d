"""`audit verify` and `doctor` with a time-stamp authority: what it dated is held against the log afterwards."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings import SettingsError
from tests.bot.cli.living import Living
from tests.scenarios.test_cosigning import anchored
from tests.time_stamp_authority import NAME, StandInAuthority


@pytest.fixture
async def authority(living: Living, tmp_path: Path) -> AsyncIterator[StandInAuthority]:
    """An authority that the living server asks, and that the shell knows."""
    world = living.world
    async with StandInAuthority(tmp_path / "tsa") as made:
        await world.stop()
        world.time_stamp_url, world.time_stamp_ca = made.url, made.certified.ca
        living.shell.set(FOUREYES_TIME_STAMP_CA=made.certified.ca)
        await world.start()
        yield made
        await world.stop()


@pytest.mark.usefixtures("authority")
async def test_a_log_made_anew_contradicts_its_time_stamps(living: Living) -> None:
    """With key, database and anchor in one hand an older copy goes on; what was dated says what was there, and when."""
    world, shell = living.world, living.shell
    await world.stop()
    older = shutil.copy(world.database, world.folder / "older.db")
    await world.start()
    await world.propose(42)
    await world.running.witnesses.ask()
    await world.stop()
    folder = world.settings.time_stamp_folder
    whole = await shell.beside("audit", "verify")
    assert whole.code == 0
    assert f"{folder}: 1 time stamp, for entries 0 to " in whole.out
    assert f"UTC by {NAME}." in whole.out
    taken = shutil.copytree(folder, world.folder / "taken away")
    shutil.rmtree(folder)
    shutil.copy(older, world.database)
    world.settings.anchor_file.unlink()
    await anchored(world)
    for amount in (50, 51, 52):
        await world.propose(amount)
    await world.stop()
    assert (await shell.beside("audit", "verify", "--log-only")).code == 0
    ended = await shell.beside("audit", "verify", "--against", str(taken))
    assert ended.code == 7
    assert "the time stamp of 20" in ended.out
    assert f"by {NAME} of " in ended.out
    assert "has another root: the log was rewritten within its first" in ended.out
    await world.start()


async def test_settings_that_name_no_authority(living: Living, authority: StandInAuthority) -> None:
    """They are said at the start, by the doctor and by `audit verify`, with what to set."""
    world, shell = living.world, living.shell
    await world.stop()
    good = world.time_stamp_url, world.time_stamp_ca
    for url, ca, why in (
        (authority.url, None, "FOUREYES_TIME_STAMP_CA is not set"),
        ("ftp://tsa.example", good[1], "FOUREYES_TIME_STAMP_URL: url-malformed: write the authority's address"),
        (authority.url, world.folder / "none", "none cannot be read: No such file"),
        (authority.url, world.database, "holds no certificate in PEM form"),
    ):
        world.time_stamp_url, world.time_stamp_ca = url, ca
        with pytest.raises(SettingsError, match=why):
            await world.start()
        shell.set(FOUREYES_TIME_STAMP_URL=url, FOUREYES_TIME_STAMP_CA=ca or "")
        assert "FAIL  time stamps: FOUREYES_TIME_STAMP" in (await shell.beside("doctor")).out
    shell.set(FOUREYES_TIME_STAMP_CA=world.database)
    ended = await shell.beside("audit", "verify")
    assert (ended.code, "FOUREYES_TIME_STAMP_CA" in ended.err) == (3, True)
    shell.set(FOUREYES_TIME_STAMP_CA=authority.certified.ca)
    assert "ok    time stamps: http://127.0.0.1" in (await shell.beside("doctor")).out
    world.time_stamp_url, world.time_stamp_ca = good
    await world.start()
