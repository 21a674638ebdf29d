# ruff: noqa: INP001 - beside the program that uses it
"""A browser that takes small pictures of the local Slack at a set time. It must never draw anything itself."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Browser, BrowserContext, Locator, Page

from bot.clock import SteadyClock
from docs.palette import with_palette
from tests.movable_clock import MovableClock

HERE: Final = Path(__file__).parent / "images"
NINE_FOURTEEN: Final = datetime(2026, 11, 21, 9, 14, tzinfo=UTC)
MOST_BYTES: Final = 150_000
_QUALITIES: Final[tuple[tuple[Literal["device", "css"], int], ...]] = (("device", 48), ("device", 24), ("css", 256))
DESKTOP: Final = (1280, 800)
PHONE: Final = (360, 740)
CARD: Final = (720, 2400)
ON_PHONE: Final[dict[str, Any]] = {"is_mobile": True, "has_touch": True}


class SetClock(MovableClock):
    """Starts on a Saturday morning whenever the pictures are made, and runs from there."""

    def __init__(self) -> None:
        super().__init__()
        self.move(NINE_FOURTEEN - SteadyClock()())


@dataclass(frozen=True, slots=True)
class Camera:
    """A browser that takes small pictures into `folder`; `card` is as wide as a packet is shown, in points."""

    browser: Browser
    dark_room: Page
    folder: Path = HERE
    card: tuple[int, int] = CARD
    how: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, url: str, size: tuple[int, int], **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 - new_context's
        """Open a page as a person in London would see it in November: UTC, twenty-four hours."""
        context: BrowserContext = await self.browser.new_context(
            **{
                "viewport": {"width": size[0], "height": size[1]},
                "device_scale_factor": 2,
                "timezone_id": "UTC",
                "locale": "en-GB",
                "reduced_motion": "reduce",
                **self.how,
                **how,
            }
        )
        page = await context.new_page()
        await page.goto(url)
        yield page
        await context.close()

    @asynccontextmanager
    async def look(self, url: str, size: tuple[int, int], **how: Any) -> AsyncIterator[Page]:  # noqa: ANN401 - new_context's
        """Open the local Slack, and wait until everybody is there."""
        async with self.open(url, size, **how) as page:
            await page.locator("#people [aria-checked=true]").wait_for(state="attached")
            yield page

    async def take(self, name: str, what: Page | Locator, *, whole: bool = False) -> None:
        """Take one picture of what is there now (`whole`: also what lies below the edge of the window).

        At two pixels a point, unless that would be too large.
        """
        more: dict[str, Any] = {"full_page": True} if whole else {}
        for scale, colours in _QUALITIES:
            png = await with_palette(
                await what.screenshot(scale=scale, animations="disabled", caret="hide", **more), self.dark_room, colours
            )
            if len(png) <= MOST_BYTES:
                break
        else:
            raise SystemExit(f"{name}: {len(png):,} bytes are more than {MOST_BYTES:,}")
        (self.folder / f"{name}.png").write_bytes(png)
        sys.stdout.write(f"{name}.png: {len(png) // 1000} kB\n")
