"""An authority dates the running server's log. It holds up nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.time_stamping import ASK_EVERY, TRY_AGAIN
from tests.time_stamp_authority import NAME, StandInAuthority, openssl
from tests.world import World


@pytest.fixture
async def authority(world: World, tmp_path: Path) -> AsyncIterator[StandInAuthority]:
    """An authority that this world's server asks."""
    async with StandInAuthority(tmp_path / "tsa") as made:
        await world.stop()
        world.time_stamp_url, world.time_stamp_ca = made.url, made.certified.ca
        await world.start()
        yield made
        await world.stop()


async def ask(world: World) -> str:
    """Let the server ask where it wants to, and give what /readyz says of it."""
    await world.running.witnesses.ask()
    answer = await world.http.get("/readyz")
    assert answer.status_code == 200
    return str(next(check["detail"] for check in answer.json()["checks"] if check["name"] == "time stamps"))


def kept(world: World) -> list[Path]:
    """The time stamps that were kept, oldest first."""
    return sorted(world.settings.time_stamp_folder.glob("*.tsr"), key=lambda path: int(path.stem.split("-")[1]))


async def test_each_hour_in_which_the_log_grew(world: World, authority: StandInAuthority) -> None:
    """Checkpoint and answer are kept side by side, and openssl verifies both; a quiet log asks nobody."""
    await world.propose(42)
    assert "stamped; the newest time stamp is of 20" in await ask(world)
    await world.propose(43)
    await ask(world)
    assert len(authority.asked) == 1
    world.clock.move(ASK_EVERY)
    assert f"UTC by {NAME}" in await ask(world)
    world.clock.move(ASK_EVERY)
    await ask(world)
    assert len(authority.asked) == len(kept(world)) == 2
    for stamp in kept(world):
        files = ("-data", stamp.with_suffix(".checkpoint"), "-in", stamp, "-CAfile", authority.certified.ca)
        assert openssl("ts", "-verify", *files) == "Verification: OK\n"
    assert 'foureyes_witness_ok{witness="time-stamp"} 1.0' in (await world.http.get("/metrics")).text


async def test_what_it_answers_is_said(world: World, authority: StandInAuthority) -> None:
    """Out of order, an answer to an earlier question, a page, a full disk: each is said and tried again in a minute."""
    await ask(world)
    early = kept(world)[0].read_bytes()
    world.clock.move(ASK_EVERY)
    await world.propose(42)
    authority.down = True
    assert "the authority answered 503; the newest time stamp is of 20" in await ask(world)
    asked = len(authority.asked)
    await ask(world)
    assert len(authority.asked) == asked
    authority.down = False
    for says, why in ((early, "Nonce mismatch"), (b"<html>", "this is no time stamp"), (b"", "this is no time stamp")):
        authority.says = says
        world.clock.move(TRY_AGAIN)
        assert f"the authority's answer proves nothing: {why}" in await ask(world)
    assert 'foureyes_witness_ok{witness="time-stamp"} 0.0' in (await world.http.get("/metrics")).text
    authority.says = None
    world.settings.time_stamp_folder.rename(world.folder / "elsewhere")
    world.settings.time_stamp_folder.write_text("a file", "utf-8")
    world.clock.move(TRY_AGAIN)
    assert "cannot be written: File exists" in await ask(world)
    world.settings.time_stamp_folder.unlink()
    world.clock.move(TRY_AGAIN)
    assert "stamped; the newest" in await ask(world)
    assert len(kept(world)) == 1

    await world.propose(43)
    world.clock.move(ASK_EVERY)
    await authority.server.stop()
    assert "the authority cannot be reached: connection-failed" in await ask(world)
    assert (await world.post_proposal(44)).status_code == 201
    await authority.server.start()
