"""What every use case shares: the writer, the readers, the policy in force, the directory, the key, the waiters."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from approval_rules.commands import Draft
from approval_rules.decide import as_resumed
from approval_rules.people import Account, Flaw, PersonId
from approval_rules.policy import Policy, PolicyFolder, RoleMembers
from approval_rules.state import Proposal
from approval_rules.switch import Pause, Switch
from bot.clock import Clock
from bot.desk.apply import named_in
from bot.desk.shifts import KnownShifts
from bot.directory import Member
from bot.keys import SigningKey
from bot.settings import DEFAULT_ENVIRONMENT
from bot.store.engine import StoreUnavailableError
from bot.store.reads import Reads, Snapshot
from bot.store.rows import Loaded
from bot.store.transaction import Transaction
from bot.store.writer import Writer
from handlers.desk import DeskUnavailableError, Face, Seen

T = TypeVar("T")


class Directory(Protocol):
    """Who somebody is in Slack, at most a minute old."""

    async def look_up(self, account: Account) -> Member:
        """Give what Slack says about an account; a failure is a flaw."""

    async def account_of(self, email: str) -> str | Flaw:
        """Give the user id of an address, or why there is none."""

    async def group_id(self, handle: str) -> str | None:
        """Give a user group's id; None where Slack does not say."""

    async def members_of(self, role: RoleMembers) -> tuple[frozenset[str], bool]:
        """Give who fills a role now, and whether that is everybody."""


class Waiters:
    """Agents that wait for a decision: woken when a commit touched their proposal."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.dismissed = False

    def add(self, proposal: str) -> asyncio.Event:
        """Start to wait; MUST be followed by `remove`."""
        event = asyncio.Event()
        self._events[proposal].add(event)
        return event

    def remove(self, proposal: str, event: asyncio.Event) -> None:
        """Stop to wait."""
        self._events[proposal].discard(event)
        if not self._events[proposal]:
            del self._events[proposal]

    def dismiss(self) -> None:
        """The server stops: everyone who waits is answered with the present state."""
        self.dismissed = True
        self.wake(tuple(self._events))

    def wake(self, proposals: Iterable[str]) -> None:
        """Wake who waits for these; called on the event loop."""
        for proposal in proposals:
            for event in self._events.get(proposal, ()):
                event.set()


@dataclass(slots=True)
class PolicyInForce:
    """The policy folder that decides now; a reload replaces it whole. Its rules read which `environment` this is.

    The `candidate` is asked too, and decides nothing; `candidate_fault` says why there is none, though one was named.
    """

    folder: PolicyFolder
    environment: str = DEFAULT_ENVIRONMENT
    candidate: PolicyFolder | None = None
    candidate_fault: str | None = None

    def give_up(self, candidate: PolicyFolder, fault: str) -> None:
        """Ask this candidate no more."""
        if self.candidate is candidate:
            self.candidate, self.candidate_fault = None, fault


def _uncounted(agent: str, tool: str) -> None:
    """Count no breach of a contract: where nobody reads metrics."""


def _unlimited(budget: str) -> None:
    """Count no budget that is used up: where nobody reads metrics."""


async def _nobody_asked(_policy: Policy, draft: Draft) -> Draft:
    """Look nothing up: each fact that should have been is unknown."""
    return draft


@dataclass(frozen=True, slots=True)
class Wiring:
    """Handed to every part of the desk. `home_team` is Slack's id of the workspace that the bot lives in.

    `count_breach` is told the agent's name and the tool once a breach of a contract is recorded.
    `count_exceeded` is told the name of a budget once a proposal was turned away over it.
    `look_up` gives a draft with the facts that its policy looks up; it MUST NOT raise, and takes ten seconds at most.
    """

    writer: Writer
    reads: Reads
    policy: PolicyInForce
    directory: Directory
    key: SigningKey
    clock: Clock
    home_team: str
    waiters: Waiters = field(default_factory=Waiters)
    count_breach: Callable[[str, str], None] = _uncounted
    count_exceeded: Callable[[str], None] = _unlimited
    look_up: Callable[[Policy, Draft], Awaitable[Draft]] = _nobody_asked
    shifts: KnownShifts = field(default_factory=KnownShifts)


async def written(wiring: Wiring, unit: Callable[[Transaction], T]) -> T:
    """Run a unit; an outage of the store becomes the edges' `DeskUnavailableError`."""
    try:
        return await wiring.writer.run(unit)
    except StoreUnavailableError as error:
        raise DeskUnavailableError(str(error)) from error


async def look_up_all(directory: Directory, accounts: Sequence[Account]) -> dict[Account, Member]:
    """Ask the directory about several accounts at once."""
    members = await asyncio.gather(*(directory.look_up(account) for account in accounts))
    return dict(zip(accounts, members, strict=True))


async def seen_from(snapshot: Snapshot, loaded: Loaded) -> Seen:
    """Make the view of a proposal for a reader."""
    return (await all_seen_from(snapshot, [loaded]))[0]


async def all_seen_from(snapshot: Snapshot, several: Sequence[Loaded]) -> list[Seen]:
    """Make the views of several proposals for a reader."""
    switch = await snapshot.switch()
    now = [(as_resumed(one.proposal, switch), one.last_seq) for one in several]
    views = [Seen(proposal, {}, _frozen_by(proposal, switch), last_seq) for proposal, last_seq in now]
    accounts = await snapshot.accounts(person for seen in views for person in named_in(seen.proposal, seen.frozen_by))
    faces = {person: Face(account.user_id, name) for person, (account, name) in accounts.items()}
    return [_named(seen, faces) for seen in views]


def _frozen_by(proposal: Proposal, switch: Switch) -> Pause | None:
    return switch.stops(proposal.agent.id, proposal.tool) if proposal.deadline else None


def _named(seen: Seen, faces: Mapping[PersonId, Face]) -> Seen:
    mine = named_in(seen.proposal, seen.frozen_by)
    return replace(seen, faces={person: faces[person] for person in mine if person in faces})
