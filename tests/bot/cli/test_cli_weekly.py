"""`audit review`: the report on a week by hand, in four forms, the same as the one that the server makes."""

import csv
import io
from pathlib import Path

from bot.slack_standin.workspace import AGENT_OPS, MAYA, PRIYA, SAM
from tests.bot.cli.living import Living
from tests.bot.cli.shell import Shell
from tests.world import MANAGER


async def test_the_running_week_is_told_by_hand(living: Living, tmp_path: Path) -> None:
    """What happened a moment ago is in the report on this week: as lines, JSON, CSV, and a page with a table beside."""
    world = living.world
    proposal = await world.propose(180)
    await world.click(SAM, await world.packet_of(proposal), force=True)
    await world.approve(proposal)
    await world.post_proposal(75, tool="keys.rotate")
    week = f"{world.clock():%G-W%V}"
    ended = await living("audit", "review", "--week", week)
    assert (ended.code, ended.err) == (0, "")
    assert f"Maya Chen ({MAYA})" in ended.out
    assert "Refund $180.00" in ended.out
    assert "owns the agent" in ended.out
    told = (await living("audit", "review", "--week", week, "--role", MANAGER, "--json")).json()
    assert (told["role"], told["decisions"]) == (MANAGER, 1)
    assert MAYA not in str(told)
    lines = list(csv.DictReader(io.StringIO((await living("audit", "review", "--week", week, "--csv")).out)))
    assert {line["kind"] for line in lines} == {"self-approval", "under-five-seconds", "turned-away", "high-risk"}
    page = tmp_path / "week.html"
    assert (await living("audit", "review", "--week", week, "--html", str(page))).code == 0
    assert 'href="week.csv"' in page.read_text(encoding="utf-8")
    assert (tmp_path / "week.csv").read_text(encoding="utf-8").startswith("number,kind")


async def test_by_hand_it_is_the_report_that_the_server_made(living: Living) -> None:
    """The same week gives the same bytes, with the signatures of people under them."""
    world = living.world
    await world.approve(await world.propose(180))
    now = world.clock()
    await world.move(days=9 - now.weekday())  # the Wednesday after
    await world.running.weekly.look()
    await world.settled()
    with world.db() as db:
        [(digest,)] = db.execute("SELECT digest FROM access_reports").fetchall()
    told = await living("audit", "review", "--week", f"{now:%G-W%V}", "--role", MANAGER)
    assert f"Report {digest}" in told.out
    assert "Not signed off yet." in told.out
    waits = f"The weekly review of {MANAGER} for {now:%G-W%V} is not signed off."
    assert waits in (await living("status")).out
    message = world.slack.messages(AGENT_OPS)[-1]
    await world.slack.click(PRIYA, message.channel, message.ts, "review_sign", force=True)
    assert waits not in (await living("status")).out
    assert (await living("audit", "verify")).code == 0


def test_what_is_wrong_is_said(ready: Shell) -> None:
    """A week without a log, a misspelt week, two forms at once: each says what to do."""
    assert "no policy decided anything in week 2020-W01" in ready("audit", "review", "--week", "2020-W01").err
    assert "write a week as 2026-W47" in ready("audit", "review", "--week", "last").err
    assert ready("audit", "review", "--json", "--csv").code == 2
    ready.set(FOUREYES_TIME_ZONE="Europe/Atlantis")
    assert "there is no such zone" in ready("audit", "review").err


async def test_a_role_that_the_policy_does_not_have_is_named(living: Living) -> None:
    """The roles that there are stand in the error."""
    ended = await living("audit", "review", "--week", f"{living.world.clock():%G-W%V}", "--role", "boss")
    assert ended.code == 3
    assert "has no role 'boss'; it has support_manager" in ended.err
