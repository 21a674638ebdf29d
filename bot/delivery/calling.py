"""Whom a reminder calls: the people who can still act, unless they have quiet hours. It sends nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from approval_rules.duty_events import AwayDeclined, AwaySet
from approval_rules.people import Account, Flaw, PersonId, RoleName
from approval_rules.quiet_hours import quiet_until
from approval_rules.quorum import open_roles
from approval_rules.react import Note
from approval_rules.state import Status
from approval_rules.times import format_time
from bot.desk.apply import people_of
from bot.desk.wiring import Wiring, look_up_all
from bot.store import absences, outbox
from bot.store.outbox import OutboxRow
from bot.store.reads import Snapshot
from bot.store.transaction import Transaction
from handlers.desk import Face, Seen
from handlers.slack.away import away_announcement, declined_words
from handlers.slack.blocks import Block, mentions
from handlers.slack.escape import Safe

MOST_CALLED: Final = 10
QUIET: Final = "quiet hours"
_CALLED: Final = frozenset({None, Flaw.DIRECTORY_DOWN})
REMINDERS: Final = frozenset({Note.HALF_TIME, Note.LAST_CALL})


@dataclass(frozen=True, slots=True)
class Call:
    """Who is called now: people, and the user groups of roles that have more of them than can be named.

    `asleep` are roles with quiet hours now, to be called when these are over. With `wait_until` nobody is called yet.
    """

    users: Sequence[str] = ()
    groups: Sequence[str] = ()
    asleep: Sequence[RoleName] = ()
    wait_until: datetime | None = None

    @property
    def blocks(self) -> Sequence[Block]:
        """Write the call, by ids that are ours."""
        return [mentions(self.users, self.groups)] if self.users or self.groups else ()


async def call(wiring: Wiring, seen: Seen, only: Sequence[RoleName] | None = None) -> Call:
    """Find out whom to call for a proposal that is pending; `only` of these roles, where it says which."""
    if seen.proposal.status is not Status.PENDING:
        return Call()
    folder, at, proposal = wiring.policy.folder, wiring.clock(), seen.proposal
    wanted = open_roles(proposal.approved_by, proposal.requirement.seats) | {proposal.backup or RoleName("")}
    roles = sorted(role for role in wanted & folder.roles.keys() if only is None or role in only)
    loud = {role: None if proposal.requirement.urgent else quiet_until(folder.quiet_of(role), at) for role in roles}
    awake = [role for role in roles if loud[role] is None]
    wakes = [until for until in loud.values() if until is not None]
    if wakes and not awake and min(wakes) < proposal.expires_at:
        return Call(wait_until=min(wakes))
    # Waiting for a morning that comes after the deadline would help nobody.
    asleep = [role for role in roles if (until := loud[role]) is not None and awake and until < proposal.expires_at]
    cannot = {seen.faces[person].user_id for person in people_of(proposal) if person in seen.faces}
    users, groups = await people_in(wiring, [role for role in roles if role not in asleep], cannot)
    return Call(users, groups, asleep)


async def people_in(
    wiring: Wiring, roles: Sequence[RoleName], cannot: Collection[str] = ()
) -> tuple[Sequence[str], Sequence[str]]:
    """Name the people of some roles who are there, without those who `cannot`; beyond ten their groups too."""
    directory = wiring.directory
    people: dict[str, None] = {}
    handles: list[tuple[str, bool]] = []
    for role in roles:
        members = wiring.policy.folder.roles[role]
        found, known = await directory.members_of(members)
        people.update(dict.fromkeys(sorted(found.difference(cannot))))
        if members.usergroup is not None:
            handles.append((members.usergroup, known))
    many = len(people) > MOST_CALLED
    called = await _who_may(wiring, await _without_absent(wiring, list(people)), cannot)
    groups = [await directory.group_id(handle) for handle, known in handles if many or not known]
    return called[:MOST_CALLED], [group for group in groups if group is not None]


def call_later(row: OutboxRow, roles: Sequence[RoleName], tx: Transaction) -> None:
    """Plan the same reminder once more, for roles that have quiet hours; it waits until these are over."""
    if roles:
        payload = {**row.payload, "roles": list(roles)}
        outbox.plan(tx, row.kind, row.subject, row.wanted_seq, payload, name=f"{row.name}:{'+'.join(roles)}")


async def _without_absent(wiring: Wiring, people: Sequence[str]) -> list[str]:
    """Leave out who is away; their delegates come first, where they may act here themselves."""
    snapshot = wiring.reads.glance()
    found = await snapshot.rows(absences.WHO, {"now": format_time(wiring.clock())})
    away: dict[str, str] = {user: deputy or "" for user, deputy in found}
    first = [away[user] for user in people if away.get(user) in people]
    return [user for user in dict.fromkeys([*first, *people]) if user not in away]


async def _who_may(wiring: Wiring, people: Sequence[str], cannot: Collection[str]) -> list[str]:
    """Leave out accounts that can decide nothing, and others of whoever `cannot`; while Slack is down nobody."""
    first = people[: 2 * MOST_CALLED]
    accounts = {user: _account(wiring, user) for user in (*first, *cannot)}
    members = await look_up_all(wiring.directory, list(accounts.values()))
    barred = {mark for user in cannot for mark in members[accounts[user]].marks}
    may = [user for user in first if members[accounts[user]].flaw in _CALLED]
    return [accounts[user].user_id for user in may if not members[accounts[user]].marks & barred]


def _account(wiring: Wiring, user: str) -> Account:
    """Read an account as roles.yml names it: `WORKSPACE/USER`, or a user of the home workspace."""
    team, _, bare = user.rpartition("/")
    return Account(team or wiring.home_team, bare)


async def away_told(snapshot: Snapshot, event: AwaySet | AwayDeclined) -> tuple[Safe, Sequence[Block]]:
    """Say that somebody is away, and call the delegate, who must know; or that the delegate declined."""
    if isinstance(event, AwayDeclined):
        found = await snapshot.accounts([event.person, PersonId(event.by.ref)])
        who, delegate = (
            Face(found[person][0].user_id, found[person][1]) if person in found else None
            for person in (event.person, PersonId(event.by.ref))
        )
        return declined_words(event, who, delegate), ()
    people = [person for person in (event.person, event.delegate) if person is not None]
    accounts = await snapshot.accounts(people)
    faces = {person: Face(account.user_id, name) for person, (account, name) in accounts.items()}
    delegate = None if event.delegate is None else faces.get(event.delegate)
    called = [mentions([delegate.user_id], [])] if delegate else ()
    return away_announcement(event, faces.get(event.person), delegate), called
