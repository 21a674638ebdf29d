"""Votes that need a second factor: asks for it by a one-time ticket, and counts what a passkey confirms.

A ticket is bound to the person, the proposal, its arguments, its packet and its policy. It is looked at again, with all
duties, in the transaction of the vote. It must never vote without a factor that was verified in that transaction.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, cast

from approval_rules.canonical import canonical_text
from approval_rules.commands import CastVote
from approval_rules.decide import decide
from approval_rules.events import Decision, PacketPosted, Posted, Refusal, Reminded, Thawed, Voted, VoteRefused
from approval_rules.intent import code_of, intent, intent_digest, intent_text
from approval_rules.people import Account, PersonId
from approval_rules.state import Proposal, Status
from approval_rules.step_up import Factor, Proof
from approval_rules.text import AgentJson
from approval_rules.times import format_time, parse_time
from bot.clock import NewToken
from bot.desk.apply import known, seen_in
from bot.desk.explained import explained
from bot.desk.factor_choice import chosen_factor
from bot.desk.passkey_proof import APPROVAL, Site, base64url, challenge_of, signed
from bot.desk.people import (
    PeopleUseCases,
    first_click,
    recorded_vote,
    refusal_in,
    told_before,
    vote,
    vote_command,
)
from bot.desk.wiring import Wiring, seen_from
from bot.directory import Member
from bot.store.credentials import OF_PERSON, CredentialRow, credentials_from, credentials_of, put_credential
from bot.store.reads import Snapshot
from bot.store.rows import Loaded
from bot.store.tickets import TICKET, Ticket, put_ticket, ticket_from, ticket_id, ticket_named
from bot.store.transaction import Transaction
from handlers.confirming_desk import Asked, BrowserAnswer
from handlers.desk import Challenge, Click, Envelope, Face, Judged, Seen

TICKET_LIFE: Final = timedelta(minutes=5)
_NAME_BYTES: Final = 32
_ANY_FACTOR: Final = Proof("passkey", "", "", "")
# What may happen to a proposal between the question and the answer: the votes of others, and what changes no word of
# what is decided. Whatever else comes in between, the person must look again.
_HARMLESS: Final = (Voted, VoteRefused, PacketPosted, Reminded, Thawed)


class Confirming:
    """Provides `handlers.confirming_desk`: the question, and the answer by a passkey. `site` None: no pages."""

    def __init__(self, wiring: Wiring, people: PeopleUseCases, site: Site | None, new_token: NewToken) -> None:
        self._wiring = wiring
        self._people = people
        self._site = site
        self._new_token = new_token

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Count an approval, refuse it, or ask for the factor that alone is missing."""
        name, nonce = base64url(self._new_token(_NAME_BYTES)), base64url(self._new_token(_NAME_BYTES))
        return await self._people.with_people(click, partial(self._begin, click, name, nonce))

    def _begin(
        self, click: Click, name: str, nonce: str, tx: Transaction, members: dict[Account, Member]
    ) -> Judged | Challenge:
        loaded = known(tx, click.unverified_proposal)
        if loaded is None or loaded.proposal.requirement.step_up == "none":
            return vote(tx, click, members, rehearse=False)
        if not first_click(tx, click):
            return told_before(tx, click, loaded)
        command = replace(vote_command(tx, click, loaded, members), proof=_ANY_FACTOR)
        foreseen = decide(loaded.proposal, command, tx.switch)
        if refusal_in(foreseen) is None:
            asked, held = loaded.proposal.requirement.step_up, credentials_of(tx, command.voter.person)
            found = chosen_factor(asked, held, pages=self._site is not None)
            if not isinstance(found, Refusal):
                return self._challenge(tx, loaded, command.voter.person, found, name, nonce)
            command = replace(command, proof=None, unproved=found)
            foreseen = decide(loaded.proposal, command, tx.switch)
        return recorded_vote(tx, click, loaded, command, foreseen)

    def _challenge(
        self, tx: Transaction, loaded: Loaded, person: PersonId, factor: Factor, name: str, nonce: str
    ) -> Challenge:
        proposal = loaded.proposal
        packet = cast("Posted", proposal.packet)  # without one there is nothing to press
        until = min(tx.at + TICKET_LIFE, proposal.expires_at)
        text = intent_text(
            intent(
                proposal=proposal.id,
                arguments=proposal.digest,
                packet=packet.shown,
                policy=proposal.requirement.policy.version,
                approver=person,
                nonce=nonce,
                expires_at=until,
                rp=self._site.rp if self._site else "",
            )
        )
        subject = canonical_text({"proposal": proposal.id, "channel": packet.channel, "ts": packet.ts})
        at, end = format_time(tx.at), format_time(until)
        put_ticket(tx, Ticket(ticket_id(name), "vote", person, factor, subject, text, at, end))
        url = f"{self._site.origin}/confirm/{name}" if self._site and factor == "passkey" else None
        return Challenge(seen_in(tx, loaded), factor, name, code_of(intent_digest(text)), until, url)

    async def asked(self, unverified_name: str) -> Asked | None:
        """Tell what is to be confirmed; it changes nothing, for whatever previews links opens them too."""
        snapshot = self._wiring.reads.glance()
        found = await _found(snapshot, unverified_name)
        if found is None or self._site is None:
            return None
        ticket, loaded, account, shown_name = found
        held = credentials_from(await snapshot.rows(OF_PERSON, {"person": ticket.person}))
        seen = await explained(self._wiring, await seen_from(snapshot, loaded))
        refusal = None if ticket.open_at(self._wiring.clock()) else Refusal.LINK_USED
        refusal = _over(loaded.proposal) or refusal or _changed(loaded, ticket)
        refusal = refusal or (Refusal.PAUSED if seen.frozen_by else None)
        return page_asks(self._site, ticket, seen, Face(account.user_id, shown_name), held, refusal)

    async def confirm(self, unverified_name: str, answer: BrowserAnswer) -> Judged | None:
        """Verify a passkey's answer and count the vote, in one transaction."""
        found = await _found(self._wiring.reads.glance(), unverified_name)
        if found is None:
            return None
        ticket, loaded, account, _ = found
        place, digest = json.loads(ticket.subject), json.loads(ticket.intent)["arguments"]
        who = Envelope(account, "", place["channel"], "")
        click = Click(who, loaded.proposal.id, digest, place["ts"], Decision.APPROVE)
        return await self._people.with_people(click, partial(self._counted, click, unverified_name, answer))

    def _counted(
        self, click: Click, name: str, answer: BrowserAnswer, tx: Transaction, members: dict[Account, Member]
    ) -> Judged:
        ticket, loaded = ticket_named(tx, name), known(tx, click.unverified_proposal)
        if ticket is None or loaded is None:
            return Judged(Refusal.LINK_USED, None)
        command = self._proved(tx, ticket, loaded, vote_command(tx, click, loaded, members), answer)
        return recorded_vote(tx, click, loaded, command, decide(loaded.proposal, command, tx.switch))

    def _proved(
        self, tx: Transaction, ticket: Ticket, loaded: Loaded, command: CastVote, answer: BrowserAnswer
    ) -> CastVote:
        """Use the ticket up, and put to the vote what was proved, or why nothing was."""
        if not ticket.open_at(tx.at):
            return replace(command, unproved=Refusal.LINK_USED)
        put_ticket(tx, replace(ticket, used_at=format_time(tx.at)))
        refusal = _changed(loaded, ticket)
        if refusal is not None:
            return replace(command, unproved=refusal)
        held = credentials_of(tx, ticket.person).values()
        found = None if self._site is None else signed(self._site, ticket.intent, [*held], answer)
        if found is None or ticket.person != command.voter.person:
            return replace(command, unproved=Refusal.FACTOR_REFUSED)
        put_credential(tx, replace(found.credential, last_used_at=format_time(tx.at)))
        digest = intent_digest(ticket.intent)
        proof = Proof("passkey", found.credential.id, digest, code_of(digest))
        return replace(command, proof=proof, evidence=AgentJson({**found.evidence}))


