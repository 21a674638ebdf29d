"""How a person gets a second factor: a link, an app that shows a right code, and then another person's word.

A link's name, a secret and a recovery code leave here for the person's own page only; what is kept is sealed or hashed.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from approval_rules.factor_events import FactorRefused
from approval_rules.factors import FAILURES, Wish, enrol, recover, recovery_codes
from approval_rules.people import PersonId, human, system
from approval_rules.refusals import Refusal
from approval_rules.step_up import Factor
from approval_rules.times import format_time, parse_time
from bot.clock import NewToken
from bot.desk.factor_record import New, record_factors
from bot.desk.persons import meet
from bot.desk.try_pace import TryPace
from bot.desk.wiring import Wiring, written
from bot.keys import base64url
from bot.one_time_codes import accepted_step, new_recovery_codes, new_secret, recovery_hash, setup_uri
from bot.sealing import Seal
from bot.store.credentials import CredentialRow, credentials_of, factors_of, put_credential
from bot.store.tickets import (
    OPEN_ENROLMENTS,
    TICKET,
    Ticket,
    forget_enrolments,
    put_ticket,
    ticket_from,
    ticket_id,
    ticket_named,
)
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Face
from handlers.factor_desk import Enrolled, Enrolling, EnrolmentLink, SetUp, WrongCode

LINK_LIFE: Final = timedelta(minutes=30)
SEAL_PURPOSE: Final = "totp/v1"
ISSUER: Final = "Foureyes"
APP_LABEL: Final = "Authenticator app"
CODES_LABEL: Final = "Recovery codes"
_NAME_BYTES: Final = 32
_LINKS_AT_ONCE: Final = 5
_PAGE = system("second-factor")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where names, secrets and seals come from."""

    seal: Seal = field(repr=False)
    new_token: NewToken = field(repr=False)

    def name(self) -> str:
        """Make a name of 256 bits that nobody can guess."""
        return base64url(self.new_token(_NAME_BYTES))


