"""The names in a condition that no argument and no fact may bear, such as `now` and `incident`. Reads no clock."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Final

from approval_rules.people import Agent
from approval_rules.text import AgentJson, Json, unwrap_object

RESERVED: Final[Mapping[str, tuple[str, ...]]] = {
    "now": ("date", "time", "hour", "weekday", "holiday", "workday"),
    "agent": ("id", "name"),
    "run": (
        *("id", "model", "prompt_version", "workflow_version"),
        *("tool_calls", "tokens", "elapsed_s", "cost_usd", "started_by"),
    ),
    "environment": (),
    "incident": (),
}
"""Each name that only the server fills, with its fields; one without fields is a value itself.

`run` is what the agent said about its run.
"""
PERSONAL: Final = "pii"
"""The annotation of a contract (`x-touches`) that says: this is about a person, and is kept for less long."""
TOUCHES: Final[Mapping[str, str]] = {"touches_pii": PERSONAL, "touches_admin": "admin"}
"""The names that are true where an argument bears an annotation of the contract (`x-touches`), and which one."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SATURDAY = 5


def moment(at: datetime, zone: tzinfo = UTC, holidays: frozenset[str] = frozenset()) -> Mapping[str, Json]:
    """Give the fields of `now` at a moment; `holidays` are dates such as `2026-12-25` in the zone."""
    local = at.astimezone(zone)
    date = f"{local:%Y-%m-%d}"
    return {
        "date": date,
        "time": f"{local:%H:%M}",
        "hour": local.hour,
        "weekday": _WEEKDAYS[local.weekday()],
        "holiday": date in holidays,
        "workday": local.weekday() < _SATURDAY and date not in holidays,
    }


def around(environment: str, *, incident: bool) -> Mapping[str, Json]:
    """Give `environment`, which is the server's, and `incident`: whether people said that one is going on."""
    return {"environment": environment, "incident": incident}


def about(agent: Agent) -> Mapping[str, Json]:
    """Give the fields of `agent`."""
    return {"id": agent.id, "name": agent.name}


def noted(known: Mapping[str, Json]) -> AgentJson:
    """Put what the server told the rules by name into a form for the log; None is what could not be told.

    Numbers are text, for a sum may be longer than a number in the log may be; a text stands in a list of its own. As
    sums are made of what agents sent, they are kept and erased as that is.
    """
    return AgentJson({name: _note(value) for name, value in known.items()})


def recalled(recorded: AgentJson | None) -> Mapping[str, Json]:
    """Give the values back; nothing where none were recorded, or they have been erased."""
    found = {} if recorded is None else unwrap_object(recorded)
    return {name: _recall(value) for name, value in found.items()}


def _note(value: Json) -> Json:
    if value is None or isinstance(value, bool):
        return value
    return [value] if isinstance(value, str) else str(value)


def _recall(note: Json) -> Json:
    if isinstance(note, str):
        return Decimal(note)
    return note[0] if isinstance(note, Sequence) else note
