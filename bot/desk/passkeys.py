"""How a person gets a passkey: the page of an enrolment link, and what the browser makes there.

Whoever knows the link's name is believed to be the person, until another person has confirmed the passkey.
"""

from dataclasses import replace
from typing import Final

from approval_rules.canonical import canonical_text
from approval_rules.factor_events import FactorRefused
from approval_rules.factors import Wish, enrol
from approval_rules.people import human
from approval_rules.refusals import Refusal
from approval_rules.times import format_time, parse_time
from bot.desk.confirming import passkeys_of
from bot.desk.factor_record import record_factors
from bot.desk.passkey_proof import ENROLMENT, Site, challenge_of, made
from bot.desk.wiring import Wiring, written
from bot.store.credentials import OF_PERSON, credentials_from, factors_of
from bot.store.tickets import TICKET, Ticket, forget_enrolments, put_ticket, ticket_from, ticket_id, ticket_named
from bot.store.transaction import Transaction
from handlers.confirming_desk import BrowserAnswer, NewPasskey
from handlers.desk import Face

_TAKEN: Final = (
    "SELECT 1 FROM credentials WHERE factor = 'passkey' AND json_extract(material, '$.credential_id') = :credential_id"
)


class Passkeys:
    """Provides `handlers.confirming_desk.PasskeyPages`."""

    def __init__(self, wiring: Wiring, site: Site) -> None:
        self._wiring = wiring
        self.site = site

    async def new_passkey(self, unverified_name: str) -> NewPasskey | None:
        """Tell for whom a passkey is to be made; it changes nothing."""
        snapshot = self._wiring.reads.glance()
        ticket = ticket_from(await snapshot.rows(TICKET, {"id": ticket_id(unverified_name)}))
        accounts = {} if ticket is None else await snapshot.accounts([ticket.person])
        if ticket is None or not _is_for_one(ticket) or ticket.person not in accounts:
            return None
        account, name = accounts[ticket.person]
        held = credentials_from(await snapshot.rows(OF_PERSON, {"person": ticket.person}))
        return NewPasskey(
            me=Face(account.user_id, name),
            challenge=challenge_of(ENROLMENT, _intent(ticket)),
            rp=self.site.rp,
            handle=ticket.person.encode(),
            passkeys=[one.material["credential_id"] for one in passkeys_of(held)],
            expires_at=parse_time(ticket.expires_at),
            refusal=None if ticket.open_at(self._wiring.clock()) else Refusal.LINK_USED,
        )

    async def register(self, unverified_name: str, answer: BrowserAnswer) -> Refusal | None:
        """Keep a new passkey, which waits for another person; the link is used up by it."""

        def unit(tx: Transaction) -> Refusal | None:
            ticket = ticket_named(tx, unverified_name)
            if ticket is None or not _is_for_one(ticket) or not ticket.open_at(tx.at):
                return Refusal.LINK_USED
            person = ticket.person
            new = made(self.site, _intent(ticket), answer)
            if new is None or tx.rows(_TAKEN, {"credential_id": new.material["credential_id"]}):
                refused = FactorRefused(tx.at, human(person), person, "enrol", Refusal.FACTOR_REFUSED)
                record_factors(tx, [refused])
                return Refusal.FACTOR_REFUSED
            put_ticket(tx, replace(ticket, used_at=format_time(tx.at)))
            forget_enrolments(tx, person)
            wish, ident = Wish(tx.at, human(person), person, None, may=False), tx.new_id("cred")
            record_factors(tx, enrol(factors_of(tx, person), wish, ident, "passkey", None), {ident: new})
            return None

        return await written(self._wiring, unit)


def _is_for_one(ticket: Ticket) -> bool:
    return (ticket.purpose, ticket.factor) == ("enrol", "passkey")


def _intent(ticket: Ticket) -> str:
    """Write down what a new passkey signs: the ticket's id is as hard to guess as its name."""
    return canonical_text({"v": 1, "ticket": ticket.id, "person": ticket.person, "expires_at": ticket.expires_at})
