"""Links to a weekly review: each opens once, in one browser, and is over in minutes. Decides nobody's right to one.

A link is a report's name and a number of its own; nothing about it is kept but that it was opened. The browser that
opens it gets a second secret, made of the first, as a cookie for this page alone.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.desk.signed_links import SignedLinks
from bot.desk.wiring import Wiring, written

LINK_LIFE: Final = timedelta(minutes=15)
_PURPOSE: Final = "review-links/v1"


@dataclass(frozen=True, slots=True)
class Opened:
    """A link in the hands of the browser that may use it: for how many seconds, and what that browser shows for it."""

    report: str
    session: str
    seconds: int


class WeekLinks:
    """The links of one server."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._links = SignedLinks(wiring, _PURPOSE, LINK_LIFE)

    def name(self, report: str, number: str) -> str:
        """Write a link to a report; `number` makes it one of its own."""
        return self._links.name(report.removeprefix("sha256:"), number)

    async def opened(self, unverified_name: str, unverified_session: str | None) -> Opened | None:
        """Open a link; None where it is over, was never one of ours, or was opened by another browser before."""
        link = self._links.read(unverified_name)
        if link is None:
            return None
        if not hmac.compare_digest((unverified_session or "").encode(), link.session.encode()):
            name = hashlib.sha256(f"review-link:{link.session}".encode()).hexdigest()
            if not await written(self._wiring, lambda tx: tx.first_seen(name)):
                return None
        return Opened(f"sha256:{link.words[0]}", link.session, link.seconds)
