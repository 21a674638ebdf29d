"""`hold`: what somebody may have to answer for outlives its term, whatever is erased, until the hold is lifted."""

from tests.bot.cli.living import Living
from tests.world import World


def readable(world: World, proposal: str) -> set[str]:
    """Name the values of a proposal that can be read."""
    with world.db() as db:
        return {
            row[0]
            for row in db.execute(
                "SELECT d.name FROM detached d JOIN entries e ON e.seq = d.seq WHERE e.subject = ?"
                " AND d.value IS NOT NULL",
                (proposal,),
            )
        }


async def closed(world: World) -> str:
    """Let a proposal be cancelled."""
    proposal = await world.propose()
    await world.packet_of(proposal)
    assert (await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")).status_code == 200
    await world.settled()
    return str(proposal["id"])


async def test_what_is_on_hold_outlives_its_term(living: Living) -> None:
    """Its neighbours of the same day go; it stays through every later sweep, and goes when the hold ends."""
    world = living.world
    held, other = await closed(world), await closed(world)
    whole = readable(world, held)
    assert (await living("hold", "set", held, "--reason", "case 17")).code == 0
    assert (await living("hold", "list", "--json")).json() == [{"what": "proposal", "id": held}]
    for days in (30, 1, 335):
        await world.move(days=days)
        await world.running.retention.look()
        assert readable(world, held) == whole
        assert (await living("audit", "verify")).code == 0
    assert readable(world, other) == set()
    await world.restart()
    await world.running.retention.look()
    assert readable(world, held) == whole
    assert (await living("hold", "lift", held, "--reason", "closed")).code == 0
    await world.running.retention.look()
    assert readable(world, held) == set()
    ended = await living("audit", "verify")
    assert ended.code == 0, ended.out
    assert (await living("hold", "list")).err == "Nothing is on hold.\n"


async def test_one_hold_ends_and_the_other_goes_on(living: Living) -> None:
    """Two that were held back together are told apart again."""
    world = living.world
    one, other = await closed(world), await closed(world)
    for each in (one, other):
        await living("hold", "set", each, "--reason", "x")
    await world.move(days=366)
    await world.running.retention.look()
    await living("hold", "lift", one, "--reason", "x")
    await world.running.retention.look()
    assert readable(world, one) == set()
    assert {"summary", "arguments"} <= readable(world, other)
    assert (await living("audit", "verify")).code == 0


async def test_a_hold_on_an_agent_holds_its_proposals_and_stops_an_erasure(living: Living) -> None:
    """Nothing of it is erased on request either."""
    world = living.world
    proposal = await closed(world)
    assert (await living("hold", "set", "refund-bot", "--reason", "x")).code == 0
    ended = await living("erase", "--subject", "customer_id=C-1", "--reason", "x", "--yes")
    assert f"Stays, because it is still going on, or on hold: {proposal}" in ended.out
    await world.move(days=31)
    await world.running.retention.look()
    assert "summary" in readable(world, proposal)


async def test_a_hold_is_not_set_by_a_slip(living: Living) -> None:
    """On nothing, twice, or without a reason: said, and nothing is recorded."""
    proposal = await closed(living.world)
    before = len(living.world.ledger().recorded)
    assert (await living("hold", "set", "prop_none", "--reason", "x")).code == 1
    assert (await living("hold", "lift", proposal, "--reason", "x")).code == 1
    assert (await living("hold", "set", proposal, "--reason", " ")).code == 2
    assert len(living.world.ledger().recorded) == before
    assert (await living("hold", "set", proposal, "--reason", "x")).code == 0
    ended = await living("hold", "set", proposal, "--reason", "x")
    assert (ended.code, ended.err) == (1, "Nothing was changed: that is so already.\n")