async def _found(snapshot: Snapshot, unverified_name: str) -> tuple[Ticket, Loaded, Account, str] | None:
    """Find the ticket of a passkey vote, with its proposal and its person."""
    ticket = ticket_from(await snapshot.rows(TICKET, {"id": ticket_id(unverified_name)}))
    if ticket is None or (ticket.purpose, ticket.factor) != ("vote", "passkey"):
        return None
    loaded = await snapshot.proposal(json.loads(ticket.subject)["proposal"])
    accounts = await snapshot.accounts([ticket.person])
    if loaded is None or ticket.person not in accounts:
        return None
    return ticket, loaded, *accounts[ticket.person]


def _over(proposal: Proposal) -> Refusal | None:
    if proposal.status is Status.PENDING:
        return None
    return Refusal.EXPIRED if proposal.status is Status.EXPIRED else Refusal.NOT_PENDING


def _changed(loaded: Loaded, ticket: Ticket) -> Refusal | None:
    """Tell whether a proposal is no more what the person was asked about."""
    proposal, wanted = loaded.proposal, json.loads(ticket.intent)
    same = (proposal.digest, proposal.requirement.policy.version) == (wanted["arguments"], wanted["policy"])
    since = [item.event for item in loaded.recorded if format_time(item.event.at) >= ticket.created_at]
    return None if same and all(isinstance(event, _HARMLESS) for event in since) else Refusal.CHANGED_SINCE


def page_asks(
    site: Site, ticket: Ticket, seen: Seen, me: Face, held: Iterable[CredentialRow], refusal: Refusal | None
) -> Asked:
    """Say what a page asks one person to confirm."""
    return Asked(
        seen=seen,
        me=me,
        code=code_of(intent_digest(ticket.intent)),
        challenge=challenge_of(APPROVAL, ticket.intent),
        rp=site.rp,
        passkeys=[one.material["credential_id"] for one in passkeys_of(held)],
        expires_at=parse_time(ticket.expires_at),
        refusal=refusal,
    )


def passkeys_of(held: Iterable[CredentialRow]) -> list[CredentialRow]:
    """Give the passkeys that count."""
    return [one for one in held if one.factor == "passkey" and one.state == "active"]
