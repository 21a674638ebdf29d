"""`/agent` and Details: what people may look at, in a whole product."""

from bot.slack_standin.faults import ServerError
from bot.slack_standin.workspace import JONAS, LENA, MAYA, PRIYA, SAM, User
from handlers.slack.commands import PENDING_SHOWN
from tests.world import TOOL, World, votable

NOBODY = "U0NOBODY001"


async def test_what_waits_is_listed_most_urgent_first(world: World) -> None:
    """`/agent pending` shows people in a role, and the owner, what waits; others see nothing of it."""
    later = await world.propose(180)
    sooner = await world.propose(190, expires_in_s=600)
    await world.packet_of(sooner)
    told = await world.say(MAYA, "pending")
    assert told.index(sooner["id"]) < told.index(later["id"])
    assert sooner["id"] in await world.say(SAM, "pending")
    world.workspace.add_user(User(NOBODY, "nobody", "No Body"), "C0REFUNDS01")
    assert sooner["id"] not in await world.say(NOBODY, "pending")
    assert "guest" in await world.say(LENA, "pending")


async def test_what_waits_is_listed_by_its_deadline(world: World) -> None:
    """What expires first comes first, even where the reminder of something later comes before that."""
    reminded = await world.propose(180, expires_in_s=3 * 3600)
    await world.move(hours=1, minutes=40)
    fresh = await world.propose(190, expires_in_s=2 * 3600)  # reminds in an hour; the other expires in 80 minutes
    told = await world.say(MAYA, "pending")
    assert told.index(reminded["id"]) < told.index(fresh["id"])
    await world.say(MAYA, "pause agent refund-bot")
    await world.move(hours=5)
    await world.say(MAYA, "resume agent refund-bot")
    sooner = await world.propose(200, expires_in_s=600)
    told = await world.say(MAYA, "pending")
    assert told.index(sooner["id"]) < told.index(reminded["id"]) < told.index(fresh["id"])


async def test_an_owner_sees_the_own_agents_work_however_much_waits_before_it(world: World) -> None:
    """Somebody in no role is shown what the own agents wait for, and nothing else, behind a screenful of others'."""
    world.workspace.add_user(User(NOBODY, "nobody", "No Body"), "C0REFUNDS01")
    theirs = await world.add_agent("other-bot", NOBODY, TOOL)
    others = [await world.propose(180, expires_in_s=600) for _ in range(PENDING_SHOWN + 2)]
    answer = await world.post_proposal(amount=190, client=world.client(theirs.key))
    told = await world.say(NOBODY, "pending")
    assert answer.json()["id"] in told
    assert not any(other["id"] in told for other in others)


async def test_one_proposal_is_shown_to_whoever_may_see_it(world: World) -> None:
    """`/agent show` gives a copy without voting buttons to a role or the owner; strangers and unknown ids are told."""
    proposal = await world.propose(180)
    await world.packet_of(proposal)
    for user in (MAYA, SAM):
        assert "$180.00" in await world.say(user, f"show {proposal['id']}")
        copied = world.slack.ephemerals(user)[-1]
        assert not any(
            part.get("action_id") in ("approve", "deny") for block in copied.blocks for part in _parts(block)
        )
    world.workspace.add_user(User(NOBODY, "nobody", "No Body"), "C0REFUNDS01")
    assert "not in a role" in await world.say(NOBODY, f"show {proposal['id']}")
    assert "guest" in await world.say(LENA, f"show {proposal['id']}")
    assert "does not know this proposal" in await world.say(MAYA, "show prop_none")


def _parts(block: dict[str, object]) -> list[dict[str, object]]:
    parts = block.get("elements", [])
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, dict)]


async def test_whoami_tells_roles_and_agents(world: World) -> None:
    """`/agent whoami` names the roles, the agents that somebody owns, and what keeps them from deciding."""
    assert "support_manager" in await world.say(PRIYA, "whoami")
    owner = await world.say(SAM, "whoami")
    assert "refund-bot" in owner
    assert "may not resume" in owner
    assert "guest" in await world.say(LENA, "whoami")


async def test_details_open_for_whoever_may_see(world: World) -> None:
    """The Details button opens a modal with everything, and votes nothing."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    await world.slack.click(JONAS, packet.channel, packet.ts, "details")
    assert "180" in str(world.slack.modals(JONAS)[-1].view)
    assert votable(packet)
    assert (await world.read(proposal))["votes"] == []


async def test_a_name_that_nobody_has_pauses_nothing(world: World) -> None:
    """A scope that is unknown is said; nothing is paused in its place."""
    assert "no agent called" in await world.say(MAYA, "pause agent refund-bt")
    assert "no tool called" in await world.say(MAYA, "pause tool payments.refnd")
    assert (await world.post_proposal(42)).status_code == 201


async def test_commands_are_answered_while_slack_knows_nobody(world: World) -> None:
    """With the directory down every command is answered in words."""
    world.slack.fail("*", ServerError(), times=10_000)
    for text in ("status", "pending", "whoami", "show prop_none", "help", ""):
        assert await world.say(MAYA, text)
