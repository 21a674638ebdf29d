"""`foureyes pause --drill`: proves on the running server that a claim is refused, and says so by its exit code."""

import pytest

from approval_rules import claims
from approval_rules.stop_events import DrillHeld
from bot.slack_standin.workspace import SAM
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell


async def test_a_drill_is_held_by_the_running_server(living: Living) -> None:
    """The command waits for the server's own proof, names who asked, and `status` shows it afterwards."""
    ended = await living.shell.beside("pause", "--drill")
    assert ended.code == 0, ended.err
    assert "refused a claim" in ended.out
    (held,) = living.world.ledger().events(DrillHeld)
    assert held.ok
    assert held.by.kind.value == "operator"
    assert held.replica in ended.out
    shown = await living.shell.beside("status", "--json")
    assert shown.json()["drill"]["ok"] is True
    assert "Kill switch: proved" in (await living.shell.beside("status")).out


async def test_a_switch_that_does_not_stop_is_exit_code_1(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever drills from cron hears of it."""
    monkeypatch.setattr(claims, "_claim_refusal", lambda *_: None)
    ended = await living.shell.beside("pause", "--drill")
    assert ended.code == 1
    assert "FAILED" in ended.err
    assert "the claim was given" in ended.err


async def test_while_all_is_paused_there_is_no_drill(living: Living) -> None:
    """The command says so at once: exit code 6."""
    await living.world.say(SAM, "pause all")
    ended = await living.shell.beside("pause", "--drill")
    assert (ended.code, "A pause is in force" in ended.err) == (6, True)


async def test_a_server_that_does_not_answer_is_a_failure(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs and hangs: a pause may work, and nobody has proved it."""
    monkeypatch.setattr("bot.cli.drilling._WAIT_SECONDS", 0.3)

    async def hangs(*_: object) -> None:
        return None

    monkeypatch.setattr(living.world.running.drills, "hold", hangs)
    ended = await living.shell.beside("pause", "--drill")
    assert (ended.code, "held no drill within" in ended.err) == (1, True)


def test_without_a_server_there_is_nothing_to_prove(ready: Shell) -> None:
    """Nothing can be claimed at all then: exit code 3."""
    ended = ready("pause", "--drill")
    assert (ended.code, "No server runs" in ended.err) == (3, True)
    (ready.folder / "foureyes.db.lock").touch()
    assert ready("pause", "--drill").code == 3
