"""All three links fail at random: Slack, the agent's callbacks, and the agent's own connection."""

from pathlib import Path

import pytest

from approval_rules.events import Approved, Claimed, Voted
from tests.crash.deeds import dice
from tests.faults.faulty_link import Harm
from tests.faults.storm import Storm, harms, wrong_after

REQUESTS = 150


async def weathered(folder: Path, requests: int, seed: int) -> None:
    """Let a storm rage, then calm down, then compare what everybody saw."""
    async with Storm(folder, dice(seed)) as storm:
        await storm.rage(requests)
        await storm.calm()
        storm.world.verify_log()
        assert wrong_after(storm) == []
        ledger = storm.world.ledger()
        assert len(ledger.proposals) == requests
        assert len(ledger.events(Claimed)) > requests / 2
        assert ledger.events(Voted)
        assert len(ledger.events(Approved)) > requests / 2
        assert storm.told.retries > requests / 10
        assert harms(storm) == set(Harm)


async def test_nothing_is_lost_or_doubled_in_a_storm(tmp_path: Path) -> None:
    """One proposal per key, one packet, one permission, each decision told under one id; never a yes by accident."""
    await weathered(tmp_path, REQUESTS, 4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
async def test_nothing_is_lost_or_doubled_in_a_long_storm(tmp_path: Path, seed: int) -> None:
    """The same for a release: 20,000 requests, 500 to a server."""
    await weathered(tmp_path, 500, 100 + seed)
