"""Each key opens its own door, and no other."""

from bot.clock import new_token
from bot.held_keys import AUDITOR, OPERATOR, GiveKey, KeyKind, TakeKey, holder_of, listed
from tests.world import World

DOORS = {"fe": "/v1/agent", "op": "/v1/operator/status", "au": "/v1/audit/search"}


async def test_a_key_opens_its_own_door_and_no_other(world: World) -> None:
    """An agent's, an operator's and an auditor's key, as they are and with the first letters of another kind."""
    run = world.running.wiring.writer.run
    keys = {
        "fe": world.agent.key,
        "op": (await run(GiveKey(OPERATOR, "ana", "root", new_token))).key,
        "au": (await run(GiveKey(AUDITOR, "ana", "root", new_token, (True,)))).key,
    }
    for kind, key in keys.items():
        assert key.startswith(f"{kind}_")
        for written in DOORS:
            client = world.client(written + key[2:])
            for door, path in DOORS.items():
                opens = kind == written == door
                assert (await client.get(path)).status_code == (200 if opens else 401), (kind, written, door)


async def test_what_was_done_to_one_kind_says_nothing_of_the_other(world: World) -> None:
    """One name may hold a key of each kind: they are two people, and taking one away leaves the other."""
    run, reads = world.running.wiring.writer.run, world.running.wiring.reads
    operator = await run(GiveKey(OPERATOR, "ana", "root", new_token))
    auditor = await run(GiveKey(AUDITOR, "ana", "root", new_token, (False,)))
    held = {kind: await holder_of(reads, kind, new.key) for kind, new in ((OPERATOR, operator), (AUDITOR, auditor))}
    assert [one and (one.name, one.flags) for one in held.values()] == [("ana", ()), ("ana", (False,))]
    assert len({one and one.person for one in held.values()}) == len(held)
    await run(TakeKey(OPERATOR, "ana", "root"))
    assert await holder_of(reads, OPERATOR, operator.key) is None
    assert await holder_of(reads, AUDITOR, auditor.key) == held[AUDITOR]

    def revoked(kind: KeyKind) -> list[bool]:
        with world.db() as db:
            return [key.revoked_at is not None for key in listed(db, kind)]

    assert (revoked(OPERATOR), revoked(AUDITOR)) == ([True], [False])
