"""For how long each detached value is kept: what is personal for 30 days, the record as long as its policy says."""

from typing import Final

from approval_rules.events import Event, Submitted
from approval_rules.question_events import Edited
from approval_rules.state import Proposal

PERSONAL_DAYS: Final = 30
RECORD_DAYS: Final = 365
MARK_DAYS: Final = 2
APART: Final = "personal"
"""The name of the value that holds those of an action's arguments that its contract marks as personal."""
PERSONAL: Final = frozenset({"summary", "context", "looked_up", "detail", "text", "report", APART})
"""The detached fields that hold what an agent or a person wrote or looked up about others; all else is the record."""
_TYPED: Final = PERSONAL | {"typed"}


def record_days(event: Event, proposal: Proposal | None) -> int:
    """Give the days for which the record of this event is kept; the proposal is the one that it is about."""
    if isinstance(event, Submitted | Edited):
        return event.requirement.retain_days or RECORD_DAYS
    return (None if proposal is None else proposal.requirement.retain_days) or RECORD_DAYS


def personal_of(event: Event) -> frozenset[str]:
    """Name the detached fields that are personal in this event: where arguments are, so is what was typed of them."""
    return _TYPED if isinstance(event, Submitted) and event.requirement.personal else PERSONAL


def days_of(name: str, record: int, personal: frozenset[str] = PERSONAL) -> int:
    """Give the days for which one detached value is kept."""
    return min(PERSONAL_DAYS, record) if name in personal else record
