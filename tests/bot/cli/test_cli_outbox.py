"""`outbox list | retry`: what the world was not told, and telling it again."""

import pytest

from bot.slack_standin.faults import Refuse
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell


async def test_a_dead_letter_is_listed_and_retried(living: Living) -> None:
    """A packet that Slack refused for good is shown with its error, and goes out when a person says so."""
    living.world.slack.fail("chat.postMessage", Refuse("invalid_blocks"), times=100)
    proposal = await living.world.propose(180)

    async def dead() -> bool:
        with living.world.db() as db:
            return db.execute("SELECT 1 FROM outbox WHERE state = 'dead'").fetchone() is not None

    await living.world.until(dead, "a dead letter")
    (row,) = (await living("outbox", "list", "--json")).json()
    assert (row["kind"], row["subject"]) == ("post", proposal["id"])
    assert "invalid_blocks" in row["last_error"]
    assert row["due_at"].endswith("Z")
    line = (await living("outbox", "list")).out
    assert line.split("\t")[:3] == [str(row["id"]), "post", proposal["id"]]
    assert "1 dead letter." in (await living("status")).out
    living.world.slack.faults.clear()
    ended = await living("outbox", "retry", str(row["id"]))
    assert (ended.code, ended.out) == (0, "Queued. A running server sends it within a second.\n")
    await living.world.packet_of(proposal)
    assert (await living("outbox", "list", "--json")).json() == []


@pytest.mark.parametrize("state", ["dead", "queued", "sending"])
def test_an_empty_listing(ready: Shell, state: str) -> None:
    """Nothing to show is said beside the output."""
    ended = ready("outbox", "list", "--state", state)
    assert (ended.code, ended.out, ended.err) == (0, "", f"No {state} rows.\n")


def test_wrong_usage(ready: Shell) -> None:
    """An unknown state and an id that is no dead letter are told."""
    ended = ready("outbox", "list", "--state", "lost")
    assert (ended.code, "write dead, queued or sending" in ended.err) == (2, True)
    ended = ready("outbox", "retry", "42")
    assert (ended.code, ended.err) == (1, "42 is not a dead letter; `foureyes outbox list` shows them\n")
    ready("pause", "x")
    assert ready("outbox", "retry", "1").code == 1
    assert ready("outbox", "retry", "one").code == 2


def test_a_row_of_the_log_that_an_error_text_came_from_is_harmless(ready: Shell) -> None:
    """What a receiver answered is shown as text."""
    ready("pause", "x")
    ready.tamper("UPDATE outbox SET state = 'dead', last_error = char(27) || '[2J' || char(155) || 'owned'")
    for arguments in ((), ("--json",)):
        ended = ready("outbox", "list", *arguments)
        assert "owned" in ended.out
        assert all(char.isprintable() or char in "\n\t" for char in ended.out)
