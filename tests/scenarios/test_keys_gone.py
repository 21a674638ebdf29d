"""The file of data keys goes away, or cannot be read, under a running server: said clearly, and nothing is lost."""

import pytest

from tests.world import World


async def test_a_file_that_is_taken_away_is_put_back(world: World) -> None:
    """The server holds the keys: it writes the file again before it seals with them, and all of it still opens."""
    before = await world.propose(180)
    keys = world.settings.data_keys_file.read_bytes()
    world.settings.data_keys_file.unlink()
    assert (await world.http.get("/readyz")).status_code == 200
    assert world.settings.data_keys_file.read_bytes() == keys
    world.settings.data_keys_file.unlink()
    after = await world.propose(181)
    assert world.settings.data_keys_file.stat().st_mode & 0o777 == 0o600
    await world.restart()
    assert [(await world.read(each))["summary"] for each in (before, after)] == [before["summary"], after["summary"]]


async def test_while_it_cannot_be_read_nothing_is_taken_in(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Intake answers 503, readiness names the keys and no place, the server's log what to do; then all goes on."""
    asked = await world.propose(180)
    file = world.settings.data_keys_file
    file.chmod(0o644)
    file.touch()
    answer = await world.post_proposal(42, key="again")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    ready = await world.http.get("/readyz")
    assert ready.status_code == 503
    (check,) = [check for check in ready.json()["checks"] if check["name"] == "data keys"]
    assert (check["ok"], str(file) in ready.text) == (False, False)
    assert "foureyes doctor" in check["detail"]
    assert f"run: chmod 600 {file}" in capsys.readouterr().out
    file.chmod(0o600)
    assert (await world.post_proposal(42, key="again")).status_code == 201
    assert (await world.http.get("/readyz")).status_code == 200
    assert (await world.read(asked))["summary"] == asked["summary"]


async def test_where_it_cannot_be_put_back_the_way_out_is_told(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that takes no file: 503, and why; with room again nothing is missing."""
    asked = await world.propose(180)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bot.data_keys._write", full)
        world.settings.data_keys_file.unlink()
        answer = await world.post_proposal(42, key="again")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        said = capsys.readouterr().out
        assert "is gone and cannot be written again: No space left on device" in said
        assert "do not stop the server" in said
    assert (await world.post_proposal(42, key="again")).status_code == 201
    assert (await world.read(asked))["summary"] == asked["summary"]
