# ruff: noqa: INP001 - beside the program that uses it
"""The demo's page: at a desk, in the dark, on a phone."""

from pathlib import Path

from bot.demo.routes import DemoRoutes
from bot.demo.stage import AT_ONCE, Stage, staged
from bot.slack_standin.workspace import JONAS, MAYA, REFUND_APPROVALS
from docs.camera import DESKTOP, ON_PHONE, PHONE, Camera, SetClock
from tests.world import until


async def photograph_page(camera: Camera, folder: Path) -> None:
    """Photograph the demo with one of two approvals given: at a desk, in the dark, on a phone."""
    routes = DemoRoutes()
    async with staged(folder, pace=AT_ONCE, routes=routes.routes(), clock=SetClock()) as stage:
        routes.stage = stage
        await _play(stage)
        url = f"{stage.slack.url}?as={JONAS}"
        for name, size, how in (
            ("page-desktop", DESKTOP, {}),
            ("page-dark", DESKTOP, {"color_scheme": "dark"}),
            ("page-phone", PHONE, ON_PHONE),
        ):
            async with camera.look(url, size, **how) as page:
                await page.locator(".message").first.wait_for()
                await camera.take(name, page)


async def _play(stage: Stage) -> None:
    await stage.agent.propose_next("small-standard")
    await stage.agent.propose_next("rich-pro")
    packet = await stage.slack.next_message(REFUND_APPROVALS)

    async def counted() -> bool:
        await stage.slack.click(MAYA, packet.channel, packet.ts, "approve")
        return "1 of 2" in packet.text

    await until(counted, "Maya's approval")
