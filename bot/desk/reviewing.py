"""The access review for people in Slack: who may ask for a report, and who may sign it."""

import hashlib
from dataclasses import dataclass

from approval_rules.access_events import AccessReviewRefused
from approval_rules.people import human
from approval_rules.refusals import Refusal
from bot.access.keeping import SignReport
from bot.access.report import REVIEWERS
from bot.desk.persons import meet
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.store import outbox
from bot.store.outbox import Kind
from bot.store.transaction import Transaction
from handlers.desk import Envelope
from handlers.review_desk import SignedReview

_NO_REPORT = ""


@dataclass(frozen=True, slots=True)
class ReviewUseCases:
    """Provides `handlers.review_desk.ReviewDesk`."""

    wiring: Wiring

    async def ask_report(self, who: Envelope) -> Refusal | None:
        """Plan a report for whoever asked; refused and recorded for anybody who may not read it."""
        refusal = self._refusal(member := await self.wiring.directory.look_up(who.account))

        def unit(tx: Transaction) -> None:
            if not tx.first_seen(_fingerprint(who)):
                return
            by = human(meet(tx, who.account, member, member.name or who.user_name))
            if refusal is not None:
                tx.record(AccessReviewRefused(tx.at, by, _NO_REPORT, refusal))
                return
            name = f"access:{_fingerprint(who)}"
            outbox.plan(tx, Kind.ACCESS, "access", tx.size, {"user": who.account.user_id}, name=name)

        await written(self.wiring, unit)
        return refusal

    async def sign_report(self, who: Envelope, unverified_digest: str) -> SignedReview:
        """Count or refuse a signature."""
        refusal = self._refusal(member := await self.wiring.directory.look_up(who.account))

        def unit(tx: Transaction) -> SignedReview:
            by = human(meet(tx, who.account, member, member.name or who.user_name))
            if not tx.first_seen(_fingerprint(who)):
                return SignedReview(Refusal.ALREADY_SIGNED)
            signed = SignReport(unverified_digest, by, None, refusal)(tx)
            return SignedReview(signed.refusal, signed.complete)

        return await written(self.wiring, unit)

    def _refusal(self, member: Member) -> Refusal | None:
        """Refuse whoever cannot be known, and whoever has none of the roles that review."""
        if member.flaw is not None:
            return Refusal(member.flaw.value)
        named = [role for role in REVIEWERS if role in self.wiring.policy.folder.roles]
        may = bool(member.roles.intersection(named)) if named else bool(member.roles)
        return None if may else Refusal.NOT_REVIEWER


def _fingerprint(who: Envelope) -> str:
    return hashlib.sha256(who.request_id.encode()).hexdigest()
