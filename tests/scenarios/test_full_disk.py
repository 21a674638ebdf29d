"""A disk that is full: never a yes, nothing accepted is lost, and all goes on when there is room again."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.slack_standin.workspace import JONAS, MAYA
from tests.world import World, votable


@contextmanager
def full_disk(world: World) -> Iterator[None]:
    """Let the database file grow no further."""
    connection = world.running.wiring.writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    before = connection.execute("PRAGMA max_page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA max_page_count = {before}")


async def test_a_full_disk_says_so_and_loses_nothing(world: World) -> None:
    """Proposals get 503, a click is told that it did not count; with room again both work, and the old is all there."""
    asked = await world.propose(180)
    packet = await world.packet_of(asked)
    await world.click(MAYA, packet)
    await world.settled()
    heard = []
    with full_disk(world):
        for number in range(40):
            answer = await world.post_proposal(42, key=f"full-{number}")
            heard.append(answer.status_code)
        assert heard[-1] == 503
        assert answer.json()["code"] == "unavailable"
        assert answer.headers["Retry-After"]
        assert (await world.http.get("/readyz")).status_code == 503
        # The last page may have room for a vote still: whoever is told that it did not count must not be counted.
        await world.slack.click(JONAS, packet.channel, packet.ts, "approve")
        refused = "This did not count" in str([view.view for view in world.slack.modals(JONAS)])
        assert (await world.read(asked))["state"] == ("pending" if refused else "approved")
    accepted = [number for number, status in enumerate(heard) if status == 201]
    assert set(heard) == {201, 503}
    await world.click(JONAS, packet, force=True)
    assert (await world.read(asked))["state"] == "approved"
    for number in range(40):
        again = await world.http.post(
            "/v1/proposals", headers={"Idempotency-Key": f"full-{number}"}, content=_sent(world, number)
        )
        assert again.status_code == (200 if number in accepted else 201)
    assert (await world.http.get("/readyz")).status_code == 200


def _sent(world: World, number: int) -> bytes:
    return [heard.sent for heard in world.heard if heard.path == "/v1/proposals"][1 + number]


async def test_a_full_disk_makes_no_storm_in_slack(world: World) -> None:
    """While nothing can be written down, an update that cannot be recorded is not sent again and again."""
    asked = await world.propose(180)
    packet = await world.packet_of(asked)
    await world.settled()
    before = len(world.slack.calls)
    await world.http.post(f"/v1/proposals/{asked['id']}/cancel")
    with full_disk(world):
        heard = 0
        while heard != 503:
            heard = (await world.post_proposal(42)).status_code

        async def a_moment() -> bool:
            world.running.worker.wake()
            return world.running.wiring.clock().timestamp() - began > 1.0

        began = world.running.wiring.clock().timestamp()
        await world.until(a_moment, "a second")
    updates = [call for call in world.slack.calls[before:] if call.method.startswith("chat.")]
    assert len(updates) <= 6
    await world.settled()
    assert not votable(packet)
