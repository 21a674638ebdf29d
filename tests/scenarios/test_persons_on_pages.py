"""A page of ours is one more surface: two accounts of one person with two passkeys are still one vote."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from approval_rules.events import Refusal, Voted, VoteRefused
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, REFUND_APPROVALS, SAM, User
from tests.passkey_world import PasskeyWorld

MAYA_AGAIN = "U0MAYATWICE"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PasskeyWorld]:
    """Start a product with pages, where Maya has a second account that may decide too."""
    async with PasskeyWorld(tmp_path) as made:
        again = User(MAYA_AGAIN, "maya2", "Maya C.", email="maya@example.com")
        made.workspace.add_user(again, REFUND_APPROVALS, AGENT_OPS)
        made.write_roles({"users": [MAYA, MAYA_AGAIN, JONAS]}, admin={"users": [PRIYA, SAM]})
        await made.running.watch.look()
        yield made
        made.verify_log()


async def test_two_accounts_with_two_passkeys_at_once_are_one_vote(world: PasskeyWorld) -> None:
    """Both pages are answered in the same moment, each with the right passkey: one counts, the other is refused."""
    keys = await world.holding(MAYA, MAYA_AGAIN)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    pages = [await world.page_for(user, packet) for user in (MAYA, MAYA_AGAIN)]
    answers = [key.answer(page.challenge, world.lie()) for key, page in zip(keys, pages, strict=True)]
    told = await asyncio.gather(*map(world.post, pages, answers))
    assert sorted(answer.status_code for answer in told) == [200, 409]
    ledger = world.ledger()
    assert len(ledger.events(Voted)) == 1
    assert [event.code for event in ledger.events(VoteRefused)] == [Refusal.ALREADY_VOTED]
    assert (await world.read(proposal))["state"] == "pending"


async def test_the_passkey_of_the_other_account_is_another_persons_key(world: PasskeyWorld) -> None:
    """A passkey belongs to the account for which somebody confirmed it; nothing is lent between accounts."""
    (key,) = await world.holding(MAYA_AGAIN)
    await world.holding(MAYA)
    packet = await world.packet_of(await world.propose())
    page = await world.page_for(MAYA, packet)
    assert (await world.post(page, key.answer(page.challenge, world.lie()))).status_code == 409
    assert world.ledger().events(Voted) == []
