"""What Slack's edge may ask for about the access review. The edges own this interface; `bot.desk` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from approval_rules.refusals import Refusal
from handlers.desk import Envelope


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """A report in a few figures; `warnings` hold names as people wrote them."""

    digest: str
    at: str
    policy: str
    people: int
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class SignedReview:
    """What became of a signature: `refusal` None means that it counts; else `complete` says nothing."""

    refusal: Refusal | None
    complete: bool = False


class ReviewDesk(Protocol):
    """The access review, for people in Slack."""

    async def ask_report(self, who: Envelope) -> Refusal | None:
        """Have a report made and sent to whoever asked; it comes later, as a message to that person alone."""

    async def sign_report(self, who: Envelope, unverified_digest: str) -> SignedReview:
        """Say that this person has read this report; a refusal is recorded."""
