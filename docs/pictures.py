# ruff: noqa: INP001 - a program beside the text that it illustrates, not a package
"""Makes docs/images: the real server, the local Slack and its page, photographed in Chromium at a set time.

`make pictures` runs it; `make pictures ARGS="red page"` makes those parts alone. It must never draw anything itself:
what a picture shows is what a person would have seen.
"""

import asyncio
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import async_playwright

from docs.camera import HERE, Camera
from docs.evidence_pictures import photograph_evidence
from docs.factor_pictures import photograph_codes
from docs.key_pictures import photograph_new_key
from docs.packet_pictures import photograph_packets
from docs.page_pictures import photograph_page
from docs.passkey_pictures import photograph_passkeys
from docs.people_pictures import photograph_amending, photograph_calling, photograph_home, photograph_review
from docs.red_pictures import photograph_red
from docs.week_pictures import photograph_week

ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none")
PARTS: Final[dict[str, Callable[[Camera, Path], Awaitable[None]]]] = {
    "red": photograph_red,
    "page": photograph_page,
    "packets": photograph_packets,
    "amending": photograph_amending,
    "calling": photograph_calling,
    "home": photograph_home,
    "keys": photograph_new_key,
    "review": photograph_review,
    "week": photograph_week,
    "evidence": photograph_evidence,
    "codes": photograph_codes,
    "passkeys": photograph_passkeys,
}


async def main(*wanted: str) -> None:
    """Make the pictures of these parts, or of all."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("The pictures are taken in Chromium, and none is on the PATH.")
    unknown = sorted({*wanted} - {*PARTS})
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    logging.getLogger("uvicorn.error").disabled = True  # the agent still waits when its server is put away
    HERE.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        camera = Camera(browser, await browser.new_page())
        for name in wanted or PARTS:
            with TemporaryDirectory() as folder:
                await PARTS[name](camera, Path(folder))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
