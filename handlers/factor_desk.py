"""What the edges may ask for about second factors: enrolling, confirming, locking, removing, and voting with a code.

Provided by `bot.desk`. The rules of `handlers.desk` hold here too. A name or a token of a link is a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from approval_rules.events import Refusal
from approval_rules.factor_events import Held
from approval_rules.factors import State
from approval_rules.step_up import Factor
from handlers.desk import Challenge, Click, Envelope, Face, Judged


@dataclass(frozen=True, slots=True)
class EnrolmentLink:
    """Where a person enrols a factor; whoever opens it first has it, so it goes to that person only."""

    factor: Factor
    expires_at: datetime
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldFactor:
    """One factor of a person, as it is listed. `asks` is what waits for another person."""

    id: str
    face: Face
    factor: Held
    state: State
    since: datetime
    last_used_at: datetime | None
    asks: Literal["enrolment", "removal"] | None
    codes_left: int | None = None


@dataclass(frozen=True, slots=True)
class MyFactors:
    """What a person holds, and what of others waits for this person, where he is one of those who confirm."""

    mine: Sequence[HeldFactor]
    others: Sequence[HeldFactor]
    may_confirm: bool


Done: TypeAlias = Literal["confirmed", "removed", "refused", "kept", "locked", "removal-asked"]


@dataclass(frozen=True, slots=True)
class FactorSaid:
    """What became of a wish: `refusal` None means that `done` was done with a factor of the person `face`."""

    refusal: Refusal | None
    done: Done | None = None
    face: Face | None = None
    factor: Held | None = None


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Who is to enrol what, for the page that a link opens. Looking at it uses nothing up.

    `visit` is new at every look: what opens the link with it is recognised by it afterwards.
    """

    factor: Factor
    face: Face
    expires_at: datetime
    visit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an authenticator app needs: shown to nobody but the visit that opened the link."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The app is enrolled; it counts at once where a recovery code stood in, and has new recovery codes where not."""

    counts: bool
    recovery_codes: Sequence[str] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class WrongCode:
    """The code was wrong, or came too fast; `left` is how many tries there are before it is over."""

    left: int
    too_fast: bool = False


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A code that a person typed for a vote. Everything in it but `who` is unproved."""

    who: Envelope
    unverified_ticket: str = field(repr=False)
    unverified_code: str = field(repr=False)


class FactorDesk(Protocol):
    """What a person may ask for in Slack."""

    async def begin_enrolment(self, who: Envelope, factor: Factor) -> EnrolmentLink | Refusal:
        """Make a link by which this person enrols a factor within half an hour."""

    async def factors(self, who: Envelope) -> MyFactors:
        """List what a person holds and what waits for him."""

    async def confirm_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Say yes to what waits of somebody else: to one credential, or to the only thing that waits."""

    async def refuse_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Say no to it."""

    async def lock_factors(self, who: Envelope, user_id: str) -> FactorSaid:
        """Let nothing of that person's count from now on."""

    async def remove_factor(self, who: Envelope, user_id: str, factor: Factor | None) -> FactorSaid:
        """Ask for a factor to be removed; `factor` None: the only one that there is."""

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Count an approval, refuse it, or ask for the second factor that it needs."""

    async def vote_with_code(self, typed: TypedCode) -> Judged | WrongCode:
        """Verify the code and count the vote, in one transaction."""


class EnrolmentDesk(Protocol):
    """What the page behind a link may ask for. Whoever knows the link's name is believed to be the person."""

    async def enrolling(self, unverified_name: str) -> Enrolling | None:
        """Tell what a link is for; None for one that is unknown, over or used. It changes nothing."""

    async def open_enrolment(self, unverified_name: str, unverified_visit: str) -> SetUp | Refusal:
        """Open the link: only the first visit that does gets the secret."""

    async def enrol_app(
        self, unverified_name: str, unverified_visit: str, unverified_code: str, unverified_recovery: str
    ) -> Enrolled | WrongCode | Refusal:
        """Enrol the authenticator app that shows this code. `unverified_recovery` is empty or a recovery code."""
