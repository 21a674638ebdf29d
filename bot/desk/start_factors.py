"""The second factor of a person who starts an action himself: asked for by a one-time ticket, verified once.

A ticket is bound to the person, the start, its arguments, what was shown and the policy. It judges no start.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from approval_rules.canonical import Digest, canonical_text
from approval_rules.events import Refusal
from approval_rules.intent import code_of, intent, intent_digest, intent_text
from approval_rules.people import PersonId, ProposalId
from approval_rules.step_up import Proof
from approval_rules.text import AgentJson
from approval_rules.times import format_time
from bot.clock import NewToken
from bot.desk.code_votes import app_of, count_wrong_code, right_step
from bot.desk.factor_choice import chosen_factor
from bot.desk.passkey_proof import Site, base64url, signed
from bot.desk.start_proof import Asked, Asking, Taken
from bot.desk.try_pace import TryPace
from bot.sealing import Seal
from bot.store.credentials import credentials_of, put_credential
from bot.store.tickets import Ticket, put_ticket, start_of, ticket_id, ticket_named
from bot.store.transaction import Transaction
from handlers.confirming_desk import BrowserAnswer

TICKET_LIFE: Final = timedelta(minutes=5)
START: Final = "initiate"
_NAME_BYTES: Final = 32


class StartProofs:
    """Provides `bot.desk.start_proof.StartFactors`, and the same for a passkey. `site` None: no pages."""

    def __init__(self, seal: Seal, pace: TryPace, site: Site | None, new_token: NewToken) -> None:
        self._seal = seal
        self._pace = pace
        self._site = site
        self._new_token = new_token

    def ask(self, tx: Transaction, asking: Asking) -> Asked | Refusal:
        """Make a one-time ticket for the best factor that the person has; a refusal where it is not enough."""
        factor = chosen_factor(asking.asked, credentials_of(tx, asking.person), pages=self._site is not None)
        if isinstance(factor, Refusal):
            return factor
        name, until = base64url(self._new_token(_NAME_BYTES)), tx.at + TICKET_LIFE
        text = intent_text(
            intent(
                proposal=asking.proposal,
                arguments=asking.arguments,
                packet=asking.shown,
                policy=asking.policy,
                approver=asking.person,
                nonce=base64url(self._new_token(_NAME_BYTES)),
                expires_at=until,
                rp=self._site.rp if self._site else "",
                decision=START,
            )
        )
        subject, at = canonical_text({"proposal": asking.proposal}), format_time(tx.at)
        put_ticket(
            tx, Ticket(ticket_id(name), "initiate", asking.person, factor, subject, text, at, format_time(until))
        )
        url = f"{self._site.origin}/confirm/{name}" if self._site and factor == "passkey" else None
        return Asked(factor, name, code_of(intent_digest(text)), until, url)

    def take_code(
        self, tx: Transaction, unverified_ticket: str, person: PersonId, unverified_code: str
    ) -> Taken | Refusal:
        """Verify a typed code against its ticket, and use both up; a wrong one counts towards the lock."""
        if not self._pace.allows(person, tx.at):
            return Refusal.TOO_FAST
        ticket = _ticket(tx, unverified_ticket, person)
        if ticket is None or ticket.factor != "totp":
            return Refusal.LINK_USED
        app = app_of(credentials_of(tx, person))
        if app is None or app.state == "locked":
            return Refusal.FACTOR_MISSING if app is None else Refusal.FACTOR_LOCKED
        step = right_step(self._seal, tx, app, unverified_code)
        if step is None:
            return Refusal.FACTOR_REFUSED if count_wrong_code(tx, app) else Refusal.FACTOR_LOCKED
        put_credential(tx, replace(app, counter=step, failures=0, last_used_at=format_time(tx.at)))
        return _taken(tx, ticket, Proof("totp", app.id, "", ""), {"intent": ticket.intent})

    def take_passkey(
        self, tx: Transaction, unverified_name: str, person: PersonId, answer: BrowserAnswer
    ) -> Taken | Refusal:
        """Verify a passkey's answer against its ticket, which is used up whatever the answer is."""
        ticket = _ticket(tx, unverified_name, person)
        if ticket is None or ticket.factor != "passkey" or self._site is None:
            return Refusal.LINK_USED
        found = signed(self._site, ticket.intent, [*credentials_of(tx, person).values()], answer)
        if found is None:
            put_ticket(tx, replace(ticket, used_at=format_time(tx.at)))
            return Refusal.FACTOR_REFUSED
        put_credential(tx, replace(found.credential, last_used_at=format_time(tx.at)))
        return _taken(tx, ticket, Proof("passkey", found.credential.id, "", ""), found.evidence)


def _ticket(tx: Transaction, unverified_name: str, person: PersonId) -> Ticket | None:
    """Give the open ticket of this person's start; None for any other, whatever was sent with it."""
    ticket = ticket_named(tx, unverified_name)
    if ticket is None or (ticket.purpose, ticket.person) != ("initiate", person) or not ticket.open_at(tx.at):
        return None
    return ticket


def _taken(tx: Transaction, ticket: Ticket, proof: Proof, evidence: Mapping[str, str]) -> Taken:
    put_ticket(tx, replace(ticket, used_at=format_time(tx.at)))
    digest = intent_digest(ticket.intent)
    start, arguments = start_of(ticket)
    proof = replace(proof, intent=digest, code=code_of(digest))
    return Taken(ticket.person, ProposalId(start), Digest(arguments), proof, AgentJson({**evidence}))
