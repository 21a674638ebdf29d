"""What a review leaves behind: who was in which role, the report under its SHA-256, and the signatures under it.

A report that is not kept any more cannot be signed; one that was signed is kept for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from approval_rules.access_events import (
    Access,
    AccessReviewed,
    AccessReviewRefused,
    evolve_access,
    is_complete,
    role_changes,
)
from approval_rules.people import Account, Actor, ActorKind, PersonId, RoleName, system
from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from approval_rules.times import parse_time
from bot.access.records import of_access
from bot.access.report import Report
from bot.access.roster import SeenRole
from bot.store import reports, rows
from bot.store.codec import ACCESS
from bot.store.persons import persons_in
from bot.store.reports import Kept, find
from bot.store.transaction import Transaction

SIGNED_WITHIN: Final = timedelta(days=30)
_DIRECTORY: Final = system("directory")


class Signed(NamedTuple):
    """What became of a signature: `refusal` None means that it counts; `complete` that nobody else has to sign."""

    refusal: Refusal | None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class NoteRoles:
    """Record who has come into a role or left it since the last look; `names` are those that are known anew."""

    home: str
    roles: Mapping[RoleName, SeenRole]
    names: Mapping[str, str]

    def __call__(self, tx: Transaction) -> None:
        """One unit of the writer."""
        now = {
            role: frozenset(
                tx.person(Account(self.home, user), self.names.get(user, "")) for user in sorted(seen.members)
            )
            for role, seen in self.roles.items()
        }
        for event in role_changes(_access(tx), now, tx.at, _DIRECTORY):
            tx.record(event)


@dataclass(frozen=True, slots=True)
class KeepReport:
    """Keep a report under its name, and forget old ones that nobody signed."""

    report: Report

    def __call__(self, tx: Transaction) -> Kept:
        """One unit of the writer."""
        kept = reports.keep(tx, self.report)
        reports.forget(tx, tx.at - SIGNED_WITHIN)
        return kept


@dataclass(frozen=True, slots=True)
class SignReport:
    """Say that a person has reviewed a report. `refused` is why this person may not, where that is so."""

    digest: str
    by: Actor
    note: AgentText | None
    refused: Refusal | None = None

    def __call__(self, tx: Transaction) -> Signed:
        """One unit of the writer; a refusal is recorded too."""
        kept = find(tx.rows, self.digest)
        signatures = _access(tx).of(self.digest)
        refusal = self.refused or self._refusal(tx, kept, signatures)
        if refusal is not None or kept is None:
            code = refusal or Refusal.UNKNOWN_REPORT
            tx.record(AccessReviewRefused(tx.at, self.by, self.digest, code))
            return Signed(code, is_complete(signatures))
        event = AccessReviewed(
            at=tx.at,
            by=self.by,
            report=self.digest,
            people=len(kept.report["people"]),
            warnings=len(kept.report["warnings"]),
            concerned=_is_concerned(kept.report, self.by, self._accounts(tx)),
            note=self.note,
        )
        tx.record(event)
        return Signed(None, is_complete((*signatures, event)))

    def _refusal(self, tx: Transaction, kept: Kept | None, signatures: Sequence[AccessReviewed]) -> Refusal | None:
        if kept is None:
            return Refusal.UNKNOWN_REPORT
        if parse_time(kept.report["at"]) < tx.at - SIGNED_WITHIN:
            return Refusal.REPORT_TOO_OLD
        mine = self._accounts(tx)
        if any(one.by.kind is self.by.kind and one.by.ref in mine for one in signatures):
            return Refusal.ALREADY_SIGNED
        return None

    def _accounts(self, tx: Transaction) -> frozenset[str]:
        """Give every pseudonym of whoever signs: one person signs once, by whichever account."""
        if self.by.kind is not ActorKind.HUMAN:
            return frozenset({self.by.ref})
        return frozenset(persons_in(tx).of(PersonId(self.by.ref)))


def _access(tx: Transaction) -> Access:
    where = {"subject": ACCESS}
    access = Access()
    for item in rows.recorded_from(tx.rows(rows.ENTRIES_OF, where), tx.rows(rows.DETACHED_OF, where)):
        event = of_access(item.event)
        access = access if event is None else evolve_access(access, event)
    return access


def _is_concerned(report: Report, by: Actor, accounts: frozenset[str]) -> bool:
    """Tell whether somebody can approve or start something by it; of an account of the machine nobody can tell."""
    if by.kind is not ActorKind.HUMAN:
        return True
    asked = {role for way in report["ways"] for role in roles_of(way) | starter_of(way)}
    return any(
        one["person"] in accounts and one["flaw"] is None and any(role["role"] in asked for role in one["roles"])
        for one in report["people"]
    )


def roles_of(way: Any) -> frozenset[str]:  # noqa: ANN401 - JSON
    """Name the roles that can answer in one way of asking."""
    asked = frozenset(seat["role"] for seat in way["seats"])
    return asked if way["backup"] is None else asked | {way["backup"]}


def starter_of(way: Any) -> frozenset[str]:  # noqa: ANN401 - JSON
    """Name the role that can start what is blocked, where one can."""
    return frozenset({way["starts"]["role"]}) if "starts" in way else frozenset()
