"""The phones in the demo's people's hands: an authenticator app each, enrolled as everybody enrols one.

Their secrets are made for one demo and die with it. Nothing outside of the demo may ever show a code.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import pyotp

from approval_rules.people import Account
from bot.clock import Clock
from bot.desk.second_factors import SecondFactors
from bot.one_time_codes import STEP_SECONDS
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, PRIYA, SAM, TEAM
from handlers.desk import Envelope
from handlers.factor_desk import Enrolled, Enrolling, EnrolmentLink, SetUp

HOLDERS: Final = (MAYA, JONAS, PRIYA)
WHO_CONFIRMS: Final = SAM
_Good = TypeVar("_Good")
A_MOMENT_S: Final = 1.1  # a wrong code can be typed again after a second
_TRIES: Final = 3
_A_STEP: Final = timedelta(seconds=STEP_SECONDS)


class NoPhoneError(Exception):
    """A phone could not be enrolled; the message says why."""


@dataclass(frozen=True, slots=True)
class Phones:
    """Who holds which app, and what it shows now; nobody holds one before they are handed out."""

    factors: SecondFactors
    clock: Clock
    _apps: dict[str, pyotp.TOTP] = field(default_factory=dict, repr=False)

    async def hand_out(self) -> None:
        """Enrol an app for each holder, by a link of his own, and let another person confirm it."""
        for user in HOLDERS:
            self._apps[user] = await self._enrolled(user)

    def code(self, user: str) -> str:
        """Read what this person's phone shows now."""
        return self._apps[user].at(self.clock())

    def step(self) -> int:
        """Number the half minute in which the codes of now are shown."""
        return int(self.clock().timestamp()) // STEP_SECONDS

    def for_page(self) -> list[dict[str, Any]]:
        """Give what the page draws: whose phone, its code, and when, in seconds since 1970, the next one comes."""
        until = (self.step() + 1) * STEP_SECONDS
        return [{"user": user, "code": self.code(user), "until": until} for user in self._apps]

    async def _enrolled(self, user: str) -> pyotp.TOTP:
        link = _really(EnrolmentLink, await self.factors.begin_enrolment(_by(user, user), "totp"))
        pages, name = self.factors.enrolment, link.url.rpartition("/")[2]
        visit = _really(Enrolling, await pages.enrolling(name)).visit
        app = pyotp.TOTP(_really(SetUp, await pages.open_enrolment(name, visit)).secret)
        for _ in range(_TRIES):
            # With the code of half a minute ago, which still counts: the one of now is left for what comes next. Where
            # the half minute ends on the way it counts no more, and the next one is typed a moment later.
            done = await pages.enrol_app(name, visit, app.at(self.clock() - _A_STEP), "")
            if isinstance(done, Enrolled):
                break
            await asyncio.sleep(A_MOMENT_S)
        _really(Enrolled, done)
        said = await self.factors.confirm_factor(_by(WHO_CONFIRMS, f"{user} at {self.clock()}"), user, None)
        if said.refusal is not None:
            raise NoPhoneError(said.refusal.value)
        return app


def _by(user: str, about: str) -> Envelope:
    return Envelope(Account(TEAM, user), user, AGENT_OPS, f"phone of {about}")


def _really(kind: type[_Good], got: object) -> _Good:
    if not isinstance(got, kind):
        raise NoPhoneError(f"instead of {kind.__name__}: {got}")
    return got
