"""The page on which a passkey confirms: a vote, or that somebody starts an action himself. It decides nothing.

Looking changes nothing. Which of the two a link is for stands in its ticket, never in what a browser sends.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from approval_rules.events import Refusal
from approval_rules.people import Account, PersonId
from bot.desk.confirming import Confirming, page_asks
from bot.desk.initiating import Initiating
from bot.desk.passkey_proof import Site
from bot.desk.start_factors import StartProofs
from bot.desk.start_proof import Taken
from bot.desk.wiring import Wiring
from bot.store.credentials import OF_PERSON, credentials_from
from bot.store.tickets import TICKET, Ticket, start_of, ticket_from, ticket_id
from bot.store.transaction import Transaction
from handlers.confirming_desk import Asked, BrowserAnswer
from handlers.desk import Face, Judged
from handlers.initiation_desk import Started


class ConfirmationUseCases:
    """Provides `handlers.confirming_desk.ConfirmationPages`."""

    def __init__(
        self, wiring: Wiring, votes: Confirming, starts: Initiating, proofs: StartProofs, site: Site | None
    ) -> None:
        self._wiring = wiring
        self._votes = votes
        self._starts = starts
        self._proofs = proofs
        self._site = site

    async def asked(self, unverified_name: str) -> Asked | None:
        """Tell what is to be confirmed; None for a name that is not known."""
        found = await self._start(unverified_name)
        if found is None or self._site is None:
            return await self._votes.asked(unverified_name)
        ticket, account, name = found
        seen = await self._starts.preview(start_of(ticket)[0])
        if seen is None:
            return None
        held = credentials_from(await self._wiring.reads.glance().rows(OF_PERSON, {"person": ticket.person}))
        refusal = _over(ticket, self._wiring.clock())
        asked = page_asks(self._site, ticket, seen, Face(account.user_id, name), held, refusal)
        return replace(asked, starts=True)

    async def confirm(self, unverified_name: str, answer: BrowserAnswer) -> Judged | None:
        """Verify the passkey's answer and do what it confirms, in one transaction; None for an unknown name."""
        found = await self._start(unverified_name)
        if found is None:
            return await self._votes.confirm(unverified_name, answer)
        ticket, account, _ = found
        take = partial(_take, self._proofs, unverified_name, answer)
        done = await self._starts.start(start_of(ticket)[0], account, take)
        return Judged(None, done.seen) if isinstance(done, Started) else Judged(done.refusal, None)

    async def _start(self, unverified_name: str) -> tuple[Ticket, Account, str] | None:
        snapshot = self._wiring.reads.glance()
        ticket = ticket_from(await snapshot.rows(TICKET, {"id": ticket_id(unverified_name)}))
        if ticket is None or (ticket.purpose, ticket.factor) != ("initiate", "passkey"):
            return None
        accounts = await snapshot.accounts([ticket.person])
        return (ticket, *accounts[ticket.person]) if ticket.person in accounts else None


def _take(proofs: StartProofs, name: str, answer: BrowserAnswer, tx: Transaction, person: PersonId) -> Taken | Refusal:
    return proofs.take_passkey(tx, name, person, answer)


def _over(ticket: Ticket, at: datetime) -> Refusal | None:
    return None if ticket.open_at(at) else Refusal.LINK_USED
