# ruff: noqa: INP001 - beside the program that uses it
"""The pictures of docs/pause.md about an agent's new key: the modal in Slack, and the page at a desk and on a phone."""

from pathlib import Path

from bot.slack_standin.workspace import AGENT_OPS, SAM
from docs.camera import ON_PHONE, PHONE, Camera, SetClock
from tests.paged_world import PagedWorld


async def photograph_new_key(camera: Camera, folder: Path) -> None:
    """Let the owner end an agent's keys, and photograph the way to the new one, which opens nothing anywhere."""
    world = PagedWorld(folder)
    world.clock = SetClock()
    async with world:
        await world.say(SAM, "pause agent refund-bot its key leaked")
        await world.settled()
        paused = world.slack.messages(AGENT_OPS)[-1]
        async with camera.look(f"{world.slack.url}?as={SAM}", (1280, 800)) as page:
            await page.locator("#channel-select").select_option(AGENT_OPS, force=True)
            message = page.locator(f'.message[data-key="{paused.ts}"]')
            await message.get_by_role("button", name="End the agent").click()
            await page.get_by_role("button", name="End the keys").click()
            modal = page.get_by_role("dialog").filter(has_text="Keys ended")
            await modal.wait_for()
            await camera.take("dialog-new-key", modal)
        link = world.newest_link(SAM)
        async with camera.open(link, PHONE, **ON_PHONE) as page:
            await camera.take("new-key-phone", page)
        async with camera.open(link, (800, 640)) as page:
            await page.get_by_role("button", name="Make and show").click()
            await page.get_by_role("heading", name="The new key").wait_for()
            await camera.take("new-key", page)
