"""Who fills a role, as roles.yml says it. Knows no Slack: user ids and handles are only names here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from approval_rules.on_call import Schedule
from approval_rules.people import Flaw, PersonId, RoleName
from approval_rules.quiet_hours import QuietHours

AHEAD = timedelta(days=100)
"""How far ahead the end of a turn is looked for."""


@dataclass(frozen=True, slots=True)
class RoleMembers:
    """Who fills a role: Slack user ids, and the members of a user group by its handle; or whoever is `on_call`.

    A user of another workspace is `TEAM/USER`. Guests count only where the role `admits` them; bots never do. `quiet`
    are the role's own quiet hours; None where the folder's count.
    """

    users: frozenset[str]
    usergroup: str | None
    admits: frozenset[Flaw] = frozenset()
    on_call: Schedule | None = None
    quiet: tuple[QuietHours, ...] | None = None

    @property
    def people(self) -> frozenset[str]:
        """Everybody whom the file itself names, on duty or not."""
        return self.users if self.on_call is None else self.on_call.people


@dataclass(frozen=True, slots=True)
class Shift:
    """Who has the turn in a role, and until when; None where that is more than AHEAD away. Nobody where it is empty."""

    role: RoleName
    users: frozenset[str]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A shift as a packet showed it: `people` are persons, whatever their accounts."""

    role: RoleName
    people: tuple[PersonId, ...]
    until: datetime | None


def shifts(roles: Mapping[RoleName, RoleMembers], at: datetime) -> tuple[Shift, ...]:
    """Give who has the turn at a moment in each of the roles that are schedules."""
    found = []
    for role in sorted(roles):
        schedule = roles[role].on_call
        if schedule is not None:
            users = schedule.on_call(at)
            ends = (moment for moment in schedule.changes(at, at + AHEAD) if schedule.on_call(moment) != users)
            found.append(Shift(role, users, next(ends, None)))
    return tuple(found)
