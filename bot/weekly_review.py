"""Puts the weekly review together: who makes it, who shows it, who takes signatures. Holds no logic."""

from zoneinfo import ZoneInfo

from starlette.routing import BaseRoute

from bot.desk.weekly import WeeklyUseCases
from bot.desk.wiring import Wiring
from bot.review.making import WeekMaking
from bot.settings import Settings
from handlers.web.review_pages import review_routes


class WeeklyReview:
    """The weekly review of one server."""

    def __init__(self, wiring: Wiring, settings: Settings) -> None:
        self._policy = wiring.policy
        self.desk = WeeklyUseCases(wiring, settings.public_url)
        self.making = WeekMaking(wiring.reads.path, wiring.writer.run, wiring.clock, ZoneInfo(settings.time_zone))
        url = settings.public_url
        self.pages: list[BaseRoute] = review_routes(self.desk, secure=url.startswith("https:")) if url else []

    async def look(self) -> None:
        """Make what is due, and call whom it is time to call."""
        await self.making.look(self._policy.folder)
