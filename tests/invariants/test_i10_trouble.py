"""I10: whatever is down, full, unknown or wrong about the time: never a yes, and nothing that was accepted is lost."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.events import Approved, Refusal, Voted, VoteRefused
from approval_rules.state import Status
from bot.clock import SteadyClock
from bot.slack_standin.faults import ServerError
from bot.slack_standin.refusal import NotPossibleError
from bot.slack_standin.workspace import FORMER, JONAS, LENA, MAYA, OUTSIDER
from tests.crash.laws import broken_promises
from tests.invariants.story import Story
from tests.movable_clock import MovableClock
from tests.scenarios.test_full_disk import full_disk
from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a product; whatever happens to it, its log verifies at the end and breaks no law."""
    async with World(tmp_path) as made:
        yield made
        await made.settled()
        made.verify_log()
        assert broken_promises(made.ledger()) == []


async def test_slack_is_down(world: World) -> None:
    """All of Slack fails: what is proposed is kept, clicks that still reach us count nothing; after it all goes on."""
    asked = await world.propose(180)
    packet = await world.packet_of(asked)
    world.slack.fail("*", ServerError(503), times=10_000)
    later = await world.propose(190)
    for user in (MAYA, JONAS):
        with suppress(NotPossibleError):
            await world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
    ledger = world.ledger()
    assert ledger.events(Voted) == []
    assert {event.code for event in ledger.events(VoteRefused)} == {Refusal.DIRECTORY_DOWN}
    assert (await world.claim(asked)).status_code == 409
    world.slack.faults.clear()

    async def posted() -> bool:
        await world.move(seconds=5)  # it looks twice for a post that nobody can tell of, some seconds apart
        with world.db() as db:
            return bool(db.execute("SELECT channel FROM proposals WHERE id = ?", (later["id"],)).fetchone()[0])

    await world.until(posted, "the later packet")
    for proposal in (asked, later):
        await world.approve(proposal)
        assert (await world.claim(proposal)).status_code == 200


async def test_the_directory_goes_down_between_yes_and_permission(world: World) -> None:
    """Approved, and then nobody can say who the approvers are: no permission until somebody can."""
    proposal = await world.propose(180)
    await world.approve(proposal)
    await world.settled()
    await world.move(minutes=2)
    world.slack.fail("users.info", ServerError(), times=10_000)
    assert (await world.claim(proposal)).status_code == 503
    world.slack.faults.clear()
    await world.move(seconds=30)
    assert (await world.claim(proposal)).status_code == 200


async def test_the_disk_is_full(world: World) -> None:
    """No room: whoever is not told 201 has nothing, whoever is has it for ever, and a yes is written or is none."""
    asked = await world.propose(180)
    packet = await world.packet_of(asked)
    await world.click(MAYA, packet)
    await world.settled()
    with full_disk(world):
        for number in range(200):
            if (await world.post_proposal(42, key=f"full-{number}")).status_code == 503:
                break
        with suppress(NotPossibleError):
            await world.slack.click(JONAS, packet.channel, packet.ts, "approve", force=True)
        said = (await world.read(asked))["state"]
        assert world.ledger().proposals[asked["id"]].status.value == said
        claim = await world.claim(asked)
        assert claim.status_code != 200 or said == "approved"
    accepted = {one.json()["id"] for one in world.heard if one.path == "/v1/proposals" and one.status == 201}
    await world.restart()
    assert set(world.ledger().proposals) == accepted
    assert any(one.status == 503 for one in world.heard)


@pytest.mark.parametrize("hours", [5, 24 * 365])
async def test_the_clock_jumps_ahead(world: World, hours: int) -> None:
    """No sweep has run yet and the term is over: no vote counts, no permission is given."""
    asked, allowed = await world.propose(180), await world.propose(42)
    packet = await world.packet_of(asked)
    await world.click(MAYA, packet)
    world.clock.move(timedelta(hours=hours))
    with suppress(NotPossibleError):
        await world.slack.click(JONAS, packet.channel, packet.ts, "approve", force=True)
    assert (await world.claim(asked)).status_code in (409, 410)
    assert (await world.claim(allowed)).status_code == 410
    await world.move(minutes=1)
    states = {one.status for one in world.ledger().proposals.values()}
    assert states == {Status.EXPIRED}


class MachineClock(MovableClock):
    """The product's own clock over a machine whose time somebody sets."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = timedelta()
        self._steady = SteadyClock(lambda: time.time_ns() + int(self.set_by.total_seconds()) * 10**9)


async def test_the_clock_jumps_back(tmp_path: Path) -> None:
    """Three hours back: what was over stays over, the log's times never go back, and there is no second permission."""
    fresh = World(tmp_path)
    fresh.clock = clock = MachineClock()
    async with fresh as world:
        over, asked = await world.propose(180, expires_in_s=120), await world.propose(180)
        packets = [await world.packet_of(one) for one in (over, asked)]
        await world.settled()
        await world.move(minutes=3)
        clock.set_by = timedelta(hours=-3)
        for packet in packets:
            for user in (MAYA, JONAS):
                await world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
        claims = [await world.claim(one) for one in (over, over, asked, asked)]
        assert [one.status_code for one in claims] == [410, 410, 200, 409]
        ledger = world.ledger()
        times = [item.event.at for item in ledger.recorded]
        assert times == sorted(times)
        assert broken_promises(ledger) == []
        world.verify_log()


def test_nobody_unknown_ever_counted(story: Story) -> None:
    """In a day of clicks by a guest, a leaver and an outsider, with a directory that failed, none of theirs counted."""
    voters = {story.ledger.user(event.voter) for event in story.ledger.events(Voted)}
    assert not voters & {LENA, FORMER, OUTSIDER}
    assert story.ledger.events(Approved)
