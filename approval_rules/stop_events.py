"""What happened around the kill switch besides pauses: drills, keys that were ended in a hurry, operators' keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.people import Actor, Agent, PersonId


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


@dataclass(frozen=True, slots=True)
class OperatorKeyChanged:
    """An operator was given a key for the HTTP endpoints of the kill switch, or it was taken away.

    `fingerprint` tells which key was given.
    """

    at: datetime
    by: Actor
    holder: PersonId
    key: str
    change: Literal["added", "revoked"]
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class AgentKeysEnded:
    """Every key of an agent was ended at once, in Slack; new ones are made on the machine."""

    at: datetime
    by: Actor
    agent: Agent


StopEvent: TypeAlias = DrillHeld | OperatorKeyChanged | AgentKeysEnded
