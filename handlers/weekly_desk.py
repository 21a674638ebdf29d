"""What the edges may ask for about weekly reviews. The edges own this interface; `bot.desk` provides it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from approval_rules.refusals import Refusal
from approval_rules.text import AgentText
from handlers.desk import Envelope, Face

PAGE: Final = "weekly-review.html"
TABLE: Final = "weekly-review.csv"


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened this week and the week before; `before` None: there is no week before."""

    what: str
    now: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a review off, when, and in how many of its decisions that person took part."""

    face: Face | None
    at: datetime
    decided: int


@dataclass(frozen=True, slots=True)
class Flag:
    """What somebody wants looked at, by its numbers in the report; the note is as the person wrote it."""

    face: Face | None
    items: Sequence[int]
    note: AgentText


@dataclass(frozen=True, slots=True)
class WeekShown:
    """A review in a few figures, and what people have done to it. Names are as people wrote them."""

    digest: str
    made_at: datetime
    role: str
    week: str
    zone: str
    items: int
    decisions: int
    counts: Sequence[Counted]
    signed: Sequence[Signature] = ()
    flagged: Sequence[Flag] = ()
    complete: bool = False
    superseded: bool = False
    missed_before: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewLink:
    """Where a person reads the whole report, for some minutes; `url` None: it comes as files, in a message."""

    url: str | None


@dataclass(frozen=True, slots=True)
class WeekFile:
    """PAGE or TABLE of a report, and by what, for how many seconds, the browser that opened the link gets it again."""

    content: bytes
    session: str = field(repr=False)
    seconds: int


class WeeklyDesk(Protocol):
    """The weekly review, for people in Slack."""

    async def read_week(self, who: Envelope, unverified_report: str) -> ReviewLink | Refusal:
        """Let a person of the role read the whole; a refusal is recorded."""

    async def sign_week(self, who: Envelope, unverified_report: str) -> WeekShown | Refusal:
        """Say that this person has read this report; a refusal is recorded."""

    async def flag_form(self, who: Envelope, unverified_report: str) -> WeekShown | Refusal:
        """Tell whether this person may flag something, and in what; nothing is changed."""

    async def flag_week(
        self, who: Envelope, unverified_report: str, items: tuple[int, ...], note: AgentText
    ) -> Refusal | None:
        """Say that these items should be looked at; a refusal is recorded."""


class WeeklyPages(Protocol):
    """The weekly review, for browsers."""

    async def whole_week(self, unverified_name: str, file: str, unverified_session: str | None) -> WeekFile | None:
        """Give PAGE or TABLE of the report that a link is for.

        None where it is over, was never one of ours, or was opened before by a browser that was given another session.
        """
