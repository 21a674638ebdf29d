# ruff: noqa: INP001 - a program beside the text that it illustrates, not a package
"""The pictures of docs/passkeys.md: a passkey asked for in Slack, on the page at a desk and on a phone.

`docs/pictures.py` runs it. It must never draw anything itself.
"""

from pathlib import Path
from typing import Any, Final

from bot.slack_standin.workspace import JONAS, MAYA
from docs.camera import ON_PHONE, PHONE, Camera, SetClock
from docs.packet_pictures import REFUND
from tests.passkey_world import AUTHENTICATOR, PasskeyWorld, url_in

SIZES: Final[dict[str, tuple[tuple[int, int], dict[str, Any]]]] = {
    "confirm-desktop": ((1280, 1000), {}),
    "confirm-dark": ((1280, 1000), {"color_scheme": "dark"}),
    "confirm-phone": (PHONE, ON_PHONE),
}
_TALL: Final = (360, 1240)


async def photograph_passkeys(camera: Camera, folder: Path) -> None:
    """Let Jonas be asked, at a desk, in the dark and on a phone; then Maya enrols and approves on hers."""
    world = PasskeyWorld(folder)
    world.clock = SetClock()
    async with world:
        await world.holding(JONAS)
        packet = await world.packet_of(await world.propose(**REFUND))
        for name, (size, how) in SIZES.items():
            async with camera.open(url_in(await world.press(JONAS, packet)), size, **how) as page:
                await camera.take(name, page)
        async with camera.open("about:blank", _TALL, **ON_PHONE) as page:
            cdp = await page.context.new_cdp_session(page)
            await cdp.send("WebAuthn.enable")
            await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
            await page.goto(await world.enrolment(MAYA))
            await camera.take("enrol-passkey", page)
            await page.get_by_role("button").click()
            await page.get_by_text("another person must confirm it in Slack.").last.wait_for()
            await world.confirm(MAYA)
            await page.goto(url_in(await world.press(MAYA, packet)))
            await page.get_by_role("button").click()
            await page.get_by_text("Your approval counts").wait_for()
            await camera.take("confirm-done", page)
        async with camera.look(f"{world.slack.url}?as={JONAS}", camera.card) as page:
            dialog = page.get_by_role("dialog", name="One step more")
            await dialog.wait_for()
            await camera.take("dialog-passkey", dialog)
