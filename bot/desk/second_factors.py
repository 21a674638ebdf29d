"""Everything that Slack and the pages may ask for about second factors, over one set of use cases. Adds nothing."""

from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor
from bot.clock import NewToken
from bot.desk.code_votes import CodeVotes
from bot.desk.confirming import Confirming
from bot.desk.enrolment import SEAL_PURPOSE, EnrolmentUseCases, Secrets
from bot.desk.factors import FactorUseCases
from bot.desk.initiating import Initiating
from bot.desk.passkey_proof import Site, load
from bot.desk.passkeys import Passkeys
from bot.desk.people import PeopleUseCases
from bot.desk.start_factors import StartProofs
from bot.desk.start_pages import ConfirmationUseCases
from bot.desk.try_pace import TryPace
from bot.desk.wiring import Wiring
from bot.sealing import Seal
from handlers.desk import Challenge, Click, Envelope, Judged
from handlers.factor_desk import EnrolmentLink, TypedCode, WrongCode


class SecondFactors(FactorUseCases):
    """Provides `handlers.factor_desk.FactorDesk`; the pages' desks are its parts. `passkeys` None: no pages."""

    def __init__(self, wiring: Wiring, people: PeopleUseCases, public_url: str | None, new_token: NewToken) -> None:
        super().__init__(wiring)
        secrets, pace = Secrets(Seal(wiring.key, SEAL_PURPOSE, new_token), new_token), TryPace()
        self.enrolment = EnrolmentUseCases(wiring, secrets, public_url, pace)
        self._codes = CodeVotes(wiring, people, secrets.seal, pace)
        site = None if public_url is None else Site(public_url)
        if site is not None:
            load()
        self.passkeys = None if site is None else Passkeys(wiring, site)
        votes, proofs = Confirming(wiring, people, site, new_token), StartProofs(secrets.seal, pace, site, new_token)
        self._votes = votes
        self.starting = Initiating(wiring, proofs)
        self.confirming = ConfirmationUseCases(wiring, votes, self.starting, proofs, site)

    async def begin_enrolment(self, who: Envelope, factor: Factor) -> EnrolmentLink | Refusal:
        """Make a link by which this person enrols a factor within half an hour."""
        return await self.enrolment.begin_enrolment(who, factor)

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Count an approval, refuse it, or ask for the second factor that it needs."""
        return await self._votes.begin_approval(click)

    async def vote_with_code(self, typed: TypedCode) -> Judged | WrongCode:
        """Verify the code and count the vote, in one transaction."""
        return await self._codes.vote_with_code(typed)
