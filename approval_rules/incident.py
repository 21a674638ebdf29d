"""Declaring an incident and ending it: what follows from either. Stops nothing; policies read whether there is one."""

from typing import Literal, assert_never

from approval_rules.commands import ClearIncident, DeclareIncident, IncidentCommand
from approval_rules.events import IncidentChanged, IncidentEvent, IncidentRefused, Refusal
from approval_rules.people import Flaw
from approval_rules.switch import Switch


def decide_incident(switch: Switch, command: IncidentCommand) -> IncidentEvent:
    """Judge one command; a refusal is an event too."""
    refusal = _refusal(switch, command)
    if refusal is not None:
        return IncidentRefused(command.at, command.by, refusal)
    change: Literal["declared", "cleared"] = "declared" if isinstance(command, DeclareIncident) else "cleared"
    return IncidentChanged(command.at, command.by, change, command.reason)


def _refusal(switch: Switch, command: IncidentCommand) -> Refusal | None:
    flaw = command.standing.flaw if command.standing else None
    match command:
        case DeclareIncident():
            # As with a pause: when Slack cannot say who somebody is, the warning still counts.
            if flaw is not None and flaw is not Flaw.DIRECTORY_DOWN:
                return Refusal(flaw.value)
            return Refusal.INCIDENT_ON if switch.incident else None
        case ClearIncident():
            if flaw is not None:
                return Refusal(flaw.value)
            if not command.may_resume:
                return Refusal.NOT_OPERATOR
            return None if switch.incident else Refusal.NO_INCIDENT
        case _:
            assert_never(command)
