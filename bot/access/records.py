"""What the database knows for a review: people, agents, factors, votes, accounts of the machine. Reads only."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from approval_rules.access_events import (
    Access,
    AccessEvent,
    AccessReviewed,
    AccessReviewRefused,
    RoleChanged,
    evolve_access,
)
from approval_rules.events import Event
from approval_rules.people import Account, Agent, PersonId
from approval_rules.step_up import Factor
from approval_rules.times import parse_time
from bot.agents import OS_TEAM
from bot.store import rows
from bot.store.codec import ACCESS
from bot.store.engine import open_reader
from bot.store.folds import recorded_of

RECENT: Final = timedelta(days=90)
_HOLDER: Final = "SELECT coalesce(p.user_id, key_id), person, created_at"
_LIVING: Final = "k LEFT JOIN people p ON p.ref = k.person WHERE revoked_at IS NULL ORDER BY 1"
# Each kind of key besides agents': its holder's name and pseudonym, when it was made, and whether it shows values.
KEYS: Final[Mapping[str, str]] = {
    "operator": f"{_HOLDER}, 0 FROM operator_keys {_LIVING}",
    "auditor": f"{_HOLDER}, shows_values FROM auditor_keys {_LIVING}",
}
_PEOPLE: Final = "SELECT ref, team_id, user_id, name FROM people"
_AGENTS: Final = f"SELECT {rows.AGENT_COLUMNS} FROM agents a WHERE a.revoked_at IS NULL ORDER BY a.name"  # noqa: S608
_FACTORS: Final = (
    "SELECT person, factor FROM credentials WHERE state = 'active' AND factor IN ('passkey', 'totp') ORDER BY factor"
)
_LAST_VOTES: Final = (
    "SELECT json_extract(CAST(body AS TEXT), '$.data.voter') AS voter, max(at) FROM entries"
    " WHERE type = 'vote.counted' GROUP BY voter"
)
_OPERATED: Final = (
    "SELECT json_extract(CAST(body AS TEXT), '$.actor.ref') AS who, max(at) FROM entries"
    " WHERE json_extract(CAST(body AS TEXT), '$.actor.kind') IN ('operator', 'operator-key', 'auditor-key')"
    " GROUP BY who"
)


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that is in force, and whose: `since` is when it was given, a time as stored.

    `values`: it shows what people and agents wrote, and originals for a reason.
    """

    kind: str
    name: str
    holder: PersonId
    since: str
    values: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """One view of the database.

    `agents` are those that are not revoked; `operated` is when an account of the machine, or an operator's key, did
    something last.
    """

    access: Access
    accounts: Mapping[PersonId, tuple[Account, str]]
    agents: Sequence[Agent]
    factors: Mapping[PersonId, frozenset[Factor]]
    voted: Mapping[PersonId, datetime]
    operated: Mapping[PersonId, datetime]
    keys: Sequence[HeldKey] = ()

    @property
    def refs(self) -> Mapping[str, PersonId]:
        """Give the person behind each Slack user id."""
        return {account.user_id: ref for ref, (account, _) in self.accounts.items() if account.team_id != OS_TEAM}

    def concerned(self, at: datetime) -> frozenset[str]:
        """Name the Slack accounts that matter whether or not they have a role: recent voters, and owners of agents."""
        people = {person for person, last in self.voted.items() if last > at - RECENT}
        people |= {agent.owner for agent in self.agents}
        found = [self.accounts[person][0] for person in people if person in self.accounts]
        return frozenset(account.user_id for account in found if account.team_id != OS_TEAM)


def records_at(path: Path) -> Records:
    """Read everything from a database file."""
    with closing(open_reader(path)) as connection:
        connection.execute("BEGIN")
        return records_of(connection)


def records_of(connection: sqlite3.Connection) -> Records:
    """Read everything through a connection."""
    factors: dict[PersonId, frozenset[Factor]] = {}
    for person, factor in connection.execute(_FACTORS):
        factors[PersonId(person)] = factors.get(PersonId(person), frozenset()) | {factor}
    return Records(
        access=access_of(connection),
        accounts={PersonId(ref): (Account(team, user), name) for ref, team, user, name in connection.execute(_PEOPLE)},
        agents=tuple(rows.agent_from(row).agent for row in connection.execute(_AGENTS)),
        factors=factors,
        voted={PersonId(who): parse_time(at) for who, at in connection.execute(_LAST_VOTES) if who},
        operated={PersonId(who): parse_time(at) for who, at in connection.execute(_OPERATED)},
        keys=tuple(
            HeldKey(kind, name, PersonId(holder), since, bool(values))
            for kind, found in KEYS.items()
            for name, holder, since, values in connection.execute(found)
        ),
    )


def access_of(connection: sqlite3.Connection) -> Access:
    """Fold what was recorded about roles and reviews."""
    access = Access()
    for item in recorded_of(connection, ACCESS):
        event = of_access(item.event)
        access = access if event is None else evolve_access(access, event)
    return access


def of_access(event: Event) -> AccessEvent | None:
    """Give the event where it is one of access."""
    return event if isinstance(event, RoleChanged | AccessReviewed | AccessReviewRefused) else None
