"""Red with nothing put in its place: a person starts it with a passkey, two others approve with theirs, it runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from approval_rules.events import Refusal, Submitted, Voted
from approval_rules.initiation_events import InitiationRefused
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.authenticator import Passkey
from tests.passkey_world import PasskeyWorld, code_in, url_in
from tests.red_world import POLICY, fill, opened, owned, rewrite, the_start


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PasskeyWorld]:
    """Maya may start refunds over $500, Jonas and Priya are finance; Sam and Priya confirm factors."""
    made = PasskeyWorld(tmp_path)
    rewrite(made, POLICY)
    made.write_roles({"users": [MAYA, SAM]}, finance={"users": [JONAS, PRIYA, MAYA]}, admin={"users": [PRIYA, SAM]})
    async with made:
        yield made
        made.verify_log()


async def wished(world: PasskeyWorld) -> str:
    """Fill the form in, and give the address of the page that asks for the passkey."""
    packet = await world.packet_of(await world.propose(750))
    outcome = await fill(world, MAYA, await opened(world, MAYA, packet), "750")
    assert outcome.ok
    return url_in(world.slack.modals(MAYA)[-1].view)


async def confirm(world: PasskeyWorld, user: str) -> None:
    """Confirm a new factor; nobody confirms his own, so Sam does it for Priya."""
    sayer = SAM if user == PRIYA else PRIYA
    assert "counts from now on" in await world.say(sayer, f"factor confirm <@{user}>")


async def holding(world: PasskeyWorld, *users: str) -> list[Passkey]:
    """Give people passkeys that count."""
    keys = [Passkey() for _ in users]
    for user, key in zip(users, keys, strict=True):
        assert (await world.enrol(user, key)).status_code == 200
        await confirm(world, user)
    return keys


async def test_a_person_starts_it_and_two_others_approve_each_with_a_passkey(world: PasskeyWorld) -> None:
    """The same code in Slack, on the page and in the record; the agent claims what the person started, once."""
    maya, jonas, priya = await holding(world, MAYA, JONAS, PRIYA)
    shown = await world.look(await wished(world))
    assert "Start $750.00 refund with passkey" in shown.text
    assert code_in(world.slack.modals(MAYA)[-1].view) in shown.text
    answer = await world.post(shown, maya.answer(shown.challenge, world.lie()))
    assert answer.status_code == 200, answer.text
    assert "It is started" in answer.json()["said"]
    started = the_start(world)
    assert started.initiator is not None
    assert started.initiator.proof.factor == "passkey"
    assert started.evidence is not None
    packet = await world.packet_of(started.proposal)
    for user, key in ((JONAS, jonas), (PRIYA, priya)):
        page = await world.page_for(user, packet)
        voted = await world.post(page, key.answer(page.challenge, world.lie()))
        assert voted.status_code == 200, voted.text
    assert len(world.ledger().events(Voted)) == 2
    mine = await owned(world, started.proposal)
    assert (await world.claim(mine)).status_code == 200
    assert (await world.claim(mine)).status_code == 409


async def test_another_persons_passkey_starts_nothing(world: PasskeyWorld) -> None:
    """The link is Maya's: nobody else's key counts there, and the link is used up by trying."""
    maya, jonas = await holding(world, MAYA, JONAS)
    shown = await world.look(await wished(world))
    stolen = await world.post(shown, jonas.answer(shown.challenge, world.lie()))
    assert (stolen.status_code, "could not be verified" in stolen.text) == (409, True)
    again = await world.post(shown, maya.answer(shown.challenge, world.lie()))
    assert again.status_code == 409
    assert world.ledger().events(InitiationRefused)[0].code is Refusal.FACTOR_REFUSED
    assert [event for event in world.ledger().events(Submitted) if event.initiator] == []


async def test_a_link_of_a_start_is_for_no_vote_and_a_replay_starts_nothing_twice(world: PasskeyWorld) -> None:
    """The same answer again says that it was answered; looking at the page uses nothing up."""
    (maya,) = await holding(world, MAYA)
    url = await wished(world)
    for _ in range(3):
        shown = await world.look(url)
    answer = maya.answer(shown.challenge, world.lie())
    assert (await world.post(shown, answer)).status_code == 200
    assert (await world.post(shown, answer)).status_code == 409
    assert len([event for event in world.ledger().events(Submitted) if event.initiator]) == 1
    assert (await world.look(url)).status in {200, 404}


async def test_without_a_passkey_one_is_told_how_to_get_one(world: PasskeyWorld) -> None:
    """Red asks for a passkey where the policy says nothing else; nothing is started without one."""
    packet = await world.packet_of(await world.propose(750))
    outcome = await fill(world, MAYA, await opened(world, MAYA, packet), "750")
    told = str(outcome.errors or world.slack.modals(MAYA)[-1].view)
    assert "/agent factor add passkey" in told
    assert world.ledger().events(InitiationRefused)[-1].code is Refusal.FACTOR_MISSING
