"""Approving where a second factor is asked for: everything else is judged first, then the factor is asked for."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from approval_rules.canonical import Digest, canonical_text
from approval_rules.decide import decide
from approval_rules.intent import code_of, intent, intent_digest, intent_text
from approval_rules.people import Account
from approval_rules.refusals import Refusal
from approval_rules.step_up import Proof
from approval_rules.times import format_time
from bot.desk.apply import known, seen_in
from bot.desk.code_votes import app_of
from bot.desk.enrolment import Secrets
from bot.desk.people import PeopleUseCases, first_click, recorded_vote, refusal_in, told_before, vote, vote_command
from bot.directory import Member
from bot.store.credentials import credentials_of
from bot.store.tickets import Ticket, put_ticket, ticket_id
from bot.store.transaction import Transaction
from handlers.desk import Challenge, Click, Judged

TICKET_LIFE: Final = timedelta(minutes=5)


class AskingForFactors:
    """Provides `begin_approval`."""

    def __init__(self, people: PeopleUseCases, secrets: Secrets, public_url: str | None) -> None:
        self._people = people
        self._secrets = secrets
        self._rp = urlsplit(public_url or "").hostname or ""

    async def begin_approval(self, click: Click) -> Judged | Challenge:
        """Count an approval, refuse it, or ask for the second factor that it needs."""
        name, nonce = self._secrets.name(), self._secrets.name()
        return await self._people.with_people(click, partial(self._begin, click, name, nonce))

    def _begin(
        self, click: Click, name: str, nonce: str, tx: Transaction, members: dict[Account, Member]
    ) -> Judged | Challenge:
        loaded = known(tx, click.unverified_proposal)
        if loaded is None or loaded.proposal.requirement.step_up == "none":
            return vote(tx, click, members, rehearse=False)
        if not first_click(tx, click):
            return told_before(tx, click, loaded)
        command = vote_command(tx, click, loaded, members)
        app = app_of(credentials_of(tx, command.voter.person))
        asked = loaded.proposal.requirement.step_up
        if app is None or asked == "passkey":
            command = replace(command, unproved=Refusal.FACTOR_MISSING)
        elif app.state == "locked":
            command = replace(command, unproved=Refusal.FACTOR_LOCKED)
        else:
            command = replace(command, proof=Proof("totp", app.id, "", ""))
        foreseen = decide(loaded.proposal, command, tx.switch)
        if refusal_in(foreseen) is not None or app is None:
            return recorded_vote(tx, click, loaded, command, foreseen)
        until = tx.at + TICKET_LIFE
        packet = loaded.proposal.packet
        text = intent_text(
            intent(
                proposal=loaded.proposal.id,
                arguments=loaded.proposal.digest,
                packet=packet.shown if packet else Digest(""),
                policy=loaded.proposal.requirement.policy.version,
                approver=command.voter.person,
                nonce=nonce,
                expires_at=until,
                rp=self._rp,
            )
        )
        at, end = format_time(tx.at), format_time(until)
        subject = {"proposal": loaded.proposal.id, "channel": click.who.channel, "ts": click.ts}
        put_ticket(tx, Ticket(ticket_id(name), "vote", app.person, "totp", canonical_text(subject), text, at, end))
        return Challenge(seen_in(tx, loaded), "totp", name, code_of(intent_digest(text)), until)
