"""A claim under another policy than the one that judged: the stricter of the two counts, to the last moment."""

import asyncio
import shutil
from collections import Counter as Tally

import pytest

from approval_rules.events import Claimed, ClaimRefused, Revoked
from approval_rules.people import system
from approval_rules.policy_events import PolicyActivated
from bot.desk.versions import take_up
from bot.policy_content import PolicyContent
from bot.policy_files import open_folder
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from bot.store.policies import PolicyStoreError
from tests.scenarios.test_counters import LIMIT, limited
from tests.scenarios.test_policy_reload import STRICTER, reloaded
from tests.world import TOOL, World

BLOCKED = f'policy:\n  tool: {TOOL}\n  rules:\n    - block: "refunds are stopped"\n'
THREE = STRICTER.replace('"support_manager"', "{role: support_manager, approvals: 3}")
ONE = STRICTER.replace('"support_manager"', "{role: support_manager, approvals: 1}")
ANYTHING = f"policy:\n  tool: {TOOL}\n  rules:\n    - allow: true\n"
CAPPED = f"""
policy:
  tool: {TOOL}
  contract:
    properties: {{amount_usd: {{type: number, maximum: 40}}, order_id: {{type: string}}, customer_id: {{type: string}}}}
  rules:
    - allow: true
"""
READS_ITS_OWN = f"policy:\n  tool: {TOOL}\n  rules:\n    - if: \"agent.name == 'refund-bot'\"\n      allow: true\n"


def content(world: World, text: str) -> PolicyContent:
    """What the world's folder would hold with another policy file; the folder itself stays."""
    other = world.folder / "other"
    shutil.copytree(world.policy, other, dirs_exist_ok=True)
    (other / f"{TOOL}.yml").write_text(text, "utf-8")
    return open_folder(other)[0]


async def activated_elsewhere(world: World, text: str) -> None:
    """Let another version decide, as a command beside the server does: the server has not looked yet."""
    await world.running.wiring.writer.run(lambda tx: take_up(tx, content(world, text)))


async def refusal(world: World, proposal: dict[str, str]) -> tuple[int, str]:
    """Claim, and tell how it was refused."""
    answer = await world.claim(proposal)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("text", [BLOCKED, STRICTER, CAPPED])
async def test_what_policy_allowed_is_stopped_by_a_stricter_policy(world: World, text: str) -> None:
    """A new block, people who are asked now, or a new hard cap: the permission is gone, and the agent is told why."""
    proposal = await world.propose(42)
    await reloaded(world, text)
    assert await refusal(world, proposal) == (409, "policy-changed")
    seen = await world.read(proposal)
    assert (seen["state"], seen["revoked_why"]) == ("revoked", "policy-changed")
    assert [event.by for event in world.ledger().events(Revoked)] == [system("policy")]
    assert await refusal(world, proposal) == (409, "revoked")


@pytest.mark.parametrize("text", [BLOCKED, THREE])
async def test_what_people_approved_is_stopped_by_a_stricter_policy(world: World, text: str) -> None:
    """Two people said yes; now it is blocked, or three are needed. People read why in the packet."""
    proposal = await world.propose(180)
    packet = await world.approve(proposal)
    await reloaded(world, text)
    assert await refusal(world, proposal) == (409, "policy-changed")
    await world.settled()
    assert any("the policy was changed and asks for more" in reply for reply in world.thread(packet))


@pytest.mark.parametrize("text", [STRICTER, ONE, ANYTHING])
async def test_a_looser_or_equal_policy_changes_nothing(world: World, text: str) -> None:
    """What was asked for at submit is asked for still: two people, whatever the policy says by now."""
    proposal = await world.propose(180)
    await reloaded(world, text)
    await world.approve(proposal, MAYA)
    assert await refusal(world, proposal) == (409, "not-approved")
    await world.approve(proposal, JONAS)
    assert (await world.claim(proposal)).status_code == 200


