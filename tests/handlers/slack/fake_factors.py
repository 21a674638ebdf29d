"""A desk for second factors that remembers what it was asked, and answers what it was told to."""

from datetime import timedelta

from approval_rules.events import Refusal
from approval_rules.step_up import Factor
from handlers.desk import Challenge, Click, DeskUnavailableError, Envelope, Face, Judged
from handlers.factor_desk import EnrolmentLink, FactorSaid, HeldFactor, MyFactors, TypedCode, WrongCode
from tests.handlers.slack.fake_desk import FakeDesk
from tests.handlers.slack.made import NOW

FACE = Face("U0MAYACHEN1", "Maya Chen")
APP = HeldFactor("cred_1", FACE, "totp", "active", NOW, NOW, None)
LINK = "https://approvals.example.com/enrol/name"


class FakeFactors:
    """Provides `handlers.factor_desk.FactorDesk`; an approval goes to the other desk as it is."""

    def __init__(self, desk: FakeDesk) -> None:
        self._desk = desk
        self.asked: list[tuple[object, ...]] = []
        self.challenge: Challenge | None = None
        self.link: EnrolmentLink | Refusal = EnrolmentLink("totp", NOW + timedelta(minutes=30), LINK)
        self.said = FactorSaid(None, "confirmed", FACE, "totp")
        self.listed = MyFactors((APP,), (), may_confirm=False)
        self.judged: Judged | WrongCode = WrongCode(4)
        self.down = False

    def _answering(self) -> None:
        if self.down:
            raise DeskUnavailableError("down")

    async def begin_enrolment(self, who: Envelope, factor: Factor) -> EnrolmentLink | Refusal:
        """Give the link that was set."""
        self.asked.append((who.account.user_id, "enrol", factor))
        return self.link

    async def factors(self, who: Envelope) -> MyFactors:
        """List what was set."""
        self.asked.append((who.account.user_id, "list"))
        return self.listed

    async def confirm_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Remember it."""
        self._answering()
        self.asked.append((who.account.user_id, "confirm", user_id, credential))
        return self.said

    async def refuse_factor(self, who: Envelope, user_id: str, credential: str | None) -> FactorSaid:
        """Remember it."""
        self.asked.append((who.account.user_id, "refuse", user_id, credential))
        return self.said

    async def lock_factors(self, who: Envelope, user_id: str) -> FactorSaid:
        """Remember it."""
        self.asked.append((who.account.user_id, "lock", user_id))
        return self.said

    async def remove_factor(self, who: Envelope, user_id: str, factor: Factor | None) -> FactorSaid:
        """Remember it."""
        self.asked.append((who.account.user_id, "remove", user_id, factor))
        return self.said

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Ask for what was set, else vote."""
        return self.challenge or await self._desk.vote(click)

    async def vote_with_code(self, typed: TypedCode) -> Judged | WrongCode:
        """Remember it, and answer what was set."""
        self._answering()
        self.asked.append((typed.who.account.user_id, typed.unverified_ticket, typed.unverified_code))
        return self.judged
