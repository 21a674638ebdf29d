"""What happened to access: who came into a role and who left it, and who reviewed the whole. Facts, like all events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, assert_never

from approval_rules.people import Actor, PersonId, RoleName
from approval_rules.refusals import Refusal
from approval_rules.text import AgentText


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """The members of a role were seen to be others than before; a large change is several of these."""

    at: datetime
    by: Actor
    role: RoleName
    joined: tuple[PersonId, ...]
    left: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class AccessReviewed:
    """A person has read a report on who may do what, and says so.

    `report` names the report by the SHA-256 of its bytes, which name people by random pseudonyms too: nobody can guess
    them from it, so it may stand in the log for ever. `concerned` tells that the person can approve something himself,
    or that nobody can tell: then a second person has to sign too.
    """

    at: datetime
    by: Actor
    report: str
    people: int
    warnings: int
    concerned: bool
    note: AgentText | None = None


@dataclass(frozen=True, slots=True)
class AccessReviewRefused:
    """A person wanted to sign a report, and it did not count."""

    at: datetime
    by: Actor
    report: str
    code: Refusal


AccessEvent: TypeAlias = RoleChanged | AccessReviewed | AccessReviewRefused


@dataclass(frozen=True, slots=True)
class Access:
    """Since when each person was seen in each role, and every signature under a report, oldest first."""

    since: Mapping[RoleName, Mapping[PersonId, datetime]] = field(default_factory=dict)
    signed: tuple[AccessReviewed, ...] = ()

    def of(self, report: str) -> tuple[AccessReviewed, ...]:
        """Give the signatures under one report."""
        return tuple(one for one in self.signed if one.report == report)

    @property
    def last_complete(self) -> AccessReviewed | None:
        """The signature that completed a review last, or None."""
        found: AccessReviewed | None = None
        for place, one in enumerate(self.signed):
            before = tuple(each for each in self.signed[:place] if each.report == one.report)
            if not is_complete(before) and is_complete((*before, one)):
                found = one
        return found


def is_complete(signatures: tuple[AccessReviewed, ...]) -> bool:
    """Tell whether a report is reviewed: by somebody who can approve nothing himself, or by two people.

    Two people of the same kind: a person in Slack and an account of the machine may be one and the same human.
    """
    kinds = [by.kind for by in {one.by for one in signatures}]
    return any(not one.concerned for one in signatures) or len(set(kinds)) < len(kinds)


def evolve_access(access: Access, event: AccessEvent) -> Access:
    """Apply one event. A person signs a report once, so several signatures are several people's."""
    match event:
        case RoleChanged():
            kept = {who: at for who, at in access.since.get(event.role, {}).items() if who not in event.left}
            members = {**dict.fromkeys(event.joined, event.at), **kept}
            return replace(access, since={**access.since, event.role: members})
        case AccessReviewed():
            return replace(access, signed=(*access.signed, event))
        case AccessReviewRefused():
            return access
        case _:
            assert_never(event)


def role_changes(
    access: Access, now: Mapping[RoleName, frozenset[PersonId]], at: datetime, by: Actor
) -> tuple[RoleChanged, ...]:
    """Say what has changed since the last look; a role that is gone has lost everybody.

    An entry of the log has room for some hundreds of people, so a larger change is told in several.
    """
    changes: list[RoleChanged] = []
    for role in sorted(access.since.keys() | now.keys()):
        before = access.since.get(role, {}).keys()
        joined, left = sorted(now.get(role, frozenset()) - before), sorted(before - now.get(role, frozenset()))
        changes += [RoleChanged(at, by, role, tuple(joined[n : n + MOST]), ()) for n in range(0, len(joined), MOST)]
        changes += [RoleChanged(at, by, role, (), tuple(left[n : n + MOST])) for n in range(0, len(left), MOST)]
    return tuple(changes)


MOST = 200
"""How many people one event names: an entry has at most 16 KiB, and a pseudonym some forty characters."""
