# ruff: noqa: INP001 - beside the program that uses it
"""The pictures of docs/weekly-review.md: the message in Slack, and the whole report at a desk and on a phone."""

from pathlib import Path

from bot.slack_standin.workspace import AGENT_OPS, MAYA, PRIYA
from docs.camera import ON_PHONE, PHONE, Camera, SetClock
from tests.paged_world import PagedWorld


async def photograph_week(camera: Camera, folder: Path) -> None:
    """Let a week pass, and photograph what stands in Slack on Monday and what Maya reads."""
    world = PagedWorld(folder)
    world.clock = SetClock()
    async with world:
        message = await world.busy_week()
        async with camera.open(await world.review_link(MAYA, message), (1100, 1000)) as page:
            await camera.take("week", page)
        async with camera.open(await world.review_link(MAYA, message), PHONE, **ON_PHONE) as page:
            await page.get_by_text("Decided in under five seconds (").scroll_into_view_if_needed()
            await camera.take("week-phone", page)
        async with camera.look(f"{world.slack.url}?as={PRIYA}", camera.card) as page:
            await page.locator("#channel-select").select_option(AGENT_OPS, force=True)
            shown = page.locator(f'.message[data-key="{message.ts}"]')
            await shown.wait_for()
            await camera.take("message-week", shown)
