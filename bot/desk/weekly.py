"""The weekly review for people in Slack and in browsers: who may read it, sign it off, and flag what stands in it.

Behind a link (bot.desk.week_links) the whole can be read, and nothing can be done.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from approval_rules.people import PersonId, RoleName, human
from approval_rules.refusals import Refusal
from approval_rules.review_events import WeekReview
from approval_rules.text import AgentText
from bot.desk.persons import meet, standing_in
from bot.desk.week_links import WeekLinks
from bot.desk.wiring import Wiring, written
from bot.directory import Member
from bot.review.keeping import FlagWeek, MayNot, SignWeek, record_refusal, reviews_in
from bot.review.records import paper_of, reviews_from
from bot.review.showing import csv_of, html_of
from bot.store import outbox
from bot.store.codec import REVIEW
from bot.store.engine import open_reader
from bot.store.outbox import Kind
from bot.store.past import one_view
from bot.store.policies import looking
from bot.store.reports import Kept, find
from bot.store.transaction import Transaction
from handlers.desk import Envelope, Face
from handlers.weekly_desk import PAGE, TABLE, Counted, Flag, ReviewLink, Signature, WeekFile, WeekShown

T = TypeVar("T")
_FIND: Final = "SELECT digest, made_at, content FROM access_reports WHERE digest = :digest"


@dataclass(frozen=True)
class WeeklyUseCases:
    """Provides `handlers.weekly_desk`. `public_url` None: nobody's browser reaches this server."""

    wiring: Wiring
    public_url: str | None

    @cached_property
    def _links(self) -> WeekLinks:
        return WeekLinks(self.wiring)

    async def read_week(self, who: Envelope, unverified_report: str) -> ReviewLink | Refusal:
        """Give a link, or plan the files for whoever may read."""

        def unit(tx: Transaction, by: PersonId, refused: MayNot) -> ReviewLink | Refusal:
            review = reviews_in(tx).of(unverified_report)
            refusal = Refusal.UNKNOWN_REPORT if review is None else refused(review.reviewers)
            if refusal is not None:
                record_refusal(tx, human(by), unverified_report, refusal)
                return refusal
            if self.public_url is not None:
                name = self._links.name(unverified_report, tx.new_id("look"))
                return ReviewLink(f"{self.public_url}/review/{name}/{PAGE}")
            row = {"report": unverified_report, "user": who.account.user_id}
            outbox.plan(tx, Kind.REVIEW, REVIEW, tx.size, row, name=f"review-files:{_fingerprint(who)}")
            return ReviewLink(None)

        return await self._acted(who, unit, ReviewLink(None))

    async def sign_week(self, who: Envelope, unverified_report: str) -> WeekShown | Refusal:
        """Count or refuse a signature."""

        def unit(tx: Transaction, by: PersonId, refused: MayNot) -> Refusal | None:
            return SignWeek(unverified_report, human(by), refused)(tx)

        refusal: Refusal | None = await self._acted(who, unit, Refusal.ALREADY_SIGNED)
        return refusal or await self._shown(unverified_report)

    async def flag_form(self, who: Envelope, unverified_report: str) -> WeekShown | Refusal:
        """Show what may be flagged; a refusal is recorded."""

        def unit(tx: Transaction, by: PersonId, refused: MayNot) -> Refusal | None:
            review = reviews_in(tx).of(unverified_report)
            refusal = Refusal.UNKNOWN_REPORT if review is None else refused(review.reviewers)
            if refusal is None and review is not None and review.superseded:
                refusal = Refusal.REVIEW_SUPERSEDED
            if refusal is not None:
                record_refusal(tx, human(by), unverified_report, refusal)
            return refusal

        refusal: Refusal | None = await self._acted(who, unit, None)
        return refusal or await self._shown(unverified_report)

    async def flag_week(
        self, who: Envelope, unverified_report: str, items: tuple[int, ...], note: AgentText
    ) -> Refusal | None:
        """Count or refuse a flag."""

        def unit(tx: Transaction, by: PersonId, refused: MayNot) -> Refusal | None:
            return FlagWeek(unverified_report, human(by), refused, items, note)(tx)

        return await self._acted(who, unit, None)

    async def whole_week(self, unverified_name: str, file: str, unverified_session: str | None) -> WeekFile | None:
        """Write the page or the table that a link is for."""
        opened = await self._links.opened(unverified_name, unverified_session)
        if opened is None:
            return None
        content = await asyncio.to_thread(_file_of, self.wiring.reads.path, opened.report, file)
        return None if content is None else WeekFile(content, opened.session, opened.seconds)

    async def _acted(self, who: Envelope, unit: Callable[..., T], again: T) -> T:
        """Run a unit for a person; exactly this request again gives `again`."""
        member = await self.wiring.directory.look_up(who.account)

        def whole(tx: Transaction) -> T:
            by = meet(tx, who.account, member, member.name or who.user_name)
            if not tx.first_seen(_fingerprint(who)):
                return again
            flaw = standing_in(tx, by, member).flaw
            return unit(tx, by, lambda roles: Refusal(flaw.value) if flaw else _not_in(member, roles))

        return await written(self.wiring, whole)

    async def _shown(self, report: str) -> WeekShown | Refusal:
        return await shown_week(self.wiring, report) or Refusal.UNKNOWN_REPORT


