# ruff: noqa: INP001 - beside the program that uses it
"""The picture of docs/evidence.md: the page of an evidence pack."""

from pathlib import Path

from bot.slack_standin.workspace import JONAS, MAYA, SAM
from docs.camera import Camera, SetClock
from tests.bot.evidence.packed import pack
from tests.world import World

_DESK = (1100, 1000)


async def photograph_evidence(camera: Camera, folder: Path) -> None:
    """Let a refund be approved and run, and somebody try who may not."""
    world = World(folder / "world")
    world.clock = SetClock()
    async with world:
        proposal = await world.propose(
            180,
            arguments={"amount_usd": 180, "order_id": "ORD-20466", "customer_id": "CUS-1187"},
            summary="Charged twice for the November plan. Refund the second charge.",
        )
        packet = await world.packet_of(proposal)
        for user, minutes in ((SAM, 2), (MAYA, 3), (JONAS, 4)):
            await world.move(minutes=minutes)
            await world.click(user, packet)
        await world.settled()
        await world.claim(proposal)
        await world.report(proposal)
        await world.settled()
        page = folder / "index.html"
        page.write_bytes(pack(world, proposal).files["index.html"])
        async with camera.open(page.as_uri(), _DESK) as opened:
            await camera.take("evidence", opened)