class EnrolmentUseCases:
    """Provides `handlers.factor_desk.EnrolmentDesk`, and the link to it. `public_url` None: there are no pages."""

    def __init__(self, wiring: Wiring, secrets: Secrets, public_url: str | None, pace: TryPace) -> None:
        self._wiring = wiring
        self._secrets = secrets
        self._public_url = public_url
        self._pace = pace

    async def begin_enrolment(self, who: Envelope, factor: Factor) -> EnrolmentLink | Refusal:
        """Make a link by which this person enrols a factor within half an hour."""
        if self._public_url is None:
            return Refusal.NO_PAGES
        member = await self._wiring.directory.look_up(who.account)
        refusal = Refusal.NOT_IN_ROLE if not member.roles else None
        if member.flaw is not None:
            refusal = Refusal(member.flaw.value)
        name = self._secrets.name()

        def unit(tx: Transaction) -> Refusal | datetime:
            person = meet(tx, who.account, member, member.name or who.user_name)
            if refusal is not None:
                record_factors(tx, [FactorRefused(tx.at, human(person), person, "enrol", refusal)])
                return refusal
            if len(tx.rows(OPEN_ENROLMENTS, {"person": person, "now": format_time(tx.at)})) >= _LINKS_AT_ONCE:
                return Refusal.TOO_FAST
            until = tx.at + LINK_LIFE
            at, end = format_time(tx.at), format_time(until)
            put_ticket(tx, Ticket(ticket_id(name), "enrol", person, factor, "", json.dumps({}), at, end))
            return until

        made = await written(self._wiring, unit)
        return made if isinstance(made, Refusal) else EnrolmentLink(factor, made, f"{self._public_url}/enrol/{name}")

    async def enrolling(self, unverified_name: str) -> Enrolling | None:
        """Tell what a link is for. It changes nothing."""
        snapshot = self._wiring.reads.glance()
        ticket = ticket_from(await snapshot.rows(TICKET, {"id": ticket_id(unverified_name)}))
        if ticket is None or not _usable(ticket, self._wiring.clock()) or ticket.factor is None:
            return None
        found = await snapshot.accounts([ticket.person])
        faces = [Face(account.user_id, name) for account, name in found.values()]
        if not faces:
            return None
        return Enrolling(ticket.factor, faces[0], parse_time(ticket.expires_at), self._secrets.name())

    async def open_enrolment(self, unverified_name: str, unverified_visit: str) -> SetUp | Refusal:
        """Open the link: only the first visit that does gets the secret."""
        face = await self.enrolling(unverified_name)
        fresh, visit = new_secret(self._secrets.new_token), _hash(unverified_visit)

        def unit(tx: Transaction) -> SetUp | Refusal:
            ticket = ticket_named(tx, unverified_name)
            if face is None or ticket is None or not _usable(ticket, tx.at) or ticket.factor != "totp":
                return Refusal.EXPIRED
            known = _known(ticket)
            if "visit" not in known:
                known = {"visit": visit, "secret": self._secrets.seal.seal(fresh, ticket.id), "failures": 0}
                put_ticket(tx, replace(ticket, intent=json.dumps(known)))
            elif not hmac.compare_digest(known["visit"], visit):
                record_factors(tx, [FactorRefused(tx.at, _PAGE, ticket.person, "open", Refusal.LINK_USED)])
                return Refusal.LINK_USED
            secret = self._secrets.seal.open(known["secret"], ticket.id)
            return SetUp(secret, setup_uri(secret, face.face.name or face.face.user_id, ISSUER))

        return await written(self._wiring, unit)

    async def enrol_app(
        self, unverified_name: str, unverified_visit: str, unverified_code: str, unverified_recovery: str
    ) -> Enrolled | WrongCode | Refusal:
        """Enrol the authenticator app that shows this code."""
        # By the link: it belongs to one person, and whoever guesses at names has found none.
        if not self._pace.allows(f"link {ticket_id(unverified_name)}", self._wiring.clock()):
            return WrongCode(FAILURES, too_fast=True)
        codes = new_recovery_codes(self._secrets.new_token)

        def unit(tx: Transaction) -> Enrolled | WrongCode | Refusal:
            ticket = ticket_named(tx, unverified_name)
            if ticket is None or not _usable(ticket, tx.at) or ticket.factor != "totp":
                return Refusal.EXPIRED
            known = _known(ticket)
            if not hmac.compare_digest(known.get("visit", ""), _hash(unverified_visit)):
                return Refusal.LINK_USED
            secret = self._secrets.seal.open(known["secret"], ticket.id)
            step = accepted_step(secret, unverified_code, tx.at, 0)
            recovery = _recovery(tx, ticket.person, unverified_recovery)
            if step is None or (unverified_recovery and recovery is None):
                return _failed(tx, ticket, known, recovering=step is not None)
            put_ticket(tx, replace(ticket, intent=json.dumps({}), used_at=format_time(tx.at)))
            return self._enrolled(tx, ticket.person, secret, step, codes, recovery)

        return await written(self._wiring, unit)

    def _enrolled(
        self,
        tx: Transaction,
        person: PersonId,
        secret: str,
        step: int,
        codes: Sequence[str],
        recovery: CredentialRow | None,
    ) -> Enrolled:
        held, ident = factors_of(tx, person), tx.new_id("cred")
        app = New(APP_LABEL, {"secret": self._secrets.seal.seal(secret, ident)}, step)
        wish = Wish(tx.at, human(person), person, None, may=False)
        forget_enrolments(tx, person)
        if recovery is not None:
            put_credential(tx, recovery)
            left = len(recovery.material["hashes"])
            record_factors(tx, recover(held, wish, ident, "totp", left), {ident: app})
            return Enrolled(counts=True)
        with_it = tx.new_id("cred")
        kept = New(CODES_LABEL, {"hashes": [recovery_hash(code) for code in codes]})
        record_factors(tx, enrol(held, wish, ident, "totp", with_it), {ident: app, with_it: kept})
        return Enrolled(counts=False, recovery_codes=codes)


def _usable(ticket: Ticket, at: datetime) -> bool:
    return ticket.purpose == "enrol" and ticket.open_at(at)


def _known(ticket: Ticket) -> Mapping[str, Any]:
    known: Mapping[str, Any] = json.loads(ticket.intent)
    return known


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _recovery(tx: Transaction, person: PersonId, unverified_code: str) -> CredentialRow | None:
    """Give the person's codes as they are without this one; None where it is none of the good ones."""
    good = recovery_codes(factors_of(tx, person))
    if good is None or not unverified_code:
        return None
    row, used = credentials_of(tx, person)[good.id], recovery_hash(unverified_code)
    left = [one for one in row.material["hashes"] if not hmac.compare_digest(one, used)]
    spent = len(left) < len(row.material["hashes"])
    return replace(row, material={**row.material, "hashes": left}) if spent else None


def _failed(tx: Transaction, ticket: Ticket, known: Mapping[str, Any], *, recovering: bool) -> WrongCode:
    """Count a wrong code; after the last the link is over."""
    left = FAILURES - 1 - int(known["failures"])
    over = format_time(tx.at) if left <= 0 else None
    put_ticket(tx, replace(ticket, intent=json.dumps({**known, "failures": FAILURES - left}), used_at=over))
    tried: Literal["recover", "enrol"] = "recover" if recovering else "enrol"
    record_factors(tx, [FactorRefused(tx.at, human(ticket.person), ticket.person, tried, Refusal.FACTOR_REFUSED)])
    return WrongCode(left)
