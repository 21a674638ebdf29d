"""What our messages carry unseen, so that one whose posting was never written down can be found again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from handlers.desk import Seen

PACKET_EVENT: Final = "foureyes_packet"
ESCALATION_EVENT: Final = "foureyes_escalation"


class Mark(NamedTuple):
    """What a message of ours carries, so that it can be found again; it was posted after `since`."""

    event: str
    field: str
    value: str
    since: datetime

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The message's metadata."""
        return {"event_type": self.event, "event_payload": {self.field: self.value}}

    def is_on(self, message: Mapping[str, Any], bot_id: str) -> bool:
        """Whether a message is the marked one. Any app may write any metadata: the author must be our bot."""
        metadata = message.get("metadata") or {}
        return (
            message.get("bot_id") == bot_id
            and metadata.get("event_type") == self.event
            and (metadata.get("event_payload") or {}).get(self.field) == self.value
        )


def packet_mark(seen: Seen) -> Mark:
    """Give what a proposal's packet carries."""
    return Mark(PACKET_EVENT, "proposal", seen.proposal.id, seen.proposal.created_at)
