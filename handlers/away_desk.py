"""What a person may say about being away. The edges own this interface; `bot.desk.away` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from approval_rules.people import RoleName
from approval_rules.refusals import Refusal

if TYPE_CHECKING:
    from handlers.desk import Envelope, Face


@dataclass(frozen=True, slots=True)
class Away:
    """Who is away until when, and who is called instead."""

    who: "Face"
    until: datetime
    delegate: "Face | None"


@dataclass(frozen=True, slots=True)
class Duty:
    """A role in which a person takes turns: whether it is that person's turn, and when that changes, if soon."""

    role: RoleName
    now: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class AwaySaid:
    """What became of it: `refusal` None means done, unless the words could not be read (`unread`).

    `away` is how things stand now, and `zone` the name of the time zone in which the words were read.
    """

    refusal: Refusal | None
    away: Away | None
    zone: str
    unread: bool = False


class AwayDesk(Protocol):
    """Out of office."""

    async def go_away(self, who: "Envelope", until: str, delegate: str | None) -> AwaySaid:
        """Note that somebody is away; `delegate` is a Slack user id, `until` words such as `until friday`."""

    async def come_back(self, who: "Envelope") -> AwaySaid:
        """End it before its time."""

    async def decline(self, who: "Envelope") -> "Sequence[Away] | Refusal":
        """Stand in for nobody; gives for whom that was so until now."""

    async def away_now(self, who: "Envelope") -> AwaySaid:
        """Tell how things stand."""
