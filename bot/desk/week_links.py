"""Links to a weekly review: each opens once, in one browser, and is over in minutes. Decides nobody's right to one.

A link is a report's name, an end and a number of its own under this server's secret; nothing about it is kept but that
it was opened. The browser that opens it gets a second secret, made of the first, as a cookie for this page alone.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.clock import Clock
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
        self._clock: Clock = wiring.clock
        self._secret = wiring.key.derive(_PURPOSE)

    def name(self, report: str, number: str) -> str:
        """Write a link to a report; `number` makes it one of its own."""
        ends = int((self._clock() + LINK_LIFE).timestamp())
        text = f"{report.removeprefix('sha256:')}.{ends}.{number}"
        return f"{text}.{self._mac('link', text)}"

    async def opened(self, unverified_name: str, unverified_session: str | None) -> Opened | None:
        """Open a link; None where it is over, was never one of ours, or was opened by another browser before."""
        text, _, mac = unverified_name.rpartition(".")
        if not hmac.compare_digest(self._mac("link", text).encode(), mac.encode()):
            return None
        report, ends, _number = text.split(".")
        seconds = int(ends) - int(self._clock().timestamp())
        if seconds < 0:
            return None
        session = self._mac("session", text)
        if not hmac.compare_digest((unverified_session or "").encode(), session.encode()):
            name = hashlib.sha256(f"review-link:{text}".encode()).hexdigest()
            if not await written(self._wiring, lambda tx: tx.first_seen(name)):
                return None
        return Opened(f"sha256:{report}", session, seconds)

    def _mac(self, what: str, text: str) -> str:
        return hmac.new(self._secret, f"{what}:{text}".encode(), hashlib.sha256).hexdigest()
