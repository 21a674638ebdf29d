"""What happened around the kill switch besides pauses: drills, keys that were ended in a hurry, operators' keys."""

from dataclasses import dataclass
from datetime import datetime

from approval_rules.people import Actor


@dataclass(frozen=True, slots=True)
class DrillHeld:
    """A drill of the kill switch: whether a claim was refused right after a pause, and was given after the resume.

    `refused_after_us` is the time from the commit of the pause to the refusal, in microseconds; `replica` names the
    server that answered; `fault` says what went wrong.
    """

    at: datetime
    by: Actor
    drill: str
    ok: bool
    replica: str
    refused_after_us: int | None
    fault: str | None
