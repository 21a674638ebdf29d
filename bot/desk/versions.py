"""Which policy version decides, and how another one comes to: the one place that activates, proposes or rolls back.

Everything is recorded in the log and told to people in the same transaction; the files are kept in the store.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from approval_rules.commands import Cancel, Submit
from approval_rules.decide import POLICY
from approval_rules.people import Actor, PersonId, ProposalId
from approval_rules.policy import PolicyFolder
from approval_rules.policy_events import PolicyActivated, PolicySeen
from approval_rules.requirement import PolicyRef, Requirement, Seat, Tier
from approval_rules.state import Status
from approval_rules.versions import CHANGE_TOOL, POLICY_ADMIN, SERVER
from bot.desk.apply import activate, apply
from bot.desk.current_policy import folder_of
from bot.policy_content import PolicyContent
from bot.replay.change import Change, version_of
from bot.store import policies, rows
from bot.store.codec import POLICY as POLICY_SUBJECT
from bot.store.policies import within
from bot.store.rows import Loaded
from bot.store.transaction import Transaction

OPEN_FOR = timedelta(days=7)
_NEEDED = 2
_BECAUSE = f"the policy has the role {POLICY_ADMIN}, so every change of it needs two of that role"
PAUSED = "everything is paused, and a change of the policy waits for its end"


class NotNowError(Exception):
    """The policy cannot be changed at this moment, and nothing was written; the message says why."""


class VersionError(Exception):
    """A version cannot come into force; the message says why."""


class Wish(NamedTuple):
    """Who wants another version: the actor of the log, and the author, where that is a person in Slack."""

    by: Actor
    author: PersonId | None = None


FOLDER = Wish(POLICY)


def take_up(
    tx: Transaction, content: PolicyContent, change: Change | None = None
) -> PolicyActivated | ProposalId | None:
    """Record what the policy folder holds now, where that is new; gives what follows from it.

    Raises NotNowError as `bring_in` does.
    """
    versions = tx.versions
    if content.version == versions.folder:
        return None
    first = _is_first(tx)
    policies.keep(tx, content)
    tx.record(PolicySeen(tx.at, POLICY, content.version))
    if content.version == versions.active:
        _withdraw(tx)
        return None
    if any(version_of(loaded.proposal) == content.version for loaded in _waiting(tx)):
        return None
    return bring_in(tx, content, FOLDER, change, first=first)


def bring_in(
    tx: Transaction, content: PolicyContent, wish: Wish, change: Change | None, *, first: bool = False
) -> PolicyActivated | ProposalId:
    """Activate a version, or ask people where the active version has the role policy_admin, whatever the new one says.

    `change` is what they are asked; it must start from the version that is active now. A change that waits is
    withdrawn. Raises NotNowError and VersionError.
    """
    active = tx.versions.active
    if content.version == active:
        raise VersionError(f"{active} is active already")
    policies.keep(tx, content)
    governing = None if active is None else folder_of(within(tx), active)
    if governing is None or POLICY_ADMIN not in governing.roles:
        event = PolicyActivated(tx.at, wish.by, content.version, active, "first" if first else "changed")
        activate(tx, event)
        return event
    if tx.switch.stops(SERVER.id, CHANGE_TOOL) is not None:
        raise NotNowError(PAUSED)
    if change is None or change.previous != active or change.content.version != content.version:
        raise NotNowError("another version became active just now; the change is looked at again")
    _withdraw(tx)
    return _propose(tx, change, wish.author, governing)


def _propose(tx: Transaction, change: Change, author: PersonId | None, governing: PolicyFolder) -> ProposalId:
    channels = governing.channels
    requirement = Requirement(
        tier=Tier.YELLOW,
        seats=(Seat(POLICY_ADMIN, _NEEDED),),
        policy=PolicyRef(governing.version, None, _BECAUSE),
        ttl=OPEN_FOR,
        channel=channels.get(POLICY_ADMIN) or channels.get("default"),
    )
    command = Submit(tx.at, ProposalId(tx.new_id("prop")), SERVER, author, change.draft, requirement)
    apply(tx, None, command)
    return command.proposal


def roll_back(tx: Transaction, version: str, by: Actor) -> PolicyActivated:
    """Let a version decide again that once did; one person may, and everybody is told. Raises VersionError.

    What the folder holds stays known, so that it does not come back by itself; a change that waits is withdrawn.
    """
    active = tx.versions.active
    if version == active:
        raise VersionError(f"{version} is active already")
    if version not in {event.version for event in activations(tx)}:
        raise VersionError(f"{version} was never active, so it needs `foureyes policy activate`")
    folder_of(within(tx), version)
    _withdraw(tx)
    event = PolicyActivated(tx.at, by, version, active, "rolled-back")
    activate(tx, event)
    return event


def activations(tx: Transaction) -> Sequence[PolicyActivated]:
    """Give every activation, oldest first."""
    where = {"subject": POLICY_SUBJECT}
    recorded = rows.recorded_from(tx.rows(rows.ENTRIES_OF, where), tx.rows(rows.DETACHED_OF, where))
    return [item.event for item in recorded if isinstance(item.event, PolicyActivated)]


def before_that(activated: Sequence[PolicyActivated]) -> str | None:
    """Name the version that decided before the active one; going back twice leads two steps back, not forth again."""
    steps: list[str] = []
    for event in activated:
        if event.why == "rolled-back" and event.version in steps:
            while steps[-1] != event.version:
                steps.pop()
        else:
            steps.append(event.version)
    return steps[-2] if len(steps) > 1 else None


def _is_first(tx: Transaction) -> bool:
    """Tell whether nothing was ever recorded about the policy: not so in a database from before versions."""
    return tx.rows(rows.NEWEST_OF, {"subject": POLICY_SUBJECT})[0][0] is None and tx.versions.active is None


def _waiting(tx: Transaction) -> list[Loaded]:
    """Find the changes that wait for people, with what this batch did to them."""
    ids = {str(row[0]) for row in tx.rows(rows.OPEN_CHANGES, {})} | tx.planned().keys()
    loaded = [found for ident in sorted(ids) if (found := tx.proposal(ident)) is not None]
    return [
        found for found in loaded if found.proposal.agent.id == SERVER.id and found.proposal.status is Status.PENDING
    ]


def _withdraw(tx: Transaction) -> None:
    for loaded in _waiting(tx):
        apply(tx, loaded, Cancel(tx.at, loaded.proposal.id, SERVER.id))
