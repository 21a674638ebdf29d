"""Links that are a few words under this server's secret: what they are about, and until when. Decides nobody's right.

Nothing about a link is kept here; whoever lets one be used keeps what makes it a link for one time.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from bot.desk.wiring import Wiring


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A link that is ours and not over yet. `session` is a second secret, made of the first."""

    words: tuple[str, ...]
    ends_at: datetime
    seconds: int
    session: str = field(repr=False)


class SignedLinks:
    """The links of one server for one purpose, each of the same life."""

    def __init__(self, wiring: Wiring, purpose: str, life: timedelta) -> None:
        self._clock = wiring.clock
        self._secret = wiring.key.derive(purpose)
        self._life = life

    def name(self, *words: str) -> str:
        """Write a link; no word may have a dot in it."""
        text = ".".join([*words, str(int((self._clock() + self._life).timestamp()))])
        return f"{text}.{self._mac('link', text)}"

    def read(self, unverified_name: str) -> SignedLink | None:
        """Read a link; None where it is over or was never one of ours."""
        text, _, mac = unverified_name.rpartition(".")
        if not hmac.compare_digest(self._mac("link", text).encode(), mac.encode()):
            return None
        *words, ends = text.split(".")
        now = self._clock()
        ends_at = datetime.fromtimestamp(int(ends), now.tzinfo)
        seconds = int(ends) - int(now.timestamp())
        return None if seconds < 0 else SignedLink(tuple(words), ends_at, seconds, self._mac("session", text))

    def _mac(self, what: str, text: str) -> str:
        return hmac.new(self._secret, f"{what}:{text}".encode(), sha256).hexdigest()
