"""The kill switch: which scopes are paused, who asked to resume them, how long a clock stood still; and any incident.

An incident stops nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never

from approval_rules.people import Actor, AgentId, ToolName
from approval_rules.text import AgentText

Span: TypeAlias = tuple[datetime, datetime]


class ScopeKind(StrEnum):
    """What a pause stops."""

    ALL = "all"
    AGENT = "agent"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything, one agent (by id) or one tool (by name). `name` is empty for everything."""

    kind: ScopeKind
    name: str = ""

    def covers(self, agent: AgentId, tool: ToolName) -> bool:
        """Tell whether an action of this agent with this tool is stopped."""
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.AGENT:
                return self.name == agent
            case ScopeKind.TOOL:
                return self.name == tool
            case _:
                assert_never(self.kind)


EVERYTHING = Scope(ScopeKind.ALL)


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause from its start until it ended; `until` is a wish set at the start, `ended_at` a fact.

    One that `revokes` takes back what is approved and unclaimed: there is nothing to hold.
    """

    id: str
    scope: Scope
    since: datetime
    by: Actor
    reason: AgentText
    until: datetime | None = None
    ended_at: datetime | None = None
    revokes: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """Since when people say that something is wrong. It stops nothing by itself: policies read it."""

    since: datetime
    by: Actor
    reason: AgentText


@dataclass(frozen=True, slots=True)
class Switch:
    """Every pause that is active or that ended within the life of an open proposal, and the first half of a resume.

    `incident` is None while there is none.
    """

    pauses: tuple[Pause, ...] = ()
    resume_asked_by: tuple[Actor, ...] = ()
    incident: Incident | None = None

    @property
    def active(self) -> tuple[Pause, ...]:
        """The pauses in force."""
        return tuple(pause for pause in self.pauses if pause.ended_at is None)

    def stops(self, agent: AgentId, tool: ToolName) -> Pause | None:
        """Give the pause that stops this agent with this tool: the widest and oldest, or None."""
        stopping = [pause for pause in self.active if pause.scope.covers(agent, tool)]
        return min(stopping, key=lambda pause: (pause.scope.kind is not ScopeKind.ALL, pause.since), default=None)

    def takes_back(self, agent: AgentId, tool: ToolName, approved_at: datetime) -> Pause | None:
        """Give the oldest pause that takes an unclaimed approval of this agent with this tool back, or None.

        Nothing is approved during a pause. One that has ended takes back what was approved before it all the same,
        whenever that is looked at.
        """
        taking = (pause for pause in self.pauses if pause.revokes and pause.scope.covers(agent, tool))
        return next((pause for pause in taking if pause.ended_at is None or approved_at <= pause.since), None)

    def of(self, scope: Scope) -> tuple[Pause, ...]:
        """Give the active pauses of exactly this scope."""
        return tuple(pause for pause in self.active if pause.scope == scope)

    def stood_still(
        self, agent: AgentId, tool: ToolName, since: datetime, now: datetime, counted: Sequence[Span] = ()
    ) -> timedelta:
        """Add up how long the clock of one proposal stood still between `since` and `now` (overlaps count once).

        What lies in the spans `counted` has moved the deadline already.
        """
        pauses = [(pause.since, pause.ended_at or now) for pause in self.pauses if pause.scope.covers(agent, tool)]
        before = _within(counted, since, now)
        return union([*_within(pauses, since, now), *before]) - union(before)


def ended(switch: Switch, ids: Sequence[str], at: datetime) -> Switch:
    """Give the switch after these pauses have ended; a half-done resume of everything ends with its last pause."""
    pauses = tuple(
        replace(pause, ended_at=at) if pause.ended_at is None and pause.id in ids else pause for pause in switch.pauses
    )
    rest = replace(switch, pauses=pauses)
    return rest if rest.of(EVERYTHING) else replace(rest, resume_asked_by=())


def _within(spans: Sequence[Span], since: datetime, now: datetime) -> list[Span]:
    cut = [(max(start, since), min(end, now)) for start, end in spans]
    return [(start, end) for start, end in cut if start < end]


def union(spans: Sequence[Span]) -> timedelta:
    """Add up how long these spans are; what overlaps counts once."""
    total = timedelta()
    reached: datetime | None = None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total
