"""Votes confirmed with the code of an authenticator app: the ticket, and the code, judged in the vote's transaction.

A code counts once, for one proposal and one decision. A wrong one counts too: towards the lock.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from approval_rules.commands import CastVote
from approval_rules.decide import decide
from approval_rules.events import Decision
from approval_rules.factor_events import FactorRefused
from approval_rules.factors import FAILURES, lock_after_failures
from approval_rules.intent import code_of, intent_digest
from approval_rules.people import Account, PersonId, human
from approval_rules.refusals import Refusal
from approval_rules.step_up import Proof
from approval_rules.text import AgentJson
from approval_rules.times import format_time
from bot.desk.apply import known
from bot.desk.factor_record import record_factors
from bot.desk.people import PeopleUseCases, first_click, recorded_vote, told_before, vote_command
from bot.desk.try_pace import TryPace
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.one_time_codes import accepted_step
from bot.sealing import CannotOpenError, Seal
from bot.store.credentials import CredentialRow, credentials_of, factors_of, put_credential
from bot.store.rows import Loaded
from bot.store.tickets import TICKET, Ticket, put_ticket, ticket_from, ticket_id, ticket_named
from bot.store.transaction import Transaction
from handlers.desk import Click, Judged
from handlers.factor_desk import TypedCode, WrongCode


class CodeVotes:
    """Provides the part of `handlers.factor_desk.FactorDesk` that takes a code."""

    def __init__(self, wiring: Wiring, people: PeopleUseCases, seal: Seal, pace: TryPace) -> None:
        self._wiring = wiring
        self._people = people
        self._seal = seal
        self._pace = pace

    async def vote_with_code(self, typed: TypedCode) -> Judged | WrongCode:
        """Verify the code and count the vote, in one transaction."""
        account = typed.who.account
        if not self._pace.allows(f"{account.team_id} {account.user_id}", self._wiring.clock()):
            return WrongCode(FAILURES, too_fast=True)
        found = await self._wiring.reads.glance().rows(TICKET, {"id": ticket_id(typed.unverified_ticket)})
        ticket = ticket_from(found)
        if ticket is None or (ticket.purpose, ticket.factor) != ("vote", "totp"):
            await written(self._wiring, partial(_invented, typed))
            return Judged(Refusal.LINK_USED, None)
        place, asked = json.loads(ticket.subject), json.loads(ticket.intent)
        who = replace(typed.who, channel=place["channel"])
        click = Click(who, place["proposal"], asked["arguments"], place["ts"], Decision.APPROVE)
        return await self._people.with_people(click, partial(self._vote, click, typed))

    def _vote(
        self, click: Click, typed: TypedCode, tx: Transaction, members: dict[Account, Member]
    ) -> Judged | WrongCode:
        loaded = known(tx, click.unverified_proposal)
        if loaded is None or not first_click(tx, click):
            return told_before(tx, click, loaded)
        command = vote_command(tx, click, loaded, members)
        person = command.voter.person
        app = app_of(credentials_of(tx, person))
        ticket = _ticket(tx, typed.unverified_ticket, loaded, person)
        unproved = _unproved(app, ticket)
        # What is locked or over is said before anything is compared: then a right code tells nobody anything.
        if unproved is not None or app is None or ticket is None:
            return _recorded(tx, click, loaded, replace(command, unproved=unproved))
        step = right_step(self._seal, tx, app, typed.unverified_code)
        if step is None:
            return _wrong(tx, click, loaded, command, app)
        put_credential(tx, replace(app, counter=step, failures=0, last_used_at=format_time(tx.at)))
        put_ticket(tx, replace(ticket, used_at=format_time(tx.at)))
        digest = intent_digest(ticket.intent)
        proof = Proof("totp", app.id, digest, code_of(digest))
        evidence = AgentJson({"intent": ticket.intent})
        return _recorded(tx, click, loaded, replace(command, proof=proof, evidence=evidence))


def right_step(seal: Seal, tx: Transaction, app: CredentialRow, unverified_code: str) -> int | None:
    """Give the time step whose code this is; None for a wrong code, or one of a step that was used."""
    try:
        secret = seal.open(app.material["secret"], app.id)
    except CannotOpenError:
        return None
    return accepted_step(secret, unverified_code, tx.at, app.counter)


def count_wrong_code(tx: Transaction, app: CredentialRow) -> int:
    """Count a wrong code and say how many are left; the last one locks the app."""
    left = FAILURES - 1 - app.failures
    put_credential(tx, replace(app, failures=app.failures + 1))
    if left <= 0:
        record_factors(tx, [lock_after_failures(tx.at, factors_of(tx, app.person)[app.id])])
    return max(left, 0)


def _invented(typed: TypedCode, tx: Transaction) -> None:
    """Record that somebody sent a ticket that is none: it is for no proposal, so no vote was refused."""
    person = tx.person(typed.who.account, typed.who.user_name)
    record_factors(tx, [FactorRefused(tx.at, human(person), person, "vote", Refusal.LINK_USED)])


def app_of(held: Mapping[str, CredentialRow]) -> CredentialRow | None:
    """Give the authenticator app that counts; where none does, the one that is locked."""
    apps = [row for row in held.values() if row.factor == "totp"]
    return next((row for state in ("active", "locked") for row in apps if row.state == state), None)


def _unproved(app: CredentialRow | None, ticket: Ticket | None) -> Refusal | None:
    if app is None:
        return Refusal.FACTOR_MISSING
    if app.state == "locked":
        return Refusal.FACTOR_LOCKED
    return Refusal.CHANGED_SINCE if ticket is None else None


def _ticket(tx: Transaction, unverified_name: str, loaded: Loaded, person: PersonId) -> Ticket | None:
    """Give the open ticket of this person for exactly this action; None for any other, whatever was sent with it."""
    ticket = ticket_named(tx, unverified_name)
    if ticket is None or ticket.person != person or not ticket.open_at(tx.at):
        return None
    return ticket if json.loads(ticket.intent)["arguments"] == loaded.proposal.digest else None


def _wrong(tx: Transaction, click: Click, loaded: Loaded, command: CastVote, app: CredentialRow) -> Judged | WrongCode:
    """Count and record a wrong code; the last one locks, and so does nothing else that is wrong with the vote."""
    judged = _recorded(tx, click, loaded, replace(command, unproved=Refusal.FACTOR_REFUSED))
    left = count_wrong_code(tx, app)
    if left:
        return WrongCode(left) if judged.refusal is Refusal.FACTOR_REFUSED else judged
    return Judged(Refusal.FACTOR_LOCKED, judged.seen)


def _recorded(tx: Transaction, click: Click, loaded: Loaded, command: CastVote) -> Judged:
    return recorded_vote(tx, click, loaded, command, decide(loaded.proposal, command, tx.switch))