async def test_a_third_person_asked_for_later_may_have_approved_already(world: World) -> None:
    """Whoever approved counts for both: where the people suffice for the new policy too, the claim goes through."""
    await reloaded(world, THREE)
    proposal = await world.propose(180)
    await world.approve(proposal, MAYA, JONAS, PRIYA)
    await reloaded(world, STRICTER)
    assert (await world.claim(proposal)).status_code == 200


async def test_a_version_activated_elsewhere_counts_before_the_server_looks(world: World) -> None:
    """A command beside the server puts a block in force: the next claim meets it, with the old policy in memory."""
    proposal, other = await world.propose(42), await world.propose(43)
    await activated_elsewhere(world, BLOCKED)
    for one in (proposal, other):
        assert await refusal(world, one) == (409, "policy-changed")


async def test_what_is_claimed_at_once_meets_the_version_that_decides(world: World) -> None:
    """An allowed action that is claimed in its own request gets no permission from a policy that is over."""
    await activated_elsewhere(world, BLOCKED)
    answer = (await world.post_proposal(42, claim_if_allowed=True)).json()
    assert answer["state"] == "revoked"
    assert "grant" not in answer
    assert not world.ledger().events(Claimed)


async def test_back_to_the_version_that_judged(world: World) -> None:
    """A version that came and went again leaves the permission as it was."""
    good = (world.policy / f"{TOOL}.yml").read_text("utf-8")
    proposal = await world.propose(42)
    await reloaded(world, BLOCKED)
    await reloaded(world, good)
    assert (await world.claim(proposal)).status_code == 200


async def test_a_counter_leaves_the_proposal_itself_out(world: World) -> None:
    """A limit that the proposal fits under does not stop it for having been counted; one that it breaks does."""
    one, two = await world.propose(42), await world.propose(43)
    await limited(world, LIMIT)
    assert (await world.claim(one)).status_code == 200
    third = await world.propose(10)
    assert third["state"] == "approved"
    await limited(world, LIMIT.replace("100", "90"))
    assert await refusal(world, two) == (409, "policy-changed")


async def test_a_name_that_is_the_servers_own_now(world: World) -> None:
    """What the intake would turn away under the new policy gets no permission under it either."""
    answer = await world.post_proposal(42, context={"facts": {"customer_tier": "standard", "agent": "me"}})
    await reloaded(world, READS_ITS_OWN)
    assert await refusal(world, answer.json()) == (409, "policy-changed")


async def test_a_version_that_cannot_be_trusted_permits_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what the policy says now: no permission, nothing taken back, and later it goes through."""

    def tampered(*_: object) -> None:
        raise PolicyStoreError("was changed")

    proposal = await world.propose(42)
    await activated_elsewhere(world, ANYTHING)
    with monkeypatch.context() as broken:
        broken.setattr("bot.desk.current_policy.content_of", tampered)
        assert (await world.claim(proposal)).status_code == 503
    assert (await world.claim(proposal)).status_code == 200


async def test_forty_claims_race_with_a_block(world: World) -> None:
    """Every permission was given before the block came into force, and none after it, whatever the order of arrival."""
    proposals = [await world.propose(42) for _ in range(40)]
    gate, first = asyncio.Semaphore(4), asyncio.Event()

    async def claim(proposal: dict[str, str]) -> int:
        async with gate:
            answer = await world.claim(proposal)
        first.set()
        return answer.status_code

    async def block() -> None:
        await first.wait()
        await activated_elsewhere(world, BLOCKED)

    blocking = asyncio.create_task(block())
    told = Tally(await asyncio.gather(*map(claim, proposals)))
    await blocking
    events = [item.event for item in world.ledger().recorded]
    moment = max(place for place, event in enumerate(events) if isinstance(event, PolicyActivated))
    assert not [event for event in events[moment:] if isinstance(event, Claimed)]
    assert not [event for event in events[:moment] if isinstance(event, ClaimRefused)]
    granted = sum(isinstance(event, Claimed) for event in events)
    assert told == {200: granted, 409: 40 - granted}
    assert 0 < granted < 40