def _not_in(member: Member, roles: frozenset[RoleName]) -> Refusal | None:
    return None if roles & (member.roles | member.off_duty) else Refusal.NOT_IN_ROLE


async def shown_week(wiring: Wiring, report: str) -> WeekShown | None:
    """Give a review as it stands; None where none was made of this report."""
    async with wiring.reads.snapshot() as snapshot:
        reviews = reviews_from(await snapshot.recorded(REVIEW))
        review = reviews.of(report)
        found = await snapshot.rows(_FIND, {"digest": report})
        kept = find(lambda _sql, _where: found, report)
        if review is None or kept is None:
            return None
        accounts = await snapshot.accounts(_reviewers(review))
    faces = {ref: Face(account.user_id, name) for ref, (account, name) in accounts.items()}
    return _week_shown(reviews.before(review), review, kept, faces)


def _reviewers(review: WeekReview) -> list[PersonId]:
    signers, flaggers = [one.by for one in review.signed], [one.by for one in review.flagged]
    return [PersonId(by.ref) for by in (*signers, *flaggers)]


def _week_shown(before: WeekReview | None, review: WeekReview, kept: Kept, faces: Mapping[PersonId, Face]) -> WeekShown:
    report = kept.report
    return WeekShown(
        digest=kept.digest,
        made_at=review.made.at,
        role=review.made.role,
        week=report["week"],
        zone=report["zone"],
        items=len(report["items"]),
        decisions=report["decisions"],
        counts=[Counted(one["what"], one["now"], one["before"]) for one in report["counts"]],
        signed=[Signature(faces.get(PersonId(one.by.ref)), one.at, one.decided) for one in review.signed],
        flagged=[Flag(faces.get(PersonId(one.by.ref)), one.items, one.note) for one in review.flagged],
        complete=review.complete,
        superseded=review.superseded,
        missed_before=None if before is None or before.complete else before.made.week,
    )


def files_of(path: Path, report: str) -> Mapping[str, bytes] | None:
    """Write a kept report as files; None where it is not kept. For thousands of items that takes seconds."""
    found = {name: _file_of(path, report, name) for name in (PAGE, TABLE)}
    return {name: content for name, content in found.items() if content is not None} or None


def _file_of(path: Path, report: str, file: str) -> bytes | None:
    with closing(open_reader(path)) as connection, one_view(connection):
        kept = find(looking(connection), report)
        paper = None if kept is None else paper_of(connection, kept, whole=file == TABLE)
    return None if paper is None else (csv_of if file == TABLE else html_of)(paper).encode()


def _fingerprint(who: Envelope) -> str:
    return hashlib.sha256(who.request_id.encode()).hexdigest()
