"""Who is on call: a role whose people take turns. Reads no clock and no file; a moment comes with the question.

A turn is handed over at a time of day in the rota's own zone, so it stays at that time when summer time begins or ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Protocol


class Schedule(Protocol):
    """Who is on call when, as a role of the policy has it."""

    @property
    def source(self) -> str | None:
        """The file of the policy folder that it stands in; None where that is roles.yml."""

    @property
    def people(self) -> frozenset[str]:
        """Everybody who ever takes a turn, as Slack user ids."""

    @property
    def at_once(self) -> int:
        """How many people can be on call at the same moment, at most."""

    def on_call(self, at: datetime) -> frozenset[str]:
        """Give who is on call at a moment; empty where nobody is."""

    def changes(self, since: datetime, until: datetime) -> Sequence[datetime]:
        """List the moments after `since` and before `until` at which somebody else may be on call, in order."""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody takes over from one moment until just before another."""

    start: datetime
    end: datetime
    user: str


@dataclass(frozen=True, slots=True)
class Rota:
    """People who take turns of whole days, in order and again from the first. Exactly one is on call from `start` on.

    `start` is the day on which the first one's turn begins, at `handover` in `zone`. Overrides MUST NOT overlap.
    """

    users: tuple[str, ...]
    days: int
    handover: time
    start: date
    zone: tzinfo
    overrides: tuple[Override, ...] = ()

    @property
    def source(self) -> None:
        """It stands in roles.yml."""

    @property
    def people(self) -> frozenset[str]:
        """Everybody who ever takes a turn."""
        return frozenset(self.users) | {override.user for override in self.overrides}

    @property
    def at_once(self) -> int:
        """One."""
        return 1

    def on_call(self, at: datetime) -> frozenset[str]:
        """Give the one who is on call; nobody before the first turn, unless an override says so."""
        for override in self.overrides:
            if override.start <= at < override.end:
                return frozenset({override.user})
        turn = self._turn(at)
        return frozenset() if turn < 0 else frozenset({self.users[turn % len(self.users)]})

    def changes(self, since: datetime, until: datetime) -> Sequence[datetime]:
        """List every hand-over in between, of turns and of overrides."""
        turns = range(max(self._turn(since), 0), self._turn(until) + 2)
        found = {self._begins(turn) for turn in turns}
        found.update(moment for override in self.overrides for moment in (override.start, override.end))
        return sorted(moment for moment in found if since < moment < until)

    def _turn(self, at: datetime) -> int:
        """Count turns from 0; below 0 before the first one."""
        day = at.astimezone(self.zone).date()
        turn = (day - self.start).days // self.days
        return turn if at >= self._begins(turn) else turn - 1

    def _begins(self, turn: int) -> datetime:
        day = self.start + timedelta(days=turn * self.days)
        return moment_of(day, self.handover, self.zone)


def moment_of(day: date, clock: time, zone: tzinfo) -> datetime:
    """Give the moment at which a clock on the wall shows this.

    A time that comes twice in autumn is the first of the two. One that is left out in spring is as long after the last
    hour as it says, so 02:30 comes when the wall shows 03:30.
    """
    return datetime.combine(day, clock, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on call from a moment until just before another; nobody where `users` is empty."""

    start: datetime
    end: datetime
    users: frozenset[str]


def turns(schedule: Schedule, since: datetime, until: datetime) -> list[Turn]:
    """List the turns of a span of time, without a gap between them."""
    found: list[Turn] = []
    moments = [since, *schedule.changes(since, until), until]
    for start, end in pairwise(moments):
        users = schedule.on_call(start)
        if found and found[-1].users == users:
            found[-1] = Turn(found[-1].start, end, users)
        else:
            found.append(Turn(start, end, users))
    return found


def next_change(schedule: Schedule, user: str, at: datetime, within: timedelta) -> datetime | None:
    """Give when somebody's turn ends, or begins; None where that is not within such a time."""
    first, *rest = turns(schedule, at, at + within)
    return next((turn.start for turn in rest if (user in turn.users) != (user in first.users)), None)
