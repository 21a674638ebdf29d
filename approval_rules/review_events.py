"""What happened to the weekly reviews: made, signed off, flagged, asked for again. Facts, like all events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

from approval_rules.people import Actor, RoleName
from approval_rules.refusals import Refusal
from approval_rules.text import AgentText

ESCALATE_AFTER: Final = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class WeekReported:
    """A report on one role's week was made.

    `report` names it by the SHA-256 of its bytes, which name people by random pseudonyms: nobody can guess them from
    it, so it may stand in the log for ever. `items` counts what the report lists.
    """

    at: datetime
    by: Actor
    report: str
    week: str
    role: RoleName
    items: int


@dataclass(frozen=True, slots=True)
class WeekSigned:
    """A person of the role has read a report and says so: of its `decisions` the person took part in `decided`."""

    at: datetime
    by: Actor
    report: str
    decisions: int
    decided: int


@dataclass(frozen=True, slots=True)
class WeekFlagged:
    """A person of the role wants some items of a report looked at, by their numbers in it."""

    at: datetime
    by: Actor
    report: str
    items: tuple[int, ...]
    note: AgentText


@dataclass(frozen=True, slots=True)
class WeekReminded:
    """Nobody had signed a report off, and its role was called again; with it the roles of `also`, who may sign too."""

    at: datetime
    by: Actor
    report: str
    also: tuple[RoleName, ...]


@dataclass(frozen=True, slots=True)
class WeekReviewRefused:
    """A person wanted to sign a report off, to flag something in it or to read it, and it did not count."""

    at: datetime
    by: Actor
    report: str
    code: Refusal


ReviewEvent: TypeAlias = WeekReported | WeekSigned | WeekFlagged | WeekReminded | WeekReviewRefused


@dataclass(frozen=True, slots=True)
class WeekReview:
    """One report with everything that people did to it, oldest first. `superseded` by the next one of its role."""

    made: WeekReported
    signed: tuple[WeekSigned, ...] = ()
    flagged: tuple[WeekFlagged, ...] = ()
    reminded: tuple[WeekReminded, ...] = ()
    superseded: bool = False

    @property
    def complete(self) -> bool:
        """Whether it is reviewed: by somebody who did not take part in every decision, or by two people."""
        return len(self.signed) > 1 or any(one.decided < one.decisions or not one.decisions for one in self.signed)

    @property
    def open(self) -> bool:
        """Whether people still have to sign it off."""
        return not self.complete and not self.superseded

    @property
    def escalation(self) -> WeekReminded | None:
        """Give the call that went beyond its role; None where there was none yet."""
        return next((one for one in self.reminded if one.at - self.made.at >= ESCALATE_AFTER), None)

    @property
    def reviewers(self) -> frozenset[RoleName]:
        """Whoever has one of these roles may sign it off: its own role, and those that were called too."""
        return frozenset({self.made.role}).union(*(one.also for one in self.reminded))


class WeekReviews:
    """Every weekly review by its report's name, oldest first."""

    def __init__(self, reviews: dict[str, WeekReview]) -> None:
        self._reviews = reviews

    @property
    def open(self) -> tuple[WeekReview, ...]:
        """Give those that people still have to sign off."""
        return tuple(review for review in self._reviews.values() if review.open)

    def of(self, report: str) -> WeekReview | None:
        """Give the review of one report; None where none was made."""
        return self._reviews.get(report)

    def has(self, week: str) -> bool:
        """Tell whether the reports on a week, or on a later one, were made."""
        return any(review.made.week >= week for review in self._reviews.values())

    def newest(self, role: RoleName) -> WeekReview | None:
        """Give a role's last review; None where it never had one."""
        return next((one for one in reversed(self._reviews.values()) if one.made.role == role), None)

    def before(self, review: WeekReview) -> WeekReview | None:
        """Give the review of the same role before this one; None for its first."""
        same = [one for one in self._reviews.values() if one.made.role == review.made.role]
        place = same.index(review)
        return same[place - 1] if place else None


def fold_reviews(events: Iterable[ReviewEvent]) -> WeekReviews:
    """Apply all events in order. A person signs a report once, so two signatures are two people's."""
    found: dict[str, WeekReview] = {}
    newest: dict[RoleName, str] = {}
    for event in events:
        match event:
            case WeekReported():
                older = newest.get(event.role)
                if older is not None:
                    found[older] = replace(found[older], superseded=True)
                newest[event.role] = event.report
                found[event.report] = WeekReview(event)
            case WeekSigned():
                one = found[event.report]
                found[event.report] = replace(one, signed=(*one.signed, event))
            case WeekFlagged():
                one = found[event.report]
                found[event.report] = replace(one, flagged=(*one.flagged, event))
            case WeekReminded():
                one = found[event.report]
                found[event.report] = replace(one, reminded=(*one.reminded, event))
            case WeekReviewRefused():
                pass
            case _:
                assert_never(event)
    return WeekReviews(found)
