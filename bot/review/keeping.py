"""What a weekly review leaves behind: the report under its SHA-256, signatures, flags, and who was called again.

One unit of the writer each. A report that is not kept, or that the next one has taken the place of, takes no signature.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from approval_rules.people import Actor, PersonId, RoleName, system
from approval_rules.refusals import Refusal
from approval_rules.review_events import (
    ESCALATE_AFTER,
    ReviewEvent,
    WeekFlagged,
    WeekReminded,
    WeekReported,
    WeekReview,
    WeekReviewRefused,
    WeekReviews,
    WeekSigned,
)
from approval_rules.text import AgentText
from bot.review.records import reviews_from
from bot.store import outbox, reports, week_posts
from bot.store.codec import REVIEW
from bot.store.outbox import Kind
from bot.store.persons import persons_in
from bot.store.policies import within
from bot.store.transaction import Transaction

REVIEWING: Final = system("review")
REMIND_AFTER: Final = timedelta(days=2)
REMIND_EVERY: Final = timedelta(days=1)
MOST_FLAGGED: Final = 100
MayNot: TypeAlias = Callable[[frozenset[RoleName]], Refusal | None]
"""Tells why somebody may not do what whoever has one of these roles may; None where he may."""


@dataclass(frozen=True, slots=True)
class MakeReports:
    """Keep the reports on one week and have them shown; one that was made already is not made again."""

    made: Sequence[Mapping[str, Any]]

    def __call__(self, tx: Transaction) -> None:
        """One unit of the writer."""
        reviews = reviews_in(tx)
        for report in self.made:
            role, week = RoleName(report["role"]), str(report["week"])
            newest = reviews.newest(role)
            if newest is not None and newest.made.week >= week:
                continue
            kept = reports.keep(tx, report)
            recorded = tx.record(WeekReported(tx.at, REVIEWING, kept.digest, week, role, len(report["items"])))
            outbox.plan(
                tx, Kind.REVIEW, REVIEW, recorded.seq, {"report": kept.digest}, name=week_posts.name(kept.digest)
            )
            if newest is not None:
                week_posts.show_again(tx, newest.made.report, recorded.seq)


@dataclass(frozen=True, slots=True)
class SignWeek:
    """Say that a person has read a report; gives why it does not count. `refused` where that is known before."""

    report: str
    by: Actor
    refused: MayNot

    def __call__(self, tx: Transaction) -> Refusal | None:
        """One unit of the writer; a refusal is recorded too."""
        review, mine = reviews_in(tx).of(self.report), _accounts(tx, self.by)
        refusal = _may_not(review, self.refused)
        if refusal is None and review is not None and any(one.by.ref in mine for one in review.signed):
            refusal = Refusal.ALREADY_SIGNED
        kept = reports.find(within(tx), self.report)
        if refusal is not None or kept is None:
            return _refuse(tx, self.by, self.report, refusal or Refusal.UNKNOWN_REPORT)
        deciders = kept.report["deciders"]
        decided = max((deciders[who] for who in mine if who in deciders), default=0)
        event = WeekSigned(tx.at, self.by, self.report, kept.report["decisions"], decided)
        week_posts.show_again(tx, self.report, tx.record(event).seq)
        return None


@dataclass(frozen=True, slots=True)
class FlagWeek:
    """Say that items of a report should be looked at; gives why it does not count."""

    report: str
    by: Actor
    refused: MayNot
    items: tuple[int, ...]
    note: AgentText

    def __call__(self, tx: Transaction) -> Refusal | None:
        """One unit of the writer; a refusal is recorded too."""
        review = reviews_in(tx).of(self.report)
        refusal = _may_not(review, self.refused)
        if refusal is None and review is not None and not _all_in(self.items, review.made.items):
            refusal = Refusal.NO_SUCH_ITEM
        if refusal is not None:
            return _refuse(tx, self.by, self.report, refusal)
        event = WeekFlagged(tx.at, self.by, self.report, self.items, self.note)
        week_posts.show_again(tx, self.report, tx.record(event).seq)
        return None


@dataclass(frozen=True, slots=True)
class CallAgain:
    """Call people to a report that nobody has signed off, once a day; on the fifth day the `others` too."""

    report: str
    others: tuple[RoleName, ...]

    def __call__(self, tx: Transaction) -> None:
        """One unit of the writer."""
        review = reviews_in(tx).of(self.report)
        if review is None or not wants_call(review, tx.at):
            return
        now_others = tx.at - review.made.at >= ESCALATE_AFTER and review.escalation is None
        recorded = tx.record(WeekReminded(tx.at, REVIEWING, self.report, self.others if now_others else ()))
        outbox.plan(tx, Kind.REVIEW, REVIEW, recorded.seq, {"report": self.report, "remind": True})


def wants_call(review: WeekReview, at: datetime) -> bool:
    """Tell whether it is time to call people again."""
    last = review.reminded[-1].at + REMIND_EVERY if review.reminded else review.made.at + REMIND_AFTER
    return review.open and at >= last


def reviews_in(tx: Transaction) -> WeekReviews:
    """Give every weekly review as of now, inside this transaction."""
    return reviews_from([*tx.history(REVIEW), *(item for item in tx.loose() if isinstance(item.event, ReviewEvent))])


def record_refusal(tx: Transaction, by: Actor, report: str, code: Refusal) -> None:
    """Record that somebody wanted something of a report, and may not."""
    tx.record(WeekReviewRefused(tx.at, by, report, code))


def _refuse(tx: Transaction, by: Actor, report: str, code: Refusal) -> Refusal:
    record_refusal(tx, by, report, code)
    return code


def _may_not(review: WeekReview | None, refused: MayNot) -> Refusal | None:
    if review is None:
        return Refusal.UNKNOWN_REPORT
    return refused(review.reviewers) or (Refusal.REVIEW_SUPERSEDED if review.superseded else None)


def _all_in(items: Collection[int], most: int) -> bool:
    return 0 < len(items) <= MOST_FLAGGED and all(1 <= item <= most for item in items)


def _accounts(tx: Transaction, by: Actor) -> frozenset[str]:
    """Give every pseudonym of a person: one person signs once, by whichever account."""
    return frozenset(persons_in(tx).of(PersonId(by.ref)))
